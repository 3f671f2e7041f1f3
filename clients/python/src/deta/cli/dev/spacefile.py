"""The Micros of a Spacefile as far as running them here takes: where each lies, its command, and which addresses are its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from deta.cli.errors import CliError

NAME = "Spacefile"
_MAX_BYTES = 65_536
# What starts the pages of each engine while they are written; others say it by `dev`.
_USUAL = {
    "react": "npm run start -- --port $PORT",
    "vue": "npm run dev -- --port $PORT",
    "svelte": "npm run dev -- --port $PORT",
    "next": "npm run dev -- --port $PORT",
    "nuxt": "npm run dev -- --port $PORT",
    "svelte-kit": "npm run dev -- --port $PORT",
}


@dataclass(frozen=True)
class Part:
    """One Micro: `route` is where it is served, `/` or `/api`; `command` is for a shell."""

    name: str
    folder: Path
    command: str
    route: str


def read(folder: Path) -> Optional[list[Part]]:
    """Those of the folder's Spacefile; None where there is none. Raises CliError."""
    path = folder / NAME
    if not path.is_file():
        return None
    found = _load(path)
    micros = found.get("micros") if isinstance(found, dict) else None
    if not isinstance(micros, list) or not micros or not all(isinstance(each, dict) for each in micros):
        raise CliError(f"{NAME}: it has no list of `micros`")
    parts = [_part(each, folder, count=len(micros)) for each in micros]
    routes = [part.route for part in parts]
    if len(set(routes)) < len(routes):
        raise CliError(f"{NAME}: two of its micros are at {max(routes, key=routes.count)}: give one another `path`")
    return parts


def _load(path: Path) -> Any:
    import yaml

    try:
        content = path.read_bytes()
        if len(content) > _MAX_BYTES:
            raise CliError(f"{NAME}: it has more than {_MAX_BYTES:,} bytes")
        # Texts alone: a bare `no` is what it looks like, and nothing is made of a tag.
        return yaml.load(content.decode("utf-8-sig"), yaml.BaseLoader)  # noqa: S506
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise CliError(f"{NAME}: it is no YAML that can be read: {' '.join(str(error).split())[:300]}") from None


def _part(about: dict[str, Any], folder: Path, *, count: int) -> Part:
    name = _text(about, "name")
    if not name:
        raise CliError(f"{NAME}: one of its micros has no `name`")
    command = _text(about, "dev") or _USUAL.get(_text(about, "engine").lower(), "")
    if not command:
        raise CliError(f"{NAME}: “{name}” has no `dev`, the command that starts it while you work on it")
    place = folder / (_text(about, "src") or ".")
    if not place.is_dir():
        raise CliError(f"{NAME}: the `src` of “{name}” is no folder: {place}")
    is_primary = count == 1 or _text(about, "primary").lower() == "true"
    route = "/" if is_primary else f"/{(_text(about, 'path') or name).strip('/')}"
    if "/" in route[1:]:
        raise CliError(f"{NAME}: the `path` of “{name}” has more than one step")
    return Part(name, place, command, route)


def _text(about: dict[str, Any], name: str) -> str:
    value = about.get(name) or ""
    if not isinstance(value, str):
        raise CliError(f"{NAME}: `{name}` of one of its micros is not a text")
    return value.strip()
