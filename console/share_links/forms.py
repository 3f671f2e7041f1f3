"""The forms of share links: a new one, and the password of one."""

from django import forms

from storage import limits

_PASSWORD = forms.PasswordInput(attrs={"autocomplete": "new-password"})
_DAY = 24


class LinkForm(forms.Form):
    """How long a new link is good for, and its password."""

    hours = forms.TypedChoiceField(
        label="Ends",
        coerce=int,
        choices=[
            (1, "In an hour"),
            (_DAY, "In a day"),
            (7 * _DAY, "In a week"),
            (30 * _DAY, "In 30 days"),
            (90 * _DAY, "In 90 days"),
            (365 * _DAY, "In a year"),
        ],
        initial=7 * _DAY,
    )
    password = forms.CharField(
        label="Password",
        help_text="Whoever has the link is asked for it. Empty for none.",
        required=False,
        strip=False,
        max_length=limits.SHARE_PASSWORD_MAX_CHARACTERS,
        widget=_PASSWORD,
    )


class PasswordForm(forms.Form):
    """The password of a link."""

    password = forms.CharField(
        strip=False,
        max_length=limits.SHARE_PASSWORD_MAX_CHARACTERS,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
