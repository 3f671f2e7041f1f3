"""What a JSON text is, by its beginning: items in a list, one after another, or in an envelope of another program's. Pure.

Envelopes are the answers of APIs (`{"items": [...], "count": 2}`) and what other databases export: DynamoDB, Firestore, MongoDB.
Each is told by its own marks, and said to the person who brings it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from storage import limits
from storage.archive.reading import foreign
from storage.archive.reading.json_stream import Broken, Scanner, Value
from storage.archive.reading.parsed_items import parse_leniently

# Where answers of APIs have their items.
MEMBERS = ("items", "data", "Items", "documents", "records", "results", "rows", "docs")
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
        "@odata.context",
    ]
)
_NAMES_LOOKED_AT = 200

Convert = Callable[[Mapping[str, Any]], dict[str, Any]]


class Shape(NamedTuple):
    """How a text is read. `told` says it to people.

    `is_lines`: an item to a line, so that reading goes on behind a broken one. `member`: the items are in the list of that name.
    `is_map`: objects by key, or lists of them, in an object by collection. `convert` makes an item of another database's.
    """

    told: str
    is_lines: bool = False
    member: str = ""
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
        return _with_convert(Shape("a list of items"), _first_member(text, ""))
    if not text.startswith(b"{"):
        return Shape("an item to a line", is_lines=True) if prefers_lines else None
    names, lists = _look_at_object(text)
    if member := _envelope(names, lists):
        found = _first_member(text, member)
        return _with_convert(Shape(f"an answer with its items under “{member}”", member=member), found)
    if "__collections__" in names:
        return Shape("Firestore's collections", is_map=True, convert=foreign.from_firestore_export)
    if finds_trees and _is_tree(text):
        return Shape("items by collection", is_map=True, convert=foreign.from_firestore_export)
    first = parse_leniently(text.split(b"\n", 1)[0])
    rest = text.partition(b"\n")[2].lstrip()
    if isinstance(first, dict) and (prefers_lines or rest.startswith(b"{")):
        return _with_convert(Shape("an item to a line", is_lines=True), first)
    if prefers_lines and not isinstance(first, dict) and not names:
        return Shape("an item to a line", is_lines=True)
    is_one = is_whole and isinstance(parse_leniently(text), dict)
    told = "one item" if is_one else "one item after another"
    return _with_convert(Shape(told), _first_object(text))


def _with_convert(shape: Shape, first: Any) -> Shape:
    for name, is_it, convert in foreign.KINDS:
        if isinstance(first, dict) and is_it(first):
            return shape._replace(told=f"{shape.told}, as {name} writes them", convert=convert)
    return shape


def _envelope(names: list[str], lists: list[str]) -> str:
    """The name of the list that the items are in, "" when the object is an item itself.

    A list called `items` is one whatever else is there, unless the object has a key: that is how exports have been read from the
    beginning, and an order with its `items` has a key.
    """
    for member in MEMBERS:
        if member in lists:
            others = set(names) - {member}
            if others <= _BESIDE or (member == "items" and "key" not in others):
                return member
    return ""


def _look_at_object(text: bytes) -> tuple[list[str], list[str]]:
    """The names in the first object, as far as it is there, and those of lists of objects, or of nothing."""
    scanner = Scanner(iter([text]), limits.ARCHIVE_ITEM_TEXT_MAX_BYTES)
    names: list[str] = []
    lists: list[str] = []
    try:
        for name in scanner.names():
            names.append(name)
            if scanner.peek() == b"[" and name in MEMBERS:
                lists.append(name)
                if any(value.text is None or value.text[:1] != b"{" for value in scanner.members()):
                    lists.remove(name)
            else:
                scanner.value()
            if len(names) > _NAMES_LOOKED_AT:
                break
    except Broken:
        pass
    return names, lists


def _is_tree(text: bytes) -> bool:
    """Whether the first object holds collections, as far as it is there, and nothing follows it."""
    scanner = Scanner(iter([text]), limits.ARCHIVE_ITEM_TEXT_MAX_BYTES)
    found = 0
    try:
        for _ in scanner.names():
            first = scanner.peek()
            if first not in (b"{", b"["):
                return False
            for value in scanner.members() if first == b"[" else (scanner.value() for _ in scanner.names()):
                if value.text is None or value.text[:1] != b"{":
                    return False
                found += 1
        return found > 0 and not scanner.peek()
    except Broken:
        # Of a tree that goes on behind this, what is here is one.
        return found > 0


def _first_member(text: bytes, member: str) -> Any:
    """The first item of the list, as far as it is there."""
    scanner = Scanner(iter([text]), limits.ARCHIVE_ITEM_TEXT_MAX_BYTES)
    try:
        if member:
            for name in scanner.names():
                if name == member:
                    break
                scanner.value()
        value = next(scanner.members(), None)
    except Broken:
        return None
    return parse_leniently(value.text) if value and value.text else None


def _first_object(text: bytes) -> Any:
    try:
        value = Scanner(iter([text]), limits.ARCHIVE_ITEM_TEXT_MAX_BYTES).value()
    except Broken:
        return None
    return parse_leniently(value.text) if value.text else None


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
            yield from ((shown, None, value) for value in scanner.members())
        else:
            scanner.value()
