"""A Spacefile, as the later service had it: an app of several Micros, of which one is deployed as one Micro here.

Which one: that of the name that is asked for, else the primary one, else the first that can run here.
"""

import posixpath
from dataclasses import dataclass
from typing import Any

from storage import limits
from storage.errors import InvalidInput
from storage.micros.manifests import plain_yaml
from storage.micros.manifests.cron_fields import as_six_fields
from storage.micros.manifests.manifest import Checked, Manifest, Variable

NAME = "Spacefile"
# What has to be built into pages before anything can be served.
_BUILT = frozenset(["static", "react", "svelte", "vue", "next", "nuxt", "svelte-kit"])
_ANY = "custom"


@dataclass(frozen=True, slots=True)
class _Part:
    """One of its Micros, as far as it is needed to choose."""

    name: str
    engine: str
    is_primary: bool
    about: dict[str, Any]

    @property
    def can_run(self) -> bool:
        return self.engine not in _BUILT


def read(content: bytes, checked: Checked, *, wanted: str = "") -> Manifest:
    """What it declares of the Micro in it that is `wanted`; `checked` has what is wrong with it."""
    try:
        found = plain_yaml.load(content)
    except InvalidInput as error:
        checked.complain(error.messages[0])
        return Manifest(NAME)
    micros = found.get("micros") if isinstance(found, dict) else None
    if not isinstance(micros, list) or not micros:
        checked.complain("it has no list of `micros`")
        return Manifest(NAME)
    parts = [part for number, each in enumerate(micros, 1) if (part := _part(each, number, len(micros), checked))]
    if checked.faults:
        return Manifest(NAME)
    chosen = _choose(parts, wanted)
    if not chosen.can_run:
        checked.complain(
            f"the engine of “{chosen.name}” is {chosen.engine}, which has to be built into pages first: "
            "a Micro here is Python or Node code"
        )
        return Manifest(NAME)
    name = checked.text(found.get("app_name"), "`app_name`", most=limits.MICRO_NAME_MAX_CHARACTERS)
    return _manifest(chosen, parts, name if len(parts) == 1 and name else chosen.name, checked)


def _part(asked: Any, number: int, count: int, checked: Checked) -> _Part | None:
    place = f"number {number} of its `micros`"
    if not isinstance(asked, dict):
        checked.complain(f"{place} is not a mapping")
        return None
    name = checked.text(asked.get("name"), f"the name of {place}", most=limits.MICRO_NAME_MAX_CHARACTERS)
    if not name:
        checked.complain(f"{place} has no `name`")
    engine = checked.text(asked.get("engine"), f"the engine of “{name}”", most=100).lower()
    if not engine:
        checked.complain(f"“{name}” has no `engine`, such as python3.9 or nodejs16")
    is_primary = checked.boolean(asked.get("primary"), f"`primary` of “{name}”")
    return _Part(name, engine, is_primary or count == 1, asked)


def _choose(parts: list[_Part], wanted: str) -> _Part:
    named = [part for part in parts if wanted and part.name.casefold() == wanted.casefold()]
    runnable = [part for part in parts if part.can_run]
    primary = [part for part in runnable if part.is_primary]
    return [*named, *primary, *runnable, *parts][0]


def _manifest(part: _Part, parts: list[_Part], name: str, checked: Checked) -> Manifest:
    asked = part.about
    return Manifest(
        NAME,
        name=name,
        runtime="" if part.engine == _ANY else checked.runtime(part.engine, f"the engine of “{part.name}”"),
        variables=_variables(asked.get("presets"), part.name, checked),
        cron=_cron(asked.get("actions"), part.name, checked),
        part=part.name,
        folder=_folder(asked.get("src"), part.name, checked),
        other_parts=tuple(each.name for each in parts if each.can_run and each is not part),
    )


def _folder(src: Any, name: str, checked: Checked) -> str:
    text = checked.text(src, f"`src` of “{name}”", most=1_000)
    within = posixpath.normpath(text or ".")
    if within.startswith(("/", "..")):
        checked.complain(f"`src` of “{name}” leads out of the folder")
        return ""
    return "" if within == "." else within


def _variables(presets: Any, name: str, checked: Checked) -> tuple[Variable, ...]:
    env = presets.get("env") if isinstance(presets, dict) else None
    if not env:
        return ()
    if not isinstance(env, list):
        checked.complain(f"`presets.env` of “{name}” is not a list")
        return ()
    return checked.variables(
        [_variable(each, f"entry {number} of `presets.env`", checked) for number, each in enumerate(env, 1)]
    )


def _variable(asked: Any, place: str, checked: Checked) -> Variable | None:
    if not isinstance(asked, dict):
        checked.complain(f"{place} is not a mapping")
        return None
    value = asked.get("default") or ""
    if not isinstance(value, str):
        checked.complain(f"the default of {asked.get('name') or place} is not a text")
        return None
    # Nothing in a Spacefile says that a variable has to have a value.
    description = asked.get("description")
    return checked.variable(
        asked.get("name"), f"{place} (`name`)", description=description, value=value, is_required=False
    )


def _cron(actions: Any, name: str, checked: Checked) -> str:
    """Of the first action that runs on a schedule: a Micro has one."""
    if not actions:
        return ""
    if not isinstance(actions, list):
        checked.complain(f"`actions` of “{name}” is not a list")
        return ""
    for each in actions:
        if isinstance(each, dict) and each.get("default_interval"):
            what = f"`default_interval` of an action of “{name}”"
            text = checked.text(each["default_interval"], what, most=limits.MANIFEST_CRON_MAX_CHARACTERS)
            return as_six_fields(text)
    return ""
