"""The forms of collections. Storage validates names; its error becomes the field's error."""

from django import forms

from storage import limits
from storage.models import Role


class CollectionForm(forms.Form):
    """A collection's name."""

    name = forms.CharField(
        max_length=limits.COLLECTION_NAME_MAX_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )


class BaseForm(forms.Form):
    """A new Base's or Drive's name."""

    name = forms.CharField(
        help_text="Letters (a-z), digits, “_”, “-” and “.”",
        max_length=limits.NAME_MAX_CHARACTERS,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autofocus": True, "spellcheck": "false", "class": "data"}
        ),
    )


class DeletionForm(forms.Form):
    """The collection's name, typed again."""

    typed_name = forms.CharField(
        label="Name of the collection",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        strip=False,
    )


class InvitationForm(forms.Form):
    """Who to invite, and the role."""

    note = forms.CharField(
        label="Who it is for",
        help_text="A note that helps you to recognise the link.",
        max_length=limits.INVITATION_NOTE_MAX_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    role = forms.ChoiceField(
        label="Role",
        choices=[
            (Role.MEMBER, "Member: reads and writes the data"),
            (Role.READER, "Read-only: sees the data, changes nothing"),
            (Role.OWNER, "Owner: also manages data keys, people and settings"),
        ],
        widget=forms.RadioSelect,
        initial=Role.MEMBER,
    )
