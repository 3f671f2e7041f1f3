"""The forms around the second factor."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from console.accounts.second_factor.passkeys import ANSWER_MAX_CHARACTERS, NAME_MAX_CHARACTERS

_CODE_MAX_CHARACTERS = 32
_PASSWORD_MAX_CHARACTERS = 4096
_TYPED = "From your authenticator app, or one of your recovery codes."


def _code_field(label: str, help_text: str = "") -> forms.CharField:
    attrs = {"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"}
    return forms.CharField(
        label=label, help_text=help_text, max_length=_CODE_MAX_CHARACTERS, widget=forms.TextInput(attrs=attrs)
    )


class SecondStepForm(forms.Form):
    """What is typed after the password."""

    code = _code_field("Code", _TYPED)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autofocus"] = True


class AppForm(forms.Form):
    """The first code of an app that is being set up."""

    code = _code_field("Code that the app shows")


class PasskeyNameForm(forms.Form):
    """What a person calls a passkey."""

    name = forms.CharField(
        label="Name",
        help_text="So that you know it again: the device, or where it is kept.",
        max_length=NAME_MAX_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class NewPasskeyForm(PasskeyNameForm):
    """A name, and what the browser answered."""

    answer = forms.CharField(max_length=ANSWER_MAX_CHARACTERS, widget=forms.HiddenInput)


class ProofForm(forms.Form):
    """Who asks for something that matters shows again who they are: by the password, or by a code where there is none."""

    def __init__(self, person: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asks_password = person.has_usable_password()
        if self.asks_password:
            self.fields["proof"] = forms.CharField(
                label="Your password",
                max_length=_PASSWORD_MAX_CHARACTERS,
                strip=False,
                widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
            )
        else:
            self.fields["proof"] = _code_field("Code", _TYPED)
