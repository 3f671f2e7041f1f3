"""The forms of what is done to a Base or Drive as a whole. Storage checks what they say."""

from typing import Any

from django import forms

from storage import limits

_PLAIN = {"autocomplete": "off", "spellcheck": "false", "class": "data"}


class NewNameForm(forms.Form):
    """Another name."""

    name = forms.CharField(
        label="New name",
        help_text="Letters (a-z), digits, “_”, “-” and “.”",
        max_length=limits.NAME_MAX_CHARACTERS,
        widget=forms.TextInput(attrs={**_PLAIN, "autofocus": True}),
    )


class TypedNameForm(forms.Form):
    """Its name, typed again."""

    typed_name = forms.CharField(label="Name", strip=False, widget=forms.TextInput(attrs=_PLAIN))


class DestinationForm(forms.Form):
    """Another collection."""

    def __init__(self, data: Any, *, choices: list[tuple[str, str]]) -> None:
        """`choices` are ids with names."""
        super().__init__(data)
        self.fields["collection"] = forms.ChoiceField(label="To the collection", choices=choices)
