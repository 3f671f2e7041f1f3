"""The forms of imports and snapshots. Storage validates; its error becomes the form's error."""

from django import forms
from django.http import QueryDict

from storage import limits
from storage.archive.importing.plans import Choice, Plan, suggest_choice
from storage.models import SnapshotSchedule

_WAYS = ("merge", "replace", "rename", "skip")


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


def read_choices(plan: Plan, posted: QueryDict) -> list[Choice]:
    """What was chosen for each portion, as `do-0` and `name-0`; where nothing was, what is suggested."""
    return [
        Choice(do, posted.get(f"name-{index}", "").strip() if do == "rename" else "")  # type: ignore[arg-type]  # one of the ways
        if (do := posted.get(f"do-{index}", "")) in _WAYS
        else suggest_choice(portion)
        for index, portion in enumerate(plan.portions)
    ]
