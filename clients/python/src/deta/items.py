"""Base without a connection: every operation as a `Call`, and what goes into it (expiry, updates, queries)."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Callable, ClassVar, Optional, Union

from deta.errors import InvalidArgument, InvalidType, MayHaveBeenApplied, NotStored
from deta.wire import JSON_HEADERS, Call, Reply, Request, dump, error_of, load, path_text, quote_segment

Item = dict[str, Any]
ExpireAt = Union[int, float, datetime.datetime, None]
# Unix seconds or a datetime, a naive one in local time.
Moment = Union[int, float, datetime.datetime, None]
Query = Union[Mapping[str, Any], Sequence[Mapping[str, Any]], None]

PUT_MANY_MAX = 25
# How the server calls an item that is not there.
_MISSING = "Key not found"
# Spelled as code for the original client imports it.
BASE_TTL_ATTTRIBUTE = "__expires"


@dataclass
class FetchResponse:
    """One page: `last` is where `fetch` goes on, or None when there is no more.

    As before version 1.0, it is also an iterator over the items of this page and of each that follows: `next(base.fetch())`.
    """

    count: int = 0
    last: Optional[str] = None
    items: list[Item] = field(default_factory=list)
    more: Optional[Callable[[str], FetchResponse]] = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._pages = self._all_pages()

    def __iter__(self) -> Iterator[list[Item]]:
        return self

    def __next__(self) -> list[Item]:
        return next(self._pages)

    def __reduce__(self) -> tuple[Any, ...]:
        # Somebody may cache it, and what follows is not for keeping.
        return FetchResponse, (self.count, self.last, self.items)

    def _all_pages(self) -> Iterator[list[Item]]:
        page = self
        yield page.items
        while page.last is not None and self.more is not None:
            page = self.more(page.last)
            yield page.items


@dataclass
class HistoryResponse:
    """One page of an item's versions, newest first; `last` is where `history` goes on, or None when there is no more.

    Each is a dict: `revision`, `at` in Unix seconds, `by` an opaque id or None for the server, `before` and `after` the whole
    item or None.
    """

    count: int = 0
    last: Optional[str] = None
    versions: list[dict[str, Any]] = field(default_factory=list)


class Change:
    """What `util` makes: something else to do to an attribute than to set it. `val` is what with."""

    operation: ClassVar[str]

    def __init__(self, val: Any) -> None:
        self.val = val


class Util:
    """The operations that `update` knows besides setting a value; code may make them by their classes, too."""

    class Trim(Change):
        operation = "delete"

        def __init__(self) -> None:
            super().__init__(None)

    class Increment(Change):
        operation = "increment"

        def __init__(self, value: Union[int, float, None] = None) -> None:
            # What is empty is no number either; to add 0 is to add 0.
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            super().__init__(value if value or is_number else 1)

    class Append(Change):
        operation = "append"

        def __init__(self, value: Any) -> None:
            super().__init__(value if isinstance(value, list) else [value])

    class Prepend(Change):
        operation = "prepend"

        def __init__(self, value: Any) -> None:
            super().__init__(value if isinstance(value, list) else [value])

    def trim(self) -> Trim:
        """Remove the attribute."""
        return self.Trim()

    def increment(self, value: Union[int, float, None] = None) -> Increment:
        """Add to a number, 1 without a value; a negative value subtracts."""
        return self.Increment(value)

    def append(self, value: Any) -> Append:
        """Add a value, or each one of a list, to the end of a list."""
        return self.Append(value)

    def prepend(self, value: Any) -> Prepend:
        """Add a value, or each one of a list, to the beginning of a list."""
        return self.Prepend(value)


@dataclass(frozen=True)
class Items:
    """The operations on one Base; `label` is how errors call it."""

    label: str

    def put(self, data: Any, key: Optional[str], expires: Optional[int]) -> Call[Item]:
        item = to_item(data, key, expires)
        request = self._put_request([item], f"put into {self.label}")
        return Call(request, _read_put)

    def put_many(self, items: Iterable[Any], expires: Optional[int]) -> Call[dict[str, Any]]:
        made = [to_item(data, None, expires) for data in _several(items)]
        if not 1 <= len(made) <= PUT_MANY_MAX:
            raise InvalidArgument(
                f"put_many takes 1 to {PUT_MANY_MAX} items, not {len(made)}; put_all takes any number"
            )
        return Call(self._put_request(made, f"put_many into {self.label}"), load)

    def insert(self, data: Any, key: Optional[str], expires: Optional[int]) -> Call[Item]:
        item = to_item(data, key, expires)
        content = dump({"item": item})
        what = f"insert into {self.label}"
        # Without a key a second try would be a second item, and nothing would tell.
        request = Request("POST", "/items", what, content, JSON_HEADERS, is_repeatable="key" in item)
        return Call(request, _read_insert)

    def get(self, key: str) -> Call[Optional[Item]]:
        return Call(Request("GET", _item_path(key), f"get from {self.label}"), _read_get)

    def delete(self, key: str) -> Call[None]:
        return Call(Request("DELETE", _item_path(key), f"deletion in {self.label}"), _read_nothing)

    def update(self, updates: Optional[Mapping[str, Any]], key: str, expires: Optional[int]) -> Call[None]:
        patch = to_patch(updates, expires)
        request = Request(
            "PATCH",
            _item_path(key),
            f"update in {self.label}",
            dump(patch),
            JSON_HEADERS,
            is_repeatable=not (patch["increment"] or patch["append"] or patch["prepend"]),
        )

        def read(reply: Reply) -> None:
            if reply.status == 404 and _MISSING in (error := error_of(reply)).errors:
                # Word for word what apps compare.
                raise error.saying(f"Key '{key}' not found")
            load(reply)

        return Call(request, read)

    def fetch(
        self, query: Query, limit: Optional[int], last: Union[str, bool, None], desc: bool, as_of: Moment = None
    ) -> Call[FetchResponse]:
        wanted: dict[str, Any] = {}
        if query:
            wanted["query"] = [query] if isinstance(query, Mapping) else list(query)
        if limit is not None:
            wanted["limit"] = limit
        # Loops that begin with `last = True` are as old as `fetch`.
        if last and not isinstance(last, bool):
            wanted["last"] = last
        if desc:
            wanted["sort"] = "desc"
        if as_of is not None:
            wanted["as_of"] = as_of.timestamp() if isinstance(as_of, datetime.datetime) else _number("as_of", as_of)
        return Call(Request("POST", "/query", f"fetch from {self.label}", dump(wanted), JSON_HEADERS), _read_fetch)

    def history(self, key: str, limit: Optional[int], last: Optional[str]) -> Call[HistoryResponse]:
        asked = {"key": _text_key(key), "limit": limit, "last": last}
        query = "&".join(f"{name}={quote_segment(str(value))}" for name, value in asked.items() if value is not None)
        return Call(Request("GET", f"/history?{query}", f"history in {self.label}"), _read_history)

    def _put_request(self, items: list[Item], what: str) -> Request:
        # The server makes keys that are never made twice, which no client can promise. So it makes them, and an item
        # without one is sent again only when it never left.
        has_keys = all("key" in item for item in items)
        return Request("PUT", "/items", what, dump({"items": items}), JSON_HEADERS, is_repeatable=has_keys)


def to_item(data: Any, key: Optional[str], expires: Optional[int]) -> Item:
    """A new dict of anything that JSON knows; what is no object becomes `{"value": ...}`. Raises InvalidArgument."""
    item = dict(data) if isinstance(data, Mapping) else {"value": data}
    # An empty key is none, and the server makes one.
    if key:
        item["key"] = _text_key(key)
    if expires is not None:
        item[BASE_TTL_ATTTRIBUTE] = expires
    return item


def to_patch(updates: Optional[Mapping[str, Any]], expires: Optional[int]) -> dict[str, Any]:
    """The five parts of an update. Attributes that are not a `Change` are set."""
    if updates is not None and not isinstance(updates, Mapping):
        raise InvalidType("Updates are a dict of attributes and values, or None")
    patch: dict[str, Any] = {"set": {}, "increment": {}, "append": {}, "prepend": {}, "delete": []}
    for path, value in (updates or {}).items():
        if not isinstance(value, Change):
            patch["set"][path] = value
        elif value.operation == "delete":
            patch["delete"].append(path)
        else:
            patch[value.operation][path] = value.val
    if expires is not None:
        patch["set"][BASE_TTL_ATTTRIBUTE] = expires
    return patch


def to_expires(expire_in: Union[int, float, None], expire_at: ExpireAt) -> Optional[int]:
    """The Unix time in whole seconds, or None for neither. A naive datetime is local time. Raises InvalidArgument.

    0 is neither, as it always was: apps write it for "never".
    """
    if expire_in and expire_at:
        raise InvalidArgument("Give expire_in or expire_at, not both")
    if expire_in:
        return _whole("expire_in", expire_in, time.time() + _number("expire_in", expire_in))
    if not expire_at:
        return None
    if isinstance(expire_at, datetime.datetime):
        return _whole("expire_at", expire_at, expire_at.timestamp())
    return _whole("expire_at", expire_at, _number("expire_at", expire_at))


def insert_ttl(
    item: dict[str, Any], ttl_attribute: str, expire_in: Optional[float] = None, expire_at: ExpireAt = None
) -> None:
    """Put the expiry into an item, if there is one. Raises InvalidArgument."""
    expires = to_expires(expire_in, expire_at)
    if expires is not None:
        item[ttl_attribute] = expires


def batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Groups that one request can take. A key that comes again starts a new one: the later item is to win."""
    batch: list[Any] = []
    keys: set[Any] = set()
    for item in _several(items):
        key = item.get("key") if isinstance(item, Mapping) else None
        known = isinstance(key, str) and key in keys
        if known or len(batch) == PUT_MANY_MAX:
            yield batch
            batch, keys = [], set()
        batch.append(item)
        if isinstance(key, str):
            keys.add(key)
    if batch:
        yield batch


