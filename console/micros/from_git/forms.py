"""The forms on the way from a repository's address to a Micro."""

from typing import Any

from django import forms

from console.micros.forms import MicroForm, ValueField
from storage import limits
from storage.micros.manifests.manifest import Manifest, Variable

_PLAIN = {"autocomplete": "off", "spellcheck": "false", "class": "data"}
_PREFIX = "variable-"


class AddressForm(forms.Form):
    """Which repository, and for which collection."""

    repo = forms.CharField(
        label="Public git repository",
        max_length=limits.GIT_ADDRESS_MAX_CHARACTERS,
        help_text="Such as https://github.com/you/app; for a branch, put # and its name behind it.",
        widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "url"}),
    )
    collection = forms.ChoiceField(help_text="The Micro can read and change the data of this collection.")
    # The Micro of a Spacefile that is meant.
    part = forms.CharField(required=False, max_length=limits.MICRO_NAME_MAX_CHARACTERS, widget=forms.HiddenInput)

    def __init__(self, *arguments: Any, collections: list[tuple[str, str]], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.fields["collection"].choices = collections  # type: ignore[attr-defined]


class FetchedForm(MicroForm):
    """What the new Micro is called, the variables that its app declares, and its schedule."""

    def __init__(self, *arguments: Any, manifest: Manifest, **more: Any) -> None:
        super().__init__(*arguments, **more)
        for each in manifest.variables:
            self.fields[f"{_PREFIX}{each.name}"] = _field_of(each)
        if manifest.cron:
            self.fields["cron"] = forms.CharField(
                label="Schedule",
                help_text="When its cron functions run, in UTC. Leave it empty for none.",
                max_length=limits.MANIFEST_CRON_MAX_CHARACTERS,
                initial=manifest.cron,
                required=False,
                widget=forms.TextInput(attrs=_PLAIN),
            )

    def values(self) -> dict[str, str]:
        """The variables as they were filled in: what was left empty is left out, unless the app has another value for it."""
        said = {
            name.removeprefix(_PREFIX): value for name, value in self.cleaned_data.items() if name.startswith(_PREFIX)
        }
        return {name: value for name, value in said.items() if value or self.fields[f"{_PREFIX}{name}"].initial}

    @property
    def variables(self) -> list[Any]:
        """Their fields, those that are needed first."""
        mine = [field for field in self.visible_fields() if field.name.startswith(_PREFIX)]
        return sorted(mine, key=lambda field: not field.field.required)


def _field_of(variable: Variable) -> ValueField:
    # What the app's author wrote is known to everybody; what a person types may be a secret, and is not shown.
    kind = forms.TextInput if variable.value else forms.PasswordInput
    widget = kind(attrs={**_PLAIN, "autocomplete": "off" if variable.value else "new-password"})
    if isinstance(widget, forms.PasswordInput):
        widget.render_value = True  # else what was typed is gone when another field is wrong
    return ValueField(
        label=variable.name,
        help_text=variable.description,
        initial=variable.value,
        required=variable.is_required,
        strip=False,
        widget=widget,
    )
