"""What a request to the public API is about: read from its path, and turned into links to the item or file it touched.

Pure but for the address of a collection's pages. The path is what follows `/v1/{collection}/`, percent-encoded.
"""

import json
from typing import NamedTuple
from urllib.parse import parse_qs, quote, unquote

from django.urls import reverse

from storage.events.blocks import Event
from storage.names import is_name

_MOST_LINKS = 5


class Target(NamedTuple):
    """`kind` is the word after the Base's or Drive's name in the path; `key` is the rest, an item's key."""

    name: str
    kind: str
    key: str

    @property
    def is_base(self) -> bool:
        return self.kind in ("items", "query", "changes")


class Link(NamedTuple):
    """A way to a page of this console."""

    label: str
    url: str


def read_target(path: str) -> Target:
    """The parts of a path, empty where they are missing."""
    name, _, rest = path.partition("/")
    kind, _, key = rest.partition("/")
    return Target(unquote(name), kind, unquote(key))


def find_touched(event: Event) -> list[Link]:
    """The items or files that an answered write touched, a few of them; none for a read, a refused write and a Micro."""
    line, target = event.line, read_target(event.line.path)
    if line.micro_id or line.method in ("GET", "HEAD", "OPTIONS") or target.kind == "query" or line.status >= 400:
        return []
    if target.is_base:
        keys = keys_written(event)
        return [_item_link(event.collection_id, target.name, key) for key in keys[:_MOST_LINKS]]
    names = parse_qs(line.query).get("name", []) or _deleted_names(event.content.response.text)
    return [_file_link(event.collection_id, target.name, name) for name in names[:_MOST_LINKS]]


def keys_written(event: Event) -> list[str]:
    """The keys of the items that an answered write to a Base was about, as far as what was recorded tells."""
    key = read_target(event.line.path).key
    return [key] if key else _stored_keys(event.content.response.text)


def history_url(event: Event) -> str:
    """Where the history of a Base shows what an answered write to its items changed; "" for any other request."""
    line, target = event.line, read_target(event.line.path)
    if line.micro_id or line.method in ("GET", "HEAD", "OPTIONS") or target.kind != "items" or line.status >= 400:
        return ""
    if not is_name(target.name):
        return ""
    return f"{reverse('base-history', args=[event.collection_id, target.name])}?event={line.id}"


def stored_keys(answer: bytes) -> list[str]:
    """The keys in the answer to a PUT or POST of items."""
    return _stored_keys(answer.decode(errors="replace"))


def _stored_keys(answer: str | None) -> list[str]:
    try:
        found = json.loads(answer or "")
        items = found["processed"]["items"] if "processed" in found else [found]
        return [item["key"] for item in items]
    except (ValueError, KeyError, TypeError):
        # A long answer was cut when it was recorded; the link is a convenience.
        return []


def _deleted_names(answer: str | None) -> list[str]:
    try:
        return [str(name) for name in json.loads(answer or "")["deleted"]]
    except (ValueError, KeyError, TypeError):
        return []


def _item_link(collection_id: str, base: str, key: str) -> Link:
    return Link(f"{base} / {key}", f"{reverse('base', args=[collection_id, base])}?key={quote(key, safe='')}")


def _file_link(collection_id: str, drive: str, name: str) -> Link:
    return Link(f"{drive} / {name}", f"{reverse('drive', args=[collection_id, drive])}?file={quote(name, safe='')}")
