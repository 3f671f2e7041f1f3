"""The forms around an account; names and passwords follow Django's own rules."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm, UserCreationForm
from django.contrib.auth.models import User


class SignInForm(AuthenticationForm):
    """One message for every failure: it does not reveal whether the name exists."""

    error_messages = dict.fromkeys(("invalid_login", "inactive"), "The name or the password is wrong.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "Name"


class NewAccountForm(UserCreationForm):
    """Name and password for a new account. The password is asked for once, and can be looked at."""

    class Meta(UserCreationForm.Meta):
        model = User
        labels = {"username": "Name"}
        help_texts = {"username": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs["autocomplete"] = "username"
        self.fields["password1"].help_text = "10 characters or more, and not a common password."
        del self.fields["password2"]

    def validate_password_for_user(self, user: Any, password_field_name: str = "password1") -> None:  # noqa: S107 (a field's name)
        super().validate_password_for_user(user, password_field_name)


class NewPasswordForm(PasswordChangeForm):
    """The old password and the new one, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "Current password"
        self.fields["old_password"].widget.attrs.pop("autofocus", None)
        self.fields["new_password1"].help_text = "10 characters or more, and not a common password."
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""


class FirstPasswordForm(SetPasswordForm):
    """A password for somebody who has none: they came through the OpenID Connect provider."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].label = "Password"
        self.fields["new_password1"].help_text = "10 characters or more, and not a common password."
        self.fields["new_password2"].label = "Password again"
        self.fields["new_password2"].help_text = ""
