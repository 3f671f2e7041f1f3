"""The forms of data keys: a new one, and the limits of one."""

from datetime import datetime, timedelta
from typing import Any

from django import forms

from storage import limits
from storage.postgres import clock

_CHECKBOXES = forms.CheckboxSelectMultiple


class LimitsForm(forms.Form):
    """The limits of a key; an empty field means none."""

    requests_per_second = forms.IntegerField(
        label="Requests a second",
        help_text="More are answered 429, and told when to try again. Empty for no limit.",
        required=False,
        min_value=1,
        max_value=limits.KEY_REQUESTS_PER_SECOND_MAX,
        widget=forms.NumberInput(attrs={"autocomplete": "off"}),
    )
    bytes_per_day = forms.IntegerField(
        label="Bytes a day",
        help_text="Of requests and answers together; a day begins at 00:00 UTC. Empty for no limit.",
        required=False,
        min_value=1,
        max_value=limits.KEY_BYTES_PER_DAY_MAX,
        widget=forms.NumberInput(attrs={"autocomplete": "off"}),
    )


class KeyForm(LimitsForm):
    """The name, rights, lifetime and limits of a new key."""

    name = forms.CharField(
        help_text="For example, the app that uses it.",
        max_length=limits.DATA_KEY_NAME_MAX_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    rights = forms.ChoiceField(
        label="Access",
        choices=[("write", "Read and write"), ("read", "Read only")],
        widget=forms.RadioSelect,
        initial="write",
    )
    scope = forms.ChoiceField(
        label="Scope",
        choices=[("all", "All Bases and Drives, including new ones"), ("chosen", "Only these:")],
        widget=forms.RadioSelect,
        initial="all",
    )
    bases = forms.MultipleChoiceField(label="Bases", required=False, widget=_CHECKBOXES)
    drives = forms.MultipleChoiceField(label="Drives", required=False, widget=_CHECKBOXES)
    others = forms.CharField(
        label="Bases that do not exist yet",
        help_text="Names, separated by spaces.",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "data"}),
    )
    days = forms.TypedChoiceField(
        label="Expires",
        coerce=int,
        choices=[
            (0, "Never"),
            (1, "In a day"),
            (7, "In a week"),
            (30, "In 30 days"),
            (90, "In 90 days"),
            (365, "In a year"),
        ],
        initial=0,
    )

    def __init__(self, *args: Any, bases: list[str], drives: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field, names in (("bases", bases), ("drives", drives)):
            self.fields[field].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
            if not names:
                del self.fields[field]

    def clean(self) -> dict[str, Any]:
        """Refuse an empty choice: such a key would have no use."""
        data = super().clean() or {}
        if data.get("scope") == "chosen" and not (data.get("bases") or data.get("drives") or data.get("others")):
            self.add_error("scope", "Choose at least one, or choose all.")
        return data

    @property
    def base_names(self) -> list[str] | None:
        """The chosen Bases, None for all of them."""
        if self.cleaned_data["scope"] == "all":
            return None
        return sorted({*self.cleaned_data.get("bases", []), *self.cleaned_data["others"].replace(",", " ").split()})

    @property
    def drive_names(self) -> list[str] | None:
        """The chosen Drives, None for all of them."""
        return None if self.cleaned_data["scope"] == "all" else self.cleaned_data.get("drives", [])

    @property
    def expires_at(self) -> datetime | None:
        days: int = self.cleaned_data["days"]
        return clock.now() + timedelta(days=days) if days else None
