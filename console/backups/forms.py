"""The form for where backups go and how often. Storage validates; its error becomes the form's error."""

from typing import Any

from django import forms

from storage.backups.plans import BOUNDS, Plan


def _number(name: str, label: str, help_text: str) -> forms.IntegerField:
    least, most = BOUNDS[name]
    return forms.IntegerField(label=label, help_text=help_text, min_value=least, max_value=most)


class PlanForm(forms.Form):
    """What the environment sets is shown, and can't be changed here."""

    target = forms.CharField(
        label="Target",
        help_text="A folder on another disk, such as /backup/homeport, or s3://bucket/prefix. Empty: no backups.",
        required=False,
        max_length=1_000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    every_hours = _number("every_hours", "Hours between backups", "Every change in between is kept as well.")
    full_every_days = _number("full_every_days", "Days between whole ones", "The others have only what changed.")
    keep_days = _number("keep_days", "Days to keep", "So long every moment can be brought back.")
    drill_every_days = _number("drill_every_days", "Days between drills", "0 for none.")

    def __init__(self, plan: Plan, posted: Any = None) -> None:
        values = plan._asdict()
        super().__init__(posted, initial=values)
        for name in plan.fixed:
            self.fields[name].disabled = True
            self.fields[name].help_text = f"Set by HOMEPORT_BACKUP_{name.upper()} in the server's environment."
