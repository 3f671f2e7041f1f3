"""What tests of the Visor start from: a collection whose requests are recorded, and its events once they are stored."""

import time
from typing import Any

from storage.collections import collections
from storage.events import queries as event_queries
from storage.events import recording
from storage.events.blocks import Body, Content, Event, Line
from storage.events.ids import new_event_id
from tests.factories import BaseClient, make_client
from tests.waiting import SWITCH_SECONDS, eventually

# Collections that are recorded and belong to no test yet.
_known: list[str] = []
_AT_ONCE = 20


def make_recorded(server: Any, base: str = "things", **options: Any) -> BaseClient:
    """A client of a new collection that every process of the server knows to be recorded by now.

    The wait is shared: some are made at once, and the tests that follow find theirs ready.
    """
    if not _known:
        made = [collections.create_collection("Made by a test").id for _ in range(_AT_ONCE)]
        record(*made)
        _known.extend(made)
    return make_client(server, base, collection_id=_known.pop(), **options)


def record(*collection_ids: str) -> None:
    """Switch recording on, and wait as long as that may take."""
    for collection_id in collection_ids:
        recording.start_recording(collection_id)
    time.sleep(SWITCH_SECONDS)


def recorded(collection_id: str, count: int, **options: Any) -> list[Event]:
    """The collection's newest events, oldest first, once there are that many."""

    def find() -> tuple[list[Line]] | None:
        lines = event_queries.list_events(collection_id=collection_id, **options).lines
        return (lines,) if len(lines) >= count else None

    found = eventually(find, what=f"there are not {count} events")
    assert found
    (lines,) = found
    assert len(lines) == count
    return [event_queries.find_event(collection_id=collection_id, event_id=line.id) for line in reversed(lines)]


def make_event(collection_id: str, *, at_ns: int | None = None, **more: Any) -> Event:
    """An event that was not stored yet. Names of a line's fields are those of the line, others of the content."""
    fields: dict[str, Any] = {
        "method": "GET",
        "path": "notes/items/a",
        "query": "",
        "status": 200,
        "duration_us": 1500,
    } | more
    line = {name: fields.pop(name) for name in Line.__struct_fields__ if name in fields}
    numbers = {"bytes_in": 0, "bytes_out": 0}
    key_digest = fields.pop("key_digest", b"")
    headers = fields.pop("request_headers", ())
    event_id = line.pop("id", None) or new_event_id(at_ns if at_ns is not None else time.time_ns())
    return Event(collection_id, Line(id=event_id, **(numbers | line)), Content(**fields), headers, key_digest)


def body(text: str | None, content_type: str = "application/json", **more: Any) -> Body:
    return Body(len(text or ""), content_type, text, **more)
