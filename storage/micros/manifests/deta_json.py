"""`deta.json`, as the original's Deploy button read it: name, description, runtime, variables and a cron expression."""

from typing import Any

import msgspec

from storage import limits
from storage.micros.manifests.manifest import Checked, Manifest, Variable

NAME = "deta.json"


def read(content: bytes, checked: Checked) -> Manifest:
    """What it declares; `checked` has what is wrong with it. Keys that are not known are passed over."""
    try:
        found = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        checked.complain(f"it is no JSON: {str(error)[:200]}")
        return Manifest(NAME)
    if not isinstance(found, dict):
        checked.complain("it is no JSON object")
        return Manifest(NAME)
    return Manifest(
        NAME,
        name=checked.text(found.get("name"), "`name`", most=limits.MICRO_NAME_MAX_CHARACTERS),
        description=checked.description(found.get("description"), "`description`"),
        runtime=checked.runtime(found.get("runtime"), "`runtime`"),
        variables=_variables(found.get("env"), checked),
        cron=checked.text(found.get("cron"), "`cron`", most=limits.MANIFEST_CRON_MAX_CHARACTERS),
    )


def _variables(env: Any, checked: Checked) -> tuple[Variable, ...]:
    if env is None:
        return ()
    if not isinstance(env, list):
        checked.complain("`env` is not a list")
        return ()
    return checked.variables([_variable(each, number, checked) for number, each in enumerate(env, start=1)])


def _variable(asked: Any, number: int, checked: Checked) -> Variable | None:
    place = f"entry {number} of `env`"
    if not isinstance(asked, dict):
        checked.complain(f"{place} is not an object")
        return None
    name, value = asked.get("key"), asked.get("value")
    named = name if isinstance(name, str) and name else place
    if isinstance(value, bool | int | float):
        value = msgspec.json.encode(value).decode()
    elif value is not None and not isinstance(value, str):
        checked.complain(f"the value of {named} is not a text")
        return None
    required = checked.boolean(asked.get("required"), f"`required` of {named}")
    return checked.variable(
        name, f"{place} (`key`)", description=asked.get("description"), value=value or "", is_required=required
    )