def gather(result: dict[str, Any], answer: dict[str, Any]) -> None:
    """Add what put_many answered to what put_all will."""
    for outcome in ("processed", "failed"):
        found = answer.get(outcome, {}).get("items", [])
        if found or outcome == "processed":
            result.setdefault(outcome, {"items": []})["items"].extend(found)


def _several(items: Iterable[Any]) -> Iterable[Any]:
    if isinstance(items, (str, bytes, Mapping)) or not isinstance(items, Iterable):
        raise InvalidType("Items are a list of items")
    return items


def _text_key(key: Any) -> str:
    if isinstance(key, PurePath):
        key = path_text(key)
    if not isinstance(key, str):
        raise InvalidType("A key is a string")
    return key


def _item_path(key: Union[str, bytes]) -> str:
    if not isinstance(key, (str, bytes)):
        raise InvalidType("A key is a string")
    if not key:
        raise InvalidArgument("Key is empty")
    return f"/items/{quote_segment(key)}"


def _number(name: str, value: Any) -> float:
    if not isinstance(value, (int, float)):
        kinds = "a number of seconds" if name == "expire_in" else "a number or a datetime"
        raise InvalidType(f"{name} is {kinds}, not {type(value).__name__}")
    return value


def _whole(name: str, given: Any, seconds: float) -> int:
    try:
        return math.floor(seconds)
    except (ValueError, OverflowError):
        raise InvalidArgument(f"{name} is not a valid time: {given}") from None


