"""What a JSON text is, by its beginning: items in a list, one after another, or in an envelope of another program's. Pure.

Envelopes are the answers of APIs (`{"items": [...], "count": 2}`), alone, within another or in a list of pages, and what other
databases export: DynamoDB, Firestore, MongoDB. Each is told by its own marks, and said to the person who brings it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from storage import limits
from storage.archive.reading import foreign
from storage.archive.reading.json_stream import Broken, Scanner, Value, find_items
from storage.archive.reading.parsed_items import parse_leniently

# Where answers of APIs have their items; under `value` only where OData's own names stand beside it.
MEMBERS = ("items", "data", "Items", "documents", "records", "results", "rows", "docs", "result", "entries", "value")
_ODATA = "@odata."
# What they put around all of it.
_WRAPPERS = ("data", "result", "response", "body", "payload", "d", "hits")
# What stands beside them, in no item.
_BESIDE = frozenset(
    [
        "count",
        "Count",
        "ScannedCount",
        "ConsumedCapacity",
        "LastEvaluatedKey",
        "ResponseMetadata",
        "$metadata",
        "last",
        "last_key",
        "paging",
        "size",
        "total",
        "totalItems",
        "totalPages",
        "total_count",
        "total_rows",
        "update_seq",
        "page",
        "pages",
        "perPage",
        "per_page",
        "limit",
        "offset",
        "skip",
        "next",
        "previous",
        "prev",
        "nextPageToken",
        "next_page_token",
        "cursor",
        "next_cursor",
        "has_more",
        "hasMore",
        "meta",
        "links",
        "_links",
        "pagination",
        "status",
        "statusText",
        "success",
        "ok",
        "error",
        "errors",
        "message",
        "kind",
        "version",
        "timestamp",
        "took",
        "took_ms",
        "elapsed",
        "requestId",
        "request_id",
        "code",
        "msg",
        "exported_at",
        "exportedAt",
        "generated_at",
        "generatedAt",
        "total_items",
        "result_count",
        "resultCount",
        "self",
        "first",
        "metadata",
        "UnprocessedKeys",
        "$schema",
    ]
)
# And of these, what only a page of several has.
_OF_PAGES = frozenset(
    [
        "last",
        "last_key",
        "paging",
        "count",
        "Count",
        "LastEvaluatedKey",
        "nextPageToken",
        "next_page_token",
        "cursor",
        "next_cursor",
        "has_more",
        "hasMore",
        "page",
        "perPage",
        "per_page",
        "next",
        "pagination",
    ]
)
_NAMES_LOOKED_AT = 200
_ITEMS_LOOKED_AT = 20

Path = tuple[str, ...]
Convert = Callable[[Mapping[str, Any]], dict[str, Any]]


class Shape(NamedTuple):
    """How a text is read. `told` says it to people.

    `is_lines`: an item to a line, so that reading goes on behind a broken one. `path`: the items are in the list of that name,
    within the objects named before it. `in_pages`: these stand in a list. `is_map`: objects by key, or lists of them, in an
    object by collection. `convert` makes an item of another database's, or raises ValueError where it holds none.
    """

    told: str
    is_lines: bool = False
    path: Path = ()
    in_pages: bool = False
    is_map: bool = False
    convert: Convert | None = None


def find_shape(
    beginning: bytes, *, is_whole: bool, prefers_lines: bool = False, finds_trees: bool = False
) -> Shape | None:
    """The shape of a JSON text by its beginning in UTF-8; None when it is no JSON.

    `finds_trees`: a lone object of nothing but lists or objects of objects is a tree of collections, and no item.
    """
    text = beginning.lstrip()
    if text.startswith(b"["):
        return _with_convert(_shape_of_list(text), text)
    if not text.startswith(b"{"):
        return Shape("an item to a line", is_lines=True) if prefers_lines else None
    found = _look_at_object(_scan(text))
    if path := _envelope(found):
        return _with_convert(Shape(f"an answer with its items under “{'.'.join(path)}”", path=path), text)
    if "__collections__" in found.names:
        return Shape("Firestore's collections", is_map=True, convert=foreign.from_firestore_export)
    shape = _shape_of_objects(text, is_whole=is_whole, prefers_lines=prefers_lines)
    if finds_trees and not shape.convert and _is_tree(text):
        return Shape("items by collection", is_map=True, convert=foreign.from_firestore_export)
    return shape


def _shape_of_list(text: bytes) -> Shape:
    scanner = _scan(text)
    try:
        next(scanner.elements(), None)
        first = scanner.peek()
        if first == b"[":
            inner = next(scanner.members(), None)
            is_of_objects = inner is None or inner.text is None or inner.text.startswith(b"{")
            return Shape("lists of items", in_pages=True) if is_of_objects else Shape("a list of items")
    except Broken:
        return Shape("a list of items")
    found = _look_at_object(scanner) if first == b"{" else _Look([], [])
    path = _envelope(found, is_page=True)
    return (
        Shape(f"pages with their items under “{'.'.join(path)}”", path=path, in_pages=True)
        if path
        else Shape("a list of items")
    )


def _shape_of_objects(text: bytes, *, is_whole: bool, prefers_lines: bool) -> Shape:
    first, _, rest = text.partition(b"\n")
    is_line = isinstance(parse_leniently(first), dict)
    if (is_line and (prefers_lines or rest.lstrip().startswith(b"{"))) or (prefers_lines and _has_line(rest)):
        return _with_convert(Shape("an item to a line", is_lines=True), text)
    is_one = is_whole and isinstance(parse_leniently(text), dict)
    return _with_convert(Shape("one item" if is_one else "one item after another"), text)


def _has_line(text: bytes) -> bool:
    """Whether one of these lines is an object of its own, so that the first one is only a broken line."""
    lines = text.split(b"\n", _ITEMS_LOOKED_AT)[:_ITEMS_LOOKED_AT]
    return any(line.startswith(b"{") and isinstance(parse_leniently(line), dict) for line in lines)


def _with_convert(shape: Shape, text: bytes) -> Shape:
    found = [item for item in _first_items(shape, text) if isinstance(item, dict)]
    for name, are_these, convert in foreign.KINDS:
        if are_these(found):
            return shape._replace(told=f"{shape.told}, as {name} writes them", convert=convert)
    return shape


def _first_items(shape: Shape, text: bytes) -> list[Any]:
    """The first items, as far as they are there."""
    if shape.is_lines:
        lines = text.split(b"\n", _ITEMS_LOOKED_AT)[:_ITEMS_LOOKED_AT]
        return [parse_leniently(line) for line in lines if line.strip()]
    most = limits.ARCHIVE_ITEM_TEXT_MAX_BYTES
    values = find_items(iter([text]), text_max_bytes=most, path=shape.path, in_pages=shape.in_pages)
    found: list[Any] = []
    with suppress(Broken):
        found.extend(parse_leniently(value.text or b"") for value in islice(values, _ITEMS_LOOKED_AT))
    return found


class _Look(NamedTuple):
    """The names in an object, and the paths to lists of objects in it, or of nothing. Of one that breaks off, what is there."""

    names: list[str]
    paths: list[Path]
    is_whole: bool = True


def _envelope(found: _Look, *, is_page: bool = False) -> Path:
    """The path to the items, () when the object is an item itself.

    A list called `items` is one whatever else is there, unless the object has a key: that is how exports have been read from
    the beginning, and an order with its `items` has a key. In a list (`is_page`) it has to look like a page: orders are in lists.
    """
    for path in sorted(found.paths, key=lambda path: (len(path), MEMBERS.index(path[-1]))):
        others = {name for name in found.names if name != path[0] and not name.startswith(_ODATA)}
        if path[-1] == "value" and not any(name.startswith(_ODATA) for name in found.names):
            continue
        if is_page:
            if others <= _BESIDE and (not others or others & _OF_PAGES):
                return path
        elif others <= _BESIDE or (path == ("items",) and "key" not in others):
            return path
    return ()


def _look_at_object(scanner: Scanner, *, is_within: bool = False) -> _Look:
    names: list[str] = []
    paths: list[Path] = []
    try:
        for name in islice(scanner.names(), _NAMES_LOOKED_AT):
            names.append(name)
            first = scanner.peek()
            if first == b"[" and name in MEMBERS:
                paths.append((name,))
                if any(value.text is None or value.text[:1] != b"{" for value in scanner.members()):
                    paths.remove((name,))
            elif first == b"{" and name in _WRAPPERS and not is_within:
                inner = _look_at_object(scanner, is_within=True)
                paths += [(name, *path) for path in inner.paths if set(inner.names) - {path[0]} <= _BESIDE]
                if not inner.is_whole:
                    return _Look(names, paths, is_whole=False)
            else:
                scanner.value()
    except Broken:
        return _Look(names, paths, is_whole=False)
    return _Look(names, paths, is_whole=len(names) < _NAMES_LOOKED_AT)


def _is_tree(text: bytes) -> bool:
    """Whether the first object holds collections, as far as it is there, and nothing follows it."""
    scanner = _scan(text)
    found = 0
    try:
        for _ in scanner.names():
            first = scanner.peek()
            if first not in (b"{", b"["):
                return False
            for value in scanner.members() if first == b"[" else (scanner.value() for _ in scanner.names()):
                # Firebase writes what has whole numbers for keys as a list, with null where there is none.
                if first == b"[" and value.text == b"null":
                    continue
                if value.text is None or value.text[:1] != b"{":
                    return False
                found += 1
        return found > 0 and not scanner.peek()
    except Broken:
        # Of a tree that goes on behind this, what is here is one.
        return found > 0


def _scan(text: bytes) -> Scanner:
    return Scanner(iter([text]), limits.ARCHIVE_ITEM_TEXT_MAX_BYTES)


def walk_map(chunks: Iterator[bytes]) -> Iterator[tuple[str, str | None, Value]]:
    """Each collection's name, a key in it (None where it is a list), and the value there. Raises Broken."""
    scanner = Scanner(chunks, limits.ARCHIVE_ITEM_TEXT_MAX_BYTES)
    scanner.skip_bom()
    yield from _walk_collections(scanner)
    if scanner.peek():
        raise scanner.broken("there is more text after the end")


def _walk_collections(scanner: Scanner) -> Iterator[tuple[str, str | None, Value]]:
    for name in scanner.names():
        shown = name.encode(errors="replace").decode().replace("\x00", "\ufffd")
        if name == "__collections__":
            yield from _walk_collections(scanner)
        elif scanner.peek() == b"{":
            for key in scanner.names():
                yield shown, key, scanner.value()
        elif scanner.peek() == b"[":
            yield from ((shown, None, value) for value in scanner.members() if value.text != b"null")
        else:
            scanner.value()
