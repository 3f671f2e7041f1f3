"""`deta base import`: a file or standard input goes to the server, which reads it, says what it is, and stores it.

The file is sent in parts, a part in memory at a time. What was sent stays there, so a broken import goes on where it was; once
all of it is there, the server goes on by itself.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Callable, Optional

import click

from deta.cli.bases.import_calls import ImportCalls
from deta.cli.bases.journal import Journal
from deta.cli.errors import CliError
from deta.cli.place import BasePlace, Place
from deta.cli.says import progress, warn
from deta.errors import DetaError

_STDIN = Path("-")
_ENDINGS = {"jsonl": ".jsonl", "json": ".json", "csv": ".csv"}
_SOON_SECONDS = 0.1
_LATER_SECONDS = 1.0
_PROBLEMS_SHOWN = 20


def import_items(
    place: Place,
    base: str,
    source: Path,
    *,
    kind: Optional[str],
    key: Optional[str],
    types: Mapping[str, str],
    way: Optional[str],
    is_resumed: bool,
    is_dry: bool,
) -> None:
    """Raises CliError."""
    if is_resumed and source == _STDIN:
        raise click.UsageError("Only the import of a file can go on: standard input is there once")
    at = place.base(base)
    journal = None if source == _STDIN or is_dry else _journal(place, base, source, f"{kind} {key} {way} {dict(types)}")
    with ExitStack() as stack:
        stream, size = _open(source, stack)
        name = f"{base}{_ENDINGS[kind]}" if kind else "items" if source == _STDIN else source.name
        sending = _Sending(at, journal)
        known = sending.find() if is_resumed else None
        import_ = known or sending.start(name, size, key, types)
        try:
            import_ = sending.send(stream, import_, stack.enter_context(progress(f"Sending to {base}", size)))
            import_ = sending.wait(import_, "checking")
        except (DetaError, OSError, KeyboardInterrupt) as error:
            _say_how_to_go_on(journal)
            if isinstance(error, OSError) and not isinstance(error, (DetaError, ConnectionError)):
                raise CliError(f"{source} cannot be read: {error.strerror}") from None
            raise
        _finish(sending, import_, source, way=way, is_dry=is_dry)
    if journal:
        journal.forget()


def _finish(sending: _Sending, import_: dict[str, Any], source: Path, *, way: Optional[str], is_dry: bool) -> None:
    if import_["state"] == "failed":
        sending.forget(import_)
        raise CliError(import_["reason"])
    found = [each for each in import_["found"] if each["kind"] == "base"]
    broken = [each["broken"] for each in found if each["broken"]]
    if import_["state"] == "checked":
        for each in found:
            _say_found(each)
        nothing = all(each["items"] == each["left_out"] and (each["broken"] or each["left_out"]) for each in found)
        if is_dry or nothing:
            _say_problems(import_)
            sending.forget(import_)
            if broken:
                raise CliError(f"{source} cannot be read{'' if nothing else ' to its end'}: {broken[0]}")
            if nothing:
                raise CliError(f"Nothing of {source} can be stored")
            count = sum(each["items"] - each["left_out"] for each in found)
            warn(f"{_items(count)} would be stored")
            return
        import_ = sending.wait(sending.run(import_, way), "running")
        if import_["state"] == "failed":
            raise CliError(import_["reason"])
    _say_problems(import_)
    _say_report(import_)
    if broken:
        raise CliError(f"{source} cannot be read to its end: {broken[0]}. What stands before that is stored")


class _Sending:
    """A file on its way to one Base."""

    def __init__(self, at: BasePlace, journal: Optional[Journal]) -> None:
        self._at, self._journal = at, journal
        self._calls = ImportCalls(f"Base “{at.name}”")

    def find(self) -> Optional[dict[str, Any]]:
        """The import that the file was being sent to; None when it is over, or was never begun."""
        import_id = self._journal.import_id if self._journal else None
        if import_id is None:
            return None
        try:
            found = self._at.ask(self._calls.show(import_id))
        except DetaError as error:
            if error.status == 404:
                return None
            raise
        return None if found["state"] == "failed" else found

    def start(self, name: str, size: int, key: Optional[str], types: Mapping[str, str]) -> dict[str, Any]:
        import_ = self._at.ask(self._calls.start(name, size, key, types))
        if self._journal:
            self._journal.note(import_["id"])
        return import_

    def send(self, stream: IO[bytes], import_: dict[str, Any], moved: Callable[[int], object]) -> dict[str, Any]:
        """The rest of the file, part by part."""
        part_size = import_["part_size"]
        stream.seek(import_["received"])
        moved(import_["received"])
        while import_["state"] == "uploading":
            at = import_["received"]
            content = stream.read(part_size)
            if not content:
                raise CliError("The file became shorter while it was sent: run it again")
            try:
                import_ = self._at.ask(self._calls.part(import_["id"], at, content))
            except DetaError as error:
                # What was sent twice because an answer was lost is there once.
                if error.status != 409:
                    raise
                import_ = self._at.ask(self._calls.show(import_["id"]))
                stream.seek(import_["received"])
            moved(len(content))
        return import_

    def wait(self, import_: dict[str, Any], state: str) -> dict[str, Any]:
        """The import when it is no longer in this state."""
        pause = _SOON_SECONDS
        with progress("Reading" if state == "checking" else "Storing", import_["bytes_expected"] or None) as moved:
            done = 0
            while import_["state"] == state:
                time.sleep(pause)
                pause = min(pause * 1.5, _LATER_SECONDS)
                import_ = self._at.ask(self._calls.show(import_["id"]))
                moved(max(0, import_["bytes_done"] - done))
                done = max(done, import_["bytes_done"])
        return import_

    def run(self, import_: dict[str, Any], way: Optional[str]) -> dict[str, Any]:
        return self._at.ask(self._calls.run(import_["id"], way))

    def forget(self, import_: dict[str, Any]) -> None:
        self._at.ask(self._calls.forget(import_["id"]))


def _journal(place: Place, base: str, source: Path, how: str) -> Journal:
    try:
        return Journal(source, target=f"{place.server.url} {place.id} {base}", how=how)
    except OSError as error:
        raise CliError(f"{source} cannot be read: {error.strerror}") from None


def _open(source: Path, stack: ExitStack) -> tuple[IO[bytes], int]:
    """A stream that can be read from anywhere, and its length: what comes on standard input lies in a file meanwhile."""
    stream: IO[bytes]
    try:
        if source == _STDIN:
            stream = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 -- ends with the stack
            shutil.copyfileobj(sys.stdin.buffer, stream)
        else:
            stream = stack.enter_context(source.open("rb"))
        size = stream.seek(0, 2)
    except OSError as error:
        raise CliError(f"{source} cannot be read: {error.strerror}") from None
    if size == 0:
        raise CliError(f"{'Standard input' if source == _STDIN else source} is empty")
    return stream, size


def _say_how_to_go_on(journal: Optional[Journal]) -> None:
    if journal and journal.import_id:
        warn("What was sent stays on the server: run it again with --resume to go on there.")


def _say_found(found: Mapping[str, Any]) -> None:
    left_out = f", {found['left_out']:,} of them left out" if found["left_out"] else ""
    warn(f"{found['told']}: {_items(found['items'])}{left_out}; {found['known']:,} there already, {found['new']:,} new")
    for column in found["columns"]:
        samples = ", ".join(column["samples"])
        warn(f"  {column['name']}: {column['type']}{f' ({samples})' if samples else ''}")
    if found["is_table"] and found["keyless"]:
        warn(f"  {found['keyless']:,} rows have no key and are added: --key COLUMN says which column it is")


def _say_problems(import_: Mapping[str, Any]) -> None:
    for problem in import_["problems"][:_PROBLEMS_SHOWN]:
        key = f", key {problem['key']!r}" if problem["key"] else ""
        warn(f"  {problem['spot'] or problem['place']}{key}: {problem['what']}")
    if import_["problems_total"] > _PROBLEMS_SHOWN:
        warn(f"  and {import_['problems_total'] - _PROBLEMS_SHOWN:,} more: the console's page of imports lists them")


def _say_report(import_: Mapping[str, Any]) -> None:
    for report in import_["report"]:
        left_out = sum(report["left_out"].values())
        parts = [
            (report["replaced"], "there before"),
            (report["unchanged"], "unchanged"),
            (left_out, "left out"),
        ]
        more = "".join(f", {count:,} {word}" for count, word in parts if count)
        warn(f"{_items(report['stored'])} stored{more}")


def _items(count: int) -> str:
    return f"{count:,} {'item' if count == 1 else 'items'}"
