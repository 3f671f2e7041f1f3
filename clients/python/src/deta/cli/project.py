"""What a project's folder knows of its Micro: `.deta/state.json` in it, as `deta new` and `deta clone` write it.

Paths are the folder's own: neither its parents nor the folders in it are looked at.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Optional

from deta.cli import files
from deta.cli.errors import CliError


@dataclass
class State:
    """Which Micro the folder is of, and which deployment was sent from here last."""

    server: str
    collection_id: str
    micro_id: str
    name: str
    runtime: str = ""
    deployment_id: str = ""


def state_path(folder: Path) -> Path:
    return folder / ".deta" / "state.json"


def find(folder: Path) -> Optional[State]:
    """The folder's state, None where it has none. Raises CliError for a damaged file."""
    path = state_path(folder)
    advice = "delete it, then get the Micro again with `deta clone`"
    value = files.read_object(path, advice=advice)
    if value is None:
        return None
    known: dict[str, Any] = {each.name: value[each.name] for each in fields(State) if each.name in value}
    try:
        state = State(**known)
    except TypeError:
        raise CliError(f"{path} is damaged: {advice}") from None
    if not all(isinstance(text, str) for text in known.values()):
        raise CliError(f"{path} is damaged: {advice}")
    return state


def load(folder: Path) -> State:
    """The folder's state. Raises CliError where it has none, or a damaged one."""
    state = find(folder)
    if state is None:
        raise CliError(f"No Micro in {folder.resolve()}: make one with `deta new`, or get one with `deta clone`")
    return state


def save(folder: Path, state: State) -> None:
    """Raises CliError."""
    files.write_object(state_path(folder), asdict(state))
