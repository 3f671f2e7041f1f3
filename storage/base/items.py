"""Base: the operations on items (contract: section "Base"). Pure rules are in query.py and updates.py."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, cast

from django.db import transaction

from storage import disk_space, engine_waits, limits, names
from storage.base import base_ids, bases, generated_keys
from storage.base.expected import Expected
from storage.base.finding import Rows, find_rows
from storage.base.generated_keys import DrawnKey
from storage.base.query import Predicate
from storage.base.sql import items as items_sql
from storage.base.sql import queries as queries_sql
from storage.base.updates import Operation, apply_patch
from storage.errors import (
    BaseNotFound,
    EmptyAttributeName,
    InvalidInput,
    ItemNotFound,
    KeyExists,
    RevisionDiffers,
)
from storage.exact_json import check_value, dump, is_number, parse
from storage.postgres.caller import Access, allowed
from storage.postgres.database import engine_errors, run
from storage.postgres.gathering import run_with_others
from storage.postgres.sql import access as access_sql
from storage.postgres.statements import Statement

Document = dict[str, Any]

# PostgreSQL has no date beyond this many seconds: such an item never expires, or has always been expired.
_LAST_TIMESTAMP = 9_000_000_000_000


class StoredItem(NamedTuple):
    """An item as it stands: its JSON, ready to send, and its revision."""

    json: str
    revision: int


@dataclass(frozen=True, slots=True)
class PutResult:
    """What a put stored, in request order, and which items failed."""

    processed: list[StoredItem]
    failed: list[Document]


@dataclass(frozen=True, slots=True)
class Page:
    """Items as JSON texts in key order, and the key to continue from when more may follow.

    Of each item also its revision. `looked_at` is how many items were looked at to fill the page, as far as that is
    known: not of a page that an index answered, nor of one that reached the end.
    """

    items: list[str]
    last: str | None
    revisions: list[int]
    looked_at: int | None = None


class PreparedItem(NamedTuple):
    """An item that has passed every rule: the row that the writing statements take."""

    key: str
    json: str
    size_bytes: int
    expires: float | None


class _NewItem(NamedTuple):
    """An item to be written, and the keys to take where its own, a drawn one, is taken."""

    row: PreparedItem
    spares: tuple[str, ...]


def put_items(
    *,
    access: Access,
    base: str,
    items: list[Any],
    expected: Expected | None = None,
    most: int = limits.ITEMS_PER_PUT,
    all_or_none: bool = False,
) -> PutResult:
    """Store or replace 1 to `most` items in one transaction; a key that is missing or null is generated.

    An item with an empty attribute name is left out and comes back under `failed`; with `all_or_none` it breaks a rule. With
    `expected` a single item is replaced if it is so.

    Raises RevisionDiffers where it isn't, InvalidInput when a rule is broken, and DiskFull; then nothing is stored.
    """
    disk_space.check_space_for_items()
    if not 1 <= len(items) <= most:
        raise InvalidInput("Bad items", f"A put takes 1 to {most} items, this one has {len(items)}")
    if expected is not None and len(items) > 1:
        raise InvalidInput("Bad items", f"If-Match goes with one item, this put has {len(items)}")
    drawn = iter(generated_keys.draw_keys(sum(map(_lacks_key, items))))
    prepared, failed = [], []
    for index, item in enumerate(items):
        try:
            prepared.append(_with_key(item, drawn))
        except InvalidInput as error:
            if isinstance(error, EmptyAttributeName) and not all_or_none:
                failed.append(item)
                continue
            raise error.within(index).within("items") from None
    keys = [new.row.key for new in prepared] + [item["key"] for item in failed if not _lacks_key(item)]
    if len(set(keys)) < len(keys):
        raise InvalidInput("Bad items", "Two items have the same key")
    if not prepared:
        check_access(access=access, name=base, write=True)
    elif expected is None:
        return PutResult(_write(access, base, prepared, replace=True), failed)
    else:
        return PutResult([_replace(access, base, prepared[0], expected)], failed)
    return PutResult([], failed)


def insert_item(*, access: Access, base: str, item: Any) -> StoredItem:
    """Store an item whose key is not taken; an expired item does not take it. The item as stored.

    Raises KeyExists, DiskFull, and InvalidInput when a rule is broken.
    """
    disk_space.check_space_for_items()
    try:
        new = _with_key(item, iter(generated_keys.draw_keys(_lacks_key(item))))
    except InvalidInput as error:
        raise error.within("item") from None
    stored = _write(access, base, [new], replace=False)
    if not stored:
        raise KeyExists()
    return stored[0]


def get_item(*, access: Access, base: str, key: str) -> StoredItem:
    """One item. Raises ItemNotFound, also when it has expired."""
    names.check_key(key)

    def statement(base_id: int | None) -> Statement[items_sql.FoundItem]:
        return items_sql.get_item(access, base, key, base_id)

    found = base_ids.ask(access, base, statement, write=False, run_by=run_with_others)
    if found.value is None:
        raise ItemNotFound()
    return StoredItem(with_key(key, found.value), found.revision)


def delete_item(*, access: Access, base: str, key: str, expected: Expected | None = None) -> None:
    """Remove an item. A missing one is not an error, unless it was expected: raises RevisionDiffers."""
    keeps_history = disk_space.has_room_for_history()
    key = names.check_key(key)

    def statement(base_id: int | None) -> Statement[items_sql.DeletedItem]:
        return items_sql.delete_item(access, base, key, base_id, keeps_history=keeps_history, expected=expected)

    done = base_ids.ask(access, base, statement, write=True)
    if expected is not None and not done.deleted:
        raise RevisionDiffers()


def update_item(
    *, access: Access, base: str, key: str, operations: tuple[Operation, ...], expected: Expected | None = None
) -> StoredItem:
    """Apply a patch to one item, atomically: concurrent updates of an item take turns. The item as it is then.

    Raises ItemNotFound (also when it has expired), RevisionDiffers, DiskFull, and InvalidInput when the patch does not fit the
    item or what comes out breaks a rule for items; the item is unchanged then.
    """
    disk_space.check_space_for_items()
    names.check_key(key)
    with engine_errors(), transaction.atomic():
        base_id = allowed(run(access_sql.resolve_base(access, base, write=True))).base_id
        if base_id is None or not (found := run(items_sql.lock_item(base_id, key))):
            raise ItemNotFound()
        value, revision = found[0]
        if expected is not None and expected.revisions is not None and revision not in expected.revisions:
            raise RevisionDiffers()
        row = prepare_item({**apply_patch(parse(value.encode()), operations), "key": key})
        statement = items_sql.replace_item(access, base, row, expected=Expected([revision]), base_id=base_id)
        return StoredItem(row.json, cast(int, allowed(run(statement)).revision))


def query_items(
    *, access: Access, base: str, predicate: Predicate, limit: int, last: str | None = None, descending: bool = False
) -> Page:
    """The matching items in key order, after the key `last`.

    At most `limit` items and about 1 MB. An index finds its matches however large the Base is: of equality, and of ranges and
    prefixes of attributes that have one. Any other query scans about 1 MB of items and says where it stopped, so a page may
    be short or empty; it notes which attributes it would have needed an index of.
    """
    while True:
        base_id = base_ids.find(access, base)
        if base_id is None:
            return Page([], None, [])
        rows = find_rows(queries_sql.Span(access, base, base_id, last, descending), predicate, limit)
        if allowed(rows).base_id == base_id:
            return page_of(rows, limit)
        base_ids.forget(access, base)  # deleted since, and perhaps made anew


def check_access(*, access: Access, name: str, write: bool) -> None:
    """Raises Unauthorized or Forbidden unless the caller may read (or write) this Base."""
    allowed(run(access_sql.resolve_base(access, name, write=write)))


def find_base_id(access: Access, base: str) -> int:
    """The id of a Base that is to be read. Raises Unauthorized, Forbidden, BaseNotFound."""
    base_id = allowed(run(access_sql.resolve_base(access, base, write=False))).base_id
    if base_id is None:
        raise BaseNotFound()
    return base_id


def _lacks_key(item: Any) -> bool:
    return isinstance(item, dict) and item.get("key") is None


def _with_key(item: Any, drawn: Iterator[DrawnKey]) -> _NewItem:
    """An item that is to be written; one without a key takes the next of those that were drawn. Raises as `prepare_item`."""
    if not _lacks_key(item):
        return _NewItem(prepare_item(item), ())
    key, spares = next(drawn)
    return _NewItem(prepare_item({**item, "key": key}), spares)


def _write(access: Access, base: str, new: list[_NewItem], *, replace: bool) -> list[StoredItem]:
    """Write items, and create the Base if this is its first write. What was written, in order: all, or without `replace` those
    whose keys were free.
    """
    spares = {row.key: spares for row, spares in new if spares}
    rows: list[items_sql.Row] = [row for row, _ in new]

    def statement(base_id: int | None) -> Statement[items_sql.PutItems]:
        return items_sql.put_items(access, base, rows, base_id, replace=replace, spares=spares)

    run_by = run if len(new) > 1 else partial(run_with_others, writes=(access.collection_id, base, new[0].row.key))
    done = base_ids.ask(access, base, statement, write=True, run_by=run_by)
    if done.base_id is None:
        with engine_errors():
            bases.ensure_base(collection_id=access.collection_id, name=base)
        done = base_ids.ask(access, base, statement, write=True)
    engine_waits.no_way_back()
    revisions = dict(zip(done.keys or (), done.revisions or (), strict=True))
    stored = []
    for row, spare_keys in new:
        key = next((key for key in (row.key, *spare_keys) if key in revisions), None)
        if key is not None:
            stored.append(StoredItem(_renamed(row, key), revisions[key]))
        elif spare_keys:
            # All that were drawn are taken: once in 10^11 years at a million items an hour.
            redrawn = _with_key({**parse(row.json.encode()), "key": None}, iter(generated_keys.draw_keys(1)))
            stored += _write(access, base, [redrawn], replace=replace)
    return stored


def _renamed(row: PreparedItem, key: str) -> str:
    return row.json if key == row.key else dump({**parse(row.json.encode()), "key": key}).decode()


def _replace(access: Access, base: str, new: _NewItem, expected: Expected) -> StoredItem:
    def statement(base_id: int | None) -> Statement[items_sql.ReplacedItem]:
        return items_sql.replace_item(access, base, new.row, expected=expected, base_id=base_id, only_of_base=True)

    done = base_ids.ask(access, base, statement, write=True)
    if done.revision is None:
        raise RevisionDiffers()
    return StoredItem(new.row.json, done.revision)


def prepare_item(item: Any) -> PreparedItem:
    """An item with a key as it will be stored. Raises InvalidInput when a rule is broken."""
    if not isinstance(item, dict):
        raise InvalidInput("An item is not an object")
    key = names.check_key(item.get("key"))
    json = dump(item)
    if len(json) > limits.ITEM_MAX_BYTES:
        raise InvalidInput(f"An item is larger than {limits.ITEM_MAX_BYTES} bytes: this one has {len(json)}")
    check_value(item)
    expires = item.get("__expires")
    if "__expires" in item and not is_number(expires):
        raise InvalidInput("`__expires` is not a number of seconds")
    return PreparedItem(key, json.decode(), len(json), None if expires is None else _seconds(expires))


def _seconds(expires: int | Decimal) -> float:
    seconds = float(expires)
    return seconds if abs(seconds) <= _LAST_TIMESTAMP else math.copysign(math.inf, seconds)


def page_of(rows: Rows, limit: int) -> Page:
    """The page that the rows of `queries_sql.scan_items` make."""
    items: list[str] = []
    revisions: list[int] = []
    last = reached = looked_at = None
    # All rows that a page is made of begin alike; to name each field of each row would take as long again as the rest.
    for key, value, revision, position, matched, stopped in [row[2:8] for row in rows]:
        if key is None:
            continue
        if matched:
            if len(items) == limit:
                last = reached
                break
            items.append(with_key(key, value))
            revisions.append(revision)
            reached = key
        looked_at = position
        if stopped:
            last = key
    return Page(items, last, revisions, looked_at if last is not None else None)


def with_key(key: str, value: str) -> str:
    """The whole item's JSON: its key, then the stored text of its other attributes, unchanged."""
    return f'{{"key":{dump(key).decode()}{"" if value == "{}" else ","}{value[1:]}'
