"""The forms of Micros. Storage checks what they say; its error becomes the field's error."""

from typing import Any

from django import forms
from django.conf import settings

from storage import limits
from storage.errors import StorageError

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


def put_error(form: forms.Form, error: StorageError, **fields: str) -> None:
    """What storage says is wrong, at the first of these fields of whose error it speaks; at the whole form for none."""
    text = " ".join(f"{message.rstrip('.')}." for message in error.messages)
    field = next((field for field, word in fields.items() if word in text), None)
    form.add_error(field, text)


class MicroForm(forms.Form):
    """What a new Micro is called, and where it is reached."""

    name = forms.CharField(
        max_length=limits.MICRO_NAME_MAX_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    subdomain = forms.CharField(
        label="Sub-domain",
        required=False,
        help_text="4 to 32 letters (a-z), digits and “-”. Leave it empty to take the suggestion.",
        widget=forms.TextInput(attrs={**_PLAIN, "class": "data"}),
    )


class NameForm(forms.Form):
    """Another name."""

    name = forms.CharField(
        max_length=limits.MICRO_NAME_MAX_CHARACTERS, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class AddressForm(forms.Form):
    """Another sub-domain."""

    subdomain = forms.CharField(
        label="Sub-domain",
        help_text="4 to 32 letters (a-z), digits and “-”.",
        widget=forms.TextInput(attrs={**_PLAIN, "class": "data"}),
    )


class RunningForm(forms.Form):
    """Who gets in, when it sleeps, and what runs it."""

    has_sign_in = forms.BooleanField(
        label="Ask for sign-in",
        help_text="Lets in people of this collection, and callers with an API key. Without it anybody can call the Micro.",
        required=False,
    )
    is_recorded = forms.BooleanField(
        label="Record requests",
        help_text="The Visor keeps each request with its answer and what the app printed meanwhile.",
        required=False,
    )
    is_kept_warm = forms.BooleanField(
        label="Keep warm", help_text="It never falls asleep, and keeps its memory.", required=False
    )
    idle_minutes = forms.IntegerField(
        label="Falls asleep after so many minutes without a request",
        min_value=1,
        max_value=limits.MICRO_IDLE_MINUTES_MAX,
        widget=forms.NumberInput(attrs={"autocomplete": "off"}),
    )
    runtime = forms.CharField(
        help_text="For example python3.11 or nodejs20. Another one counts from the next deployment on.",
        required=False,
        widget=forms.TextInput(attrs={**_PLAIN, "class": "data"}),
    )


class ValueField(forms.CharField):
    """A variable's value, whose lines end as they do on Linux: a browser sends them as they end on Windows."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return text.replace("\r\n", "\n")


class _LongField(forms.IntegerField):
    """How long a run may take, in minutes; none is as long as a request."""

    def __init__(self) -> None:
        super().__init__(
            label="Minutes it may take",
            required=False,
            min_value=1,
            max_value=limits.MICRO_RUN_SECONDS_MAX // 60,
            help_text=f"Empty: as long as a request, {settings.MICRO_REQUEST_SECONDS:g} seconds. At most 60 minutes.",
            widget=forms.NumberInput(attrs={"autocomplete": "off"}),
        )


class ScheduleForm(forms.Form):
    """When the cron functions run."""

    expression = forms.CharField(
        label="Runs",
        max_length=limits.MICRO_EXPRESSION_MAX_CHARACTERS,
        help_text="A rate, or a cron expression of six fields. Times are in UTC.",
        widget=forms.TextInput(attrs={**_PLAIN, "class": "data", "placeholder": "5 minutes"}),
    )
    minutes = _LongField()


class RunForm(forms.Form):
    """What is run, and with what."""

    action = forms.CharField(
        required=False,
        max_length=limits.MICRO_ACTION_MAX_CHARACTERS,
        help_text="The one that the function is for; empty for the function without one.",
        widget=forms.TextInput(attrs={**_PLAIN, "class": "data"}),
    )
    input = forms.CharField(
        required=False,
        strip=False,
        max_length=limits.MICRO_RUN_INPUT_MAX_BYTES,
        help_text="JSON, or words as in a terminal: --name value, and -name for what is only true.",
        widget=forms.Textarea(attrs={**_PLAIN, "class": "data", "rows": 4}),
    )
    minutes = _LongField()


class VariableForm(forms.Form):
    """One variable."""

    name = forms.CharField(
        max_length=limits.MICRO_VARIABLE_NAME_MAX_CHARACTERS,
        widget=forms.TextInput(attrs={**_PLAIN, "class": "data"}),
    )
    # A password field would have the browser offer to keep it. It is written here, and shown nowhere again.
    value = ValueField(required=False, strip=False, widget=forms.Textarea(attrs={**_PLAIN, "class": "data", "rows": 2}))


class ValueForm(forms.Form):
    """Another value of a variable."""

    value = ValueField(
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={**_PLAIN, "class": "data", "rows": 3, "autofocus": True}),
    )


class PasteForm(forms.Form):
    """The lines of a `.env` file."""

    lines = forms.CharField(
        label="Lines of a .env file",
        help_text="NAME=value, one on each line. Variables that you name here get these values; the others stay.",
        widget=forms.Textarea(attrs={**_PLAIN, "class": "data", "rows": 8, "autofocus": True}),
        max_length=4 * limits.MICRO_VARIABLES_MAX_BYTES,
    )
    replaces = forms.BooleanField(label="Remove the variables that are not among them", required=False)


class DomainForm(forms.Form):
    """A name of somebody's own."""

    domain = forms.CharField(
        help_text="Such as app.example.org.",
        widget=forms.TextInput(attrs={**_PLAIN, "class": "data", "inputmode": "url"}),
    )


class ApiKeyForm(forms.Form):
    """A new API key."""

    name = forms.CharField(
        help_text="For example, the program that calls the Micro with it.",
        max_length=limits.DATA_KEY_NAME_MAX_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    description = forms.CharField(
        required=False,
        max_length=limits.MICRO_TEXT_MAX_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class DeletionForm(forms.Form):
    """The Micro's name, typed again."""

    typed_name = forms.CharField(label="Name of the Micro", widget=forms.TextInput(attrs=_PLAIN), strip=False)


def running_values(micro: Any) -> dict[str, Any]:
    """What `RunningForm` begins with."""
    return {name: getattr(micro, name) for name in RunningForm.base_fields}