def _read_put(reply: Reply) -> Item:
    answer = load(reply)
    stored: list[Item] = answer.get("processed", {}).get("items", [])
    if not stored:
        raise NotStored(f"{reply.request.what}: the server did not store the item", status=reply.status)
    return stored[0]


def _read_insert(reply: Reply) -> Item:
    if reply.status == 409 and reply.is_doubtful:
        raise MayHaveBeenApplied(
            f"{reply.request.what}: the key already exists, perhaps from an earlier try of this insert whose answer was lost",
            status=reply.status,
        )
    return load(reply)


def _read_get(reply: Reply) -> Optional[Item]:
    # A missing item is answered with its key; another 404 comes from somewhere that is no Base.
    if reply.status == 404:
        error = error_of(reply)
        if error.errors or not reply.content.lstrip().startswith(b"{"):
            raise error
        return None
    return load(reply)


def _read_nothing(reply: Reply) -> None:
    load(reply)


def _read_fetch(reply: Reply) -> FetchResponse:
    answer = load(reply)
    items = answer.get("items", [])
    return FetchResponse(len(items), answer.get("paging", {}).get("last"), items)


def _read_history(reply: Reply) -> HistoryResponse:
    answer = load(reply)
    versions = answer.get("versions", [])
    return HistoryResponse(len(versions), answer.get("paging", {}).get("last"), versions)
