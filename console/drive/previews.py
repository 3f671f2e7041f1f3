"""Previews of files: media by address, text as sanitised HTML. Nothing is unpacked or run.

Files are untrusted. Text is laid out in a helper, which is ended when it takes too long: then the text is shown as it is. Long
tables and texts are cut; a table is passed over once, so that needs no helper.
"""

import csv
from dataclasses import dataclass, field, replace
from io import StringIO
from itertools import islice

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from console.bounded_work.helpers import Busy, Stopped
from console.drive.content_sniffing import DisplayPolicy, read_text
from console.drive.display_policies import display_policy_of
from console.drive.preview_work import run
from storage import limits
from storage.drive import files, folders
from storage.drive.files import StoredFile
from storage.drive.folders import Neighbours
from storage.postgres.database import release_connection

_DELIMITERS = ",;\t|"
_AS_IT_IS = "It would take too long to lay out this text, so it is shown as it is."
_BUSY = "The server is busy, so this text is shown as it is. Try again in a moment."


@dataclass(frozen=True, slots=True)
class Preview:
    """One file as it is shown: `html` of a text, `rows` of a table, or neither for what the browser shows by itself.

    `notes` say what is left out, or why nothing is shown.
    """

    name: str
    file: StoredFile
    policy: DisplayPolicy
    neighbours: Neighbours
    html: SafeString | str = ""
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        return folders.label_of(self.name)


def make_preview(*, drive_id: int, name: str, file: StoredFile) -> Preview:
    """Raises EngineUnreachable and BlobMissing."""
    policy = display_policy_of(file, name)
    neighbours = folders.find_neighbours(drive_id=drive_id, name=name)
    notes = [policy.why_not] if policy.why_not else []
    if policy.kind not in ("text", "json", "csv", "markdown"):
        return Preview(name, file, policy, neighbours, notes=notes)
    release_connection()
    data = files.read_start(file, limits.PREVIEW_TEXT_BYTES)
    is_cut = file.size_bytes > len(data)
    text = read_text(data)
    if text is None:
        # Its beginning is text, what follows is not.
        return Preview(name, file, DisplayPolicy("other", policy.sniffed), neighbours, notes=notes)
    if is_cut:
        notes.append(f"Only the first {limits.PREVIEW_TEXT_BYTES // 1024} KB are shown.")
    if policy.kind == "csv":
        rows, more = _read_table(text, notes)
        return Preview(name, file, policy, neighbours, rows=rows, notes=notes + more)
    try:
        html, more = run("lay_out", policy.kind, text, name, file.content_type, not is_cut)
    except (Stopped, Busy) as error:
        notes.append(_AS_IT_IS if isinstance(error, Stopped) else _BUSY)
        return Preview(name, file, replace(policy, kind="text"), neighbours, html=escape(text), notes=notes)
    safe = mark_safe(html)  # noqa: S308 (every piece of it was escaped or went through an allow-list)
    return Preview(name, file, policy, neighbours, html=safe, notes=notes + more)


def _read_table(text: str, notes: list[str]) -> tuple[list[list[str]], list[str]]:
    """The first rows of a table, all of one length, and what has to be said of it."""
    first_line = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first_line.count)
    try:
        found = list(islice(csv.reader(StringIO(text, newline=""), delimiter=delimiter), limits.PREVIEW_ROWS + 1))
    except csv.Error as error:
        return [[line] for line in text.splitlines()[: limits.PREVIEW_ROWS]], [f"This is not a valid table: {error}."]
    said = []
    if len(found) > limits.PREVIEW_ROWS:
        said.append(f"Only the first {limits.PREVIEW_ROWS} rows are shown.")
    width = max(map(len, found), default=0)
    if width > limits.PREVIEW_COLUMNS:
        said.append(f"Only the first {limits.PREVIEW_COLUMNS} of {width} columns are shown.")
    width = min(width, limits.PREVIEW_COLUMNS)
    return [row[:width] + [""] * (width - len(row)) for row in found[: limits.PREVIEW_ROWS]], said
