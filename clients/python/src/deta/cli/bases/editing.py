"""`deta base edit`: items in an editor, the difference shown, and saved when the person says so."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from deta.cli import exact_json
from deta.cli.bases import edits, queries
from deta.cli.bases.edits import BadEdit, Edit, Loaded
from deta.cli.bases.item_calls import read_object
from deta.cli.errors import CliError
from deta.cli.place import BasePlace, Place
from deta.cli.says import warn
from deta.cli.shown import confirm
from deta.items import Item
from deta.wire import JSON_HEADERS, Call, Request

_COLOURS = {"+": "green", "-": "red", "~": "yellow"}
_SAVE_SECONDS = 120.0


def edit_items(place: Place, base: str, text: str, *, limit: int, is_sure: bool) -> None:
    """Raises CliError. What was edited and could not be saved stays in its file, whose path is said."""
    at = place.base(base)
    loaded, has_more = _load(place, at, text, limit)
    if not loaded:
        raise CliError(f"Nothing in “{base}” matches, so there is nothing to edit")
    if has_more:
        warn(f"These are the first {len(loaded):,} items; more match.")
    folder = Path(tempfile.mkdtemp(prefix="deta-"))
    file = folder / f"{base}.json"
    file.write_text(edits.write([each.item for each in loaded]), encoding="utf-8")
    try:
        changes = edits.compare(loaded, _edit(file))
        if not changes:
            warn("Nothing changed")
        else:
            _show(changes)
            confirm(f"Save {edits.count(changes)}?", is_sure=is_sure)
            _save(at, changes)
    except BaseException:
        warn(f"What you edited is in {file}")
        raise
    shutil.rmtree(folder)


def _load(place: Place, at: BasePlace, text: str, limit: int) -> tuple[list[Loaded], bool]:
    loaded: list[Loaded] = []
    for page in queries.pages(place, at, text, limit=limit + 1):
        loaded += map(Loaded, page.items, page.revisions)
    return loaded[:limit], len(loaded) > limit


def _edit(file: Path) -> list[Item]:
    """The items as the person leaves them; a mistake is said, and opened again. Raises BadEdit where nobody can answer."""
    while True:
        _open_editor(file)
        try:
            return edits.read(file.read_text(encoding="utf-8"))
        except (BadEdit, UnicodeDecodeError) as error:
            if not sys.stdin.isatty():
                raise BadEdit(str(error)) from None
            warn(str(error))
            click.confirm("Edit it again?", default=True, abort=True, err=True)


def _open_editor(file: Path) -> None:
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ("notepad" if os.name == "nt" else "vi")
    try:
        command = [*shlex.split(named, posix=os.name != "nt"), str(file)]
        ended = subprocess.run(command, check=False)
    except (OSError, ValueError) as error:
        raise CliError(f"The editor `{named}` does not start: {error}. EDITOR says which one it is") from None
    if ended.returncode != 0:
        raise CliError(f"The editor `{named}` ended with {ended.returncode}, so nothing is saved")


def _show(changes: Sequence[Edit]) -> None:
    for change in changes:
        colour = None
        for sign, text in edits.show(change):
            colour = _COLOURS.get(sign, colour)
            click.secho(f"{'   ' if sign == ' ' else sign} {text}", fg=colour)


def _save(at: BasePlace, changes: Sequence[Edit]) -> None:
    """Raises CliError when anything was refused; the rest is saved then."""
    asked = {"save": str(uuid.uuid4()), "changes": edits.to_request(changes)}
    what = f"save in Base “{at.name}”"
    # Sent again under its id it applies nothing twice.
    request = Request("POST", "/saves", what, exact_json.encode(asked), JSON_HEADERS, read_seconds=_SAVE_SECONDS)
    results = at.ask(Call(request, read_object))["results"]
    refused = [line for result in results if (line := _refusal(result))]
    saved = len(results) - len(refused)
    warn(f"Saved {saved:,} {'change' if saved == 1 else 'changes'}")
    for line in refused:
        warn(line)
    if refused:
        raise CliError(f"{len(refused):,} of {len(results):,} changes were refused")


def _refusal(result: dict[str, Any]) -> str:
    key = f"“{result['key']}”"
    if result["outcome"] == "clash":
        theirs = {name: text if text is not None else "(removed)" for name, text in result["theirs"].items()}
        by = f" by {result['changed_by']}" if result.get("changed_by") else ""
        now = "".join(f"; {name} is {text} now" for name, text in theirs.items())
        return f"{key} was changed meanwhile{by}{now}"
    if result["outcome"] == "gone":
        return f"{key} was deleted meanwhile"
    return f"{key}: {result['why']}" if result["outcome"] == "refused" else ""
