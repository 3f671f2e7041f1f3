"""What a file of items is, by its beginning and its name: a table of cells, or JSON of some shape."""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePath

from storage import limits
from storage.archive.reading.delimiters import has_equal_rows
from storage.archive.reading.documents import JsonItems, list_collections
from storage.archive.reading.encodings import Utf8
from storage.archive.reading.shapes import Shape, find_shape
from storage.archive.reading.tables import CsvItems

Chunks = Callable[[], Iterator[bytes]]
FileItems = CsvItems | JsonItems

PEEK_BYTES = 65_536
TABLES = (".csv", ".tsv", ".tab", ".psv")
LINES = (".ndjson", ".jsonl", ".ldjson")
# What pictures, archives and workbooks begin with, more than once. A text may hold one by accident.
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
# No row of a table begins so.
_JSON = re.compile(rb'\[\s*+\{\s*+["}]|\{\s*+"')
_MARK_BYTES = 16
_OTHER_THAN_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def open_items(
    open_chunks: Chunks, *, file_name: str, size_bytes: int, name: str = "", reads_text: bool = False
) -> list[FileItems]:
    """The Bases that a file of items makes: one, or one for each collection of a tree. None when it is no file of items.

    `reads_text` takes whatever is no JSON for a table, as what is pasted has no name, and a lone object for an item. Raises
    Broken for a tree that is damaged.
    """
    beginning, is_whole = peek(open_chunks)
    ending = PurePath(file_name).suffix.lower()
    is_named = bool(name)
    name = name or base_name(file_name)
    shape = None
    if ending not in TABLES or _JSON.match(beginning.lstrip()):
        prefers_lines = ending in LINES
        shape = find_shape(beginning, is_whole=is_whole, prefers_lines=prefers_lines, finds_trees=not reads_text)
    if shape is None:
        # Excel's "Unicode text" is called .txt.
        is_table = ending in (*TABLES, ".txt") or (ending != ".json" and (reads_text or _is_table(beginning, is_whole)))
        if not is_table and ending == ".json":
            shape = Shape("a list of items")
        elif not is_table or _is_binary(beginning):
            return []
    if shape is None:
        return [CsvItems(name, file_name, size_bytes, open_chunks)]
    if not shape.is_map:
        return [JsonItems(name, file_name, size_bytes, open_chunks, shape)]
    names = list_collections(open_chunks())
    return [
        # One alone goes where somebody wants the file to go.
        JsonItems(
            name if is_named and len(names) == 1 else each, file_name, size_bytes, open_chunks, shape, collection=each
        )
        for each in names
    ]


def _is_binary(beginning: bytes) -> bool:
    return len(_CONTROL.findall(beginning[:_MARK_BYTES])) > 1


def _is_table(beginning: bytes, is_whole: bool) -> bool:
    """Whether a file whose name says nothing is a table all the same."""
    if _CONTROL.search(beginning):
        return False
    try:
        text = beginning.decode()
    except UnicodeDecodeError as error:
        if is_whole or error.start < len(beginning) - 4:
            return False
        text = beginning[: error.start].decode()
    return has_equal_rows(text, is_whole=is_whole)


def base_name(file_name: str) -> str:
    """A legal name out of a file's: `My notes.json` makes `My-notes`."""
    stem = PurePath(file_name.replace("\\", "/")).name.split(".", 1)[0]
    return _OTHER_THAN_NAME.sub("-", stem).strip("-")[: limits.NAME_MAX_CHARACTERS] or "imported"


def peek(open_chunks: Chunks) -> tuple[bytes, bool]:
    """The beginning in UTF-8, and whether that is all."""
    beginning = b""
    for chunk in Utf8(open_chunks()):
        beginning += chunk
        if len(beginning) >= PEEK_BYTES:
            return beginning[:PEEK_BYTES], False
    return beginning, True
