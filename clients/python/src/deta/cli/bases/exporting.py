"""`deta base export`: streams the matches of a query to a file or to standard output."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, Optional, cast

from deta.cli.bases import exports, queries
from deta.cli.bases.exports import Format
from deta.cli.errors import CliError, ServerError
from deta.cli.place import BasePlace, Place
from deta.cli.says import progress, warn
from deta.errors import DetaError
from deta.items import Item

_KINDS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv"}
_STDOUT = Path("-")


def kind_of(path: Path, said: Optional[str]) -> Optional[Format]:
    """The format that was said, or that a file's name says; None for neither."""
    return cast(Optional[Format], said or _KINDS.get(path.suffix.lower()))


def export_items(place: Place, base: str, text: str, *, output: Path, kind: Optional[str]) -> None:
    """Raises CliError. A file is there when it is whole, and not before."""
    wanted: Format = kind_of(output, kind) or "jsonl"
    at = place.base(base)
    try:
        begun = place.server.post(place.path("bases", base, "exports"), {"q": text, "format": wanted})
    except ServerError as error:
        if error.status == 404:
            raise place.lacks("bases", base) from None
        raise
    if output == _STDOUT:
        for piece in exports.write(queries.items(place, at, text), wanted):
            sys.stdout.write(piece)
        return
    total = begun.get("matches")
    with progress(f"Exporting {base}", total) as moved:
        count = _write_file(output, _counted(place, at, text, moved), wanted)
    warn(f"Exported {count:,} {'item' if count == 1 else 'items'} to {output}")


def _counted(place: Place, at: BasePlace, text: str, moved: Callable[[int], object]) -> Iterator[Item]:
    for page in queries.pages(place, at, text):
        yield from page.items
        moved(len(page.items))


def _write_file(output: Path, items: Iterator[Item], kind: Format) -> int:
    count = 0

    def counted() -> Iterator[Item]:
        nonlocal count
        for item in items:
            count += 1
            yield item

    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            for piece in exports.write(counted(), kind):
                file.write(piece)
        Path(temporary).replace(output)
        temporary = ""
    except OSError as error:
        if isinstance(error, DetaError):
            raise
        raise CliError(f"{output} cannot be written: {error.strerror}") from None
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
    return count
