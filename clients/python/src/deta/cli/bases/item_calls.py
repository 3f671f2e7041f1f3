"""The operations on a Base for the command: the client's, with every digit of the numbers. Pure.

`deta.items` makes Python's numbers of JSON's, as apps want them. The command hands items on, and a float would change them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional

from deta.cli import exact_json
from deta.errors import ResponseError
from deta.items import Item
from deta.wire import JSON_HEADERS, Call, Reply, Request, error_of, quote_segment


class Stored(NamedTuple):
    """What a put answered: the items as stored, and those that were refused."""

    processed: list[Item]
    failed: list[Item]


class Page(NamedTuple):
    """Items with their revisions, and where the next page begins (None: there is none)."""

    items: list[Item]
    revisions: list[str]
    last: Optional[str]


@dataclass(frozen=True)
class ExactItems:
    """The operations on one Base; `label` is how errors call it."""

    label: str

    def put(self, items: Sequence[Item]) -> Call[Stored]:
        """Up to 25 items."""
        content = exact_json.encode({"items": list(items)})
        has_keys = all("key" in item for item in items)
        what = f"put into {self.label}"
        return Call(Request("PUT", "/items", what, content, JSON_HEADERS, is_repeatable=has_keys), _read_stored)

    def insert(self, item: Item) -> Call[Item]:
        content = exact_json.encode({"item": item})
        what = f"insert into {self.label}"
        return Call(Request("POST", "/items", what, content, JSON_HEADERS, is_repeatable="key" in item), read_object)

    def get(self, key: str) -> Call[Optional[Item]]:
        return Call(Request("GET", f"/items/{quote_segment(key)}", f"get from {self.label}"), _read_item)


def query(label: str, text: str, *, limit: int, last: Optional[str], descending: bool) -> Call[Page]:
    """A page of what the text of the query bar finds, below the address of the Base in `/cli`."""
    asked: dict[str, Any] = {"q": text, "limit": limit, "last": last, "sort": "desc" if descending else "asc"}
    content = exact_json.encode(asked)
    return Call(Request("POST", "/query", f"query of {label}", content, JSON_HEADERS), _read_page)


def read_object(reply: Reply) -> dict[str, Any]:
    """The JSON object of a reply that went well, exactly. Raises the error that any other one means."""
    if not 200 <= reply.status < 300:
        raise error_of(reply)
    try:
        value = exact_json.parse(reply.content.decode())
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ResponseError(f"{reply.request.what}: the answer is not a JSON object", status=reply.status)
    return value


def _read_stored(reply: Reply) -> Stored:
    answer = read_object(reply)
    return Stored(answer["processed"]["items"], answer.get("failed", {}).get("items", []))


def _read_item(reply: Reply) -> Optional[Item]:
    if reply.status == 404 and not error_of(reply).errors:
        return None
    return read_object(reply)


def _read_page(reply: Reply) -> Page:
    answer = read_object(reply)
    return Page(answer["items"], answer["revisions"], answer.get("paging", {}).get("last"))
