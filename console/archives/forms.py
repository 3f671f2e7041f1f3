"""The forms of imports and snapshots. Storage validates; its error becomes the form's error."""

from typing import Any

from django import forms
from django.http import QueryDict

from storage import limits
from storage.archive.importing.plans import WAYS, Choice, Plan, Reading, suggest_choice
from storage.archive.reading.columns import TYPES
from storage.models import SnapshotSchedule


class NewImportForm(forms.Form):
    """A file to upload: its name and size in bytes."""

    name = forms.CharField(max_length=1000)
    size = forms.IntegerField(min_value=1, max_value=limits.ARCHIVE_MAX_BYTES)


class SnapshotForm(forms.Form):
    """How often a snapshot is made and how many are kept."""

    every = forms.ChoiceField(
        label="Make a snapshot",
        choices=[("", "Never"), *SnapshotSchedule.Every.choices],
        widget=forms.RadioSelect,
        required=False,
    )
    keep = forms.IntegerField(
        label="Keep the newest",
        help_text=f"1 to {limits.SNAPSHOTS_KEPT_MAX}. Older ones are deleted when a new one is done.",
        min_value=1,
        max_value=limits.SNAPSHOTS_KEPT_MAX,
        initial=7,
    )
    is_checked = forms.BooleanField(
        label="Test each snapshot",
        help_text="It is imported into a temporary collection, compared and deleted again. This needs disk space for a while.",
        required=False,
        initial=True,
    )
    is_copied = forms.BooleanField(
        label="Copy each to the second place",
        help_text="It is read back and compared there. As many are kept there as here.",
        required=False,
        initial=True,
    )

    def __init__(self, *args: Any, has_second_place: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not has_second_place:
            del self.fields["is_copied"]


def read_choices(plan: Plan, posted: QueryDict) -> list[Choice]:
    """What was chosen for each portion, as `do-0` and `name-0`; where nothing was, what is suggested."""
    return [
        Choice(do, posted.get(f"name-{index}", "").strip() if do == "rename" else "")
        if (do := posted.get(f"do-{index}", "")) in WAYS
        else suggest_choice(portion)
        for index, portion in enumerate(plan.portions)
    ]


def read_readings(plan: Plan, posted: QueryDict) -> dict[str, Reading]:
    """How the Bases of a file are to be read, by name: `key-0` is what the keys are in, `type-0-1` the type of the second column.

    What the form does not say stays as it is.
    """
    readings = {}
    for index, portion in enumerate(plan.portions):
        if portion.kind != "base" or not (portion.is_table or portion.candidates):
            continue
        known = plan.readings.get(portion.name) or plan.readings.get("*") or Reading()
        types = dict(known.types)
        for number, column in enumerate(portion.columns):
            chosen = posted.get(f"type-{index}-{number}", column.type)
            if chosen in TYPES and (chosen != column.type or column.name in types):
                types[column.name] = chosen
        key = posted.get(f"key-{index}", portion.key)
        readings[portion.name] = Reading(key if key in portion.key_names else portion.key, types, known.is_text)
    return readings


def is_as_checked(plan: Plan, name: str, wanted: Reading) -> bool:
    """Whether the check read a Base of the file so."""
    portion = next(each for each in plan.portions if each.kind == "base" and each.name == name)
    return wanted.key == portion.key and all(
        wanted.types.get(column.name, column.type) == column.type for column in portion.columns
    )
