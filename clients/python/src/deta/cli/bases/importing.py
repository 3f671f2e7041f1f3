"""`deta base import`: a file or standard input into a Base, with how far it has come."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Callable, Optional

import click

from deta.cli.bases import records
from deta.cli.bases.exporting import kind_of
from deta.cli.bases.imports import Importer, with_key
from deta.cli.bases.item_calls import Stored
from deta.cli.bases.journal import Journal
from deta.cli.bases.records import Record
from deta.cli.errors import CliError
from deta.cli.place import Place
from deta.cli.says import progress, warn
from deta.items import Item

_STDIN = Path("-")


class _Counted:
    """A stream that tells how many bytes of it were read."""

    def __init__(self, stream: IO[bytes], moved: Callable[[int], None]) -> None:
        self._stream = stream
        self._moved = moved

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        self._moved(len(chunk))
        return chunk

    read1 = read


def import_items(
    place: Place,
    base: str,
    source: Path,
    *,
    kind: Optional[str],
    key_attribute: Optional[str],
    is_resumed: bool,
    is_dry: bool,
) -> None:
    """Raises CliError, which says how many items were stored before."""
    journal = None if source == _STDIN or is_dry else _journal(place, base, source, f"{kind} {key_attribute}")
    if is_resumed and journal is None:
        raise click.UsageError("Only the import of a file can go on: standard input is there once")
    skipped = journal.stored if journal and is_resumed else 0
    at = place.base(base)

    def put(items: list[Item]) -> Stored:
        return Stored(items, []) if is_dry else at.call(at.items.put(items))

    importer = Importer(put, told=lambda stored: journal.note(stored) if journal else None)
    importer.stored = skipped
    with ExitStack() as stack:
        stream = _open(source, base, stack)
        found = (
            with_key(record, key_attribute) for record in _behind(records.read(stream, kind_of(source, kind)), skipped)
        )
        try:
            importer.run(found)
        except BaseException as error:
            if journal and importer.stored:
                journal.note(importer.stored, now=True)
            _say_where(importer.stored, can_resume=journal is not None, is_dry=is_dry)
            if isinstance(error, OSError) and not isinstance(error, ConnectionError):
                raise CliError(f"{source} cannot be read: {error.strerror}") from None
            raise
    if journal:
        journal.forget()
    count = importer.stored - skipped
    done = "would be stored" if is_dry else "stored"
    before = f", {skipped:,} had been before" if skipped else ""
    warn(f"{count:,} {'item' if count == 1 else 'items'} {done}{before}")


def _journal(place: Place, base: str, source: Path, how: str) -> Journal:
    try:
        return Journal(source, target=f"{place.server.url} {place.id} {base}", how=how)
    except OSError as error:
        raise CliError(f"{source} cannot be read: {error.strerror}") from None


def _open(source: Path, base: str, stack: ExitStack) -> IO[bytes]:
    if source == _STDIN:
        return sys.stdin.buffer
    try:
        size = source.stat().st_size
        file = stack.enter_context(source.open("rb"))
    except OSError as error:
        raise CliError(f"{source} cannot be read: {error.strerror}") from None
    return _Counted(file, stack.enter_context(progress(f"Importing {base}", size)))  # type: ignore[return-value]


def _behind(found: Iterator[Record], skipped: int) -> Iterator[Record]:
    return (record for record in found if record.number > skipped)


def _say_where(stored: int, *, can_resume: bool, is_dry: bool) -> None:
    if is_dry or not stored:
        return
    how = "run it again with --resume to go on there" if can_resume else "run it again: nothing is doubled"
    warn(f"The first {stored:,} items were stored; {how}.")
