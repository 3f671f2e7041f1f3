"""A recorded request ("event"), and blocks that store many of them in one row. Pure: events to bytes and back.

A row for each event cost more than a quarter of the API's throughput when it was tried, mostly for what a database does
for a row. So the events of a moment are kept together, compressed: the lines of the list apart from the contents, which
hold bodies and headers. Reading a page of the list opens a block or two; a filter looks into 500 lines at a time.

Events become bytes as soon as there is a block to take them in: thousands may wait to be stored, and looking at each of
their texts again later would cost more than all of the rest.
"""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any, NamedTuple

import msgspec
import zstandard

from storage import limits
from storage.events import ids as event_ids
from storage.events.sql.queries import Block

# Where an event came from: an app's request, one that was sent again, one written in the HTTP client.
APP, REPLAY, CLIENT = "app", "replay", "client"

# Bodies and headers repeat each other, over far more bytes than zlib looks back; the first level finds nearly all of that.
_LEVEL = 1

# All events of a block are of the same minute.
BLOCK_SPAN = timedelta(minutes=1)

Headers = tuple[tuple[str, str], ...]
LogEntry = tuple[str, str, str]


class Line(msgspec.Struct, array_like=True, gc=False):
    """An event as a line of the list. `path` is what follows `/v1/{collection}/`. `key_name` and `is_pinned` are found out
    when the line is shown."""

    id: str
    method: str
    path: str
    query: str
    status: int
    duration_us: int
    bytes_in: int
    bytes_out: int
    key_id: int | None = None
    origin: str = APP
    replay_of: str = ""
    key_name: str = ""
    is_pinned: bool = False

    @property
    def at(self) -> datetime:
        """When the answer was made, UTC."""
        return event_ids.time_of(self.id)

    @property
    def duration_ms(self) -> float:
        return self.duration_us / 1000

    @property
    def target(self) -> str:
        """Path and query as one text."""
        return f"{self.path}?{self.query}" if self.query else self.path


class Body(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A body: its text, or None where that was not kept and `digest` says how to know it again, or why not."""

    size_bytes: int = 0
    content_type: str = ""
    text: str | None = ""
    is_cut: bool = False
    digest: str = ""


class Content(msgspec.Struct, array_like=True, gc=False):
    """What an event holds besides its line and the request's headers.

    `log` has level, logger and message of each entry; `is_redacted` says that a secret stood somewhere but in a header that
    always holds one; `sent_by` is the person who sent it by hand.
    """

    response_headers: Headers = ()
    request: Body = Body()
    response: Body = Body()
    log: tuple[LogEntry, ...] = ()
    is_redacted: bool = False
    sent_by: str = ""


class Event(msgspec.Struct, array_like=True, gc=False):
    """A request that was answered. The key is named by the SHA-256 that it is known by, until its id is found."""

    collection_id: str
    line: Line
    content: Content
    request_headers: Headers = ()
    key_digest: bytes = b""


class _Contents(msgspec.Struct, array_like=True):
    """The contents of a block. An app sends the same headers with every request: each set is here once, and `places` says
    which one each event has."""

    headers: list[Headers]
    places: list[int]
    contents: list[Content]


# The last fields of an ordinary request's event: nothing was cut, logged or sent by hand.
_LINE_REST, _BODY_REST, _CONTENT_REST = (
    part.__struct_defaults__[part.__struct_fields__.index(name) - len(part.__struct_fields__) :]
    for part, name in ((Line, "origin"), (Body, "is_cut"), (Content, "log"))
)
_FIRST_ERROR = 400

_encoder = msgspec.msgpack.Encoder()
_lines_decoder = msgspec.msgpack.Decoder(list[Line])
_contents_decoder = msgspec.msgpack.Decoder(_Contents)
_event_decoder = msgspec.msgpack.Decoder(Event)
_of_thread = threading.local()


class PackedEvents(NamedTuple):
    """Events of one collection as bytes: their lines and their contents, as MessagePack one after the other. `errors`,
    `by_hand` and `slowest_us` are as in a `Block`; `request_headers` are those of each."""

    collection_id: str
    request_headers: Sequence[Headers]
    first_id: str
    last_id: str
    errors: int
    by_hand: int
    slowest_us: int
    lines: memoryview
    contents: memoryview

    @property
    def events(self) -> int:
        return len(self.request_headers)

    @property
    def size_bytes(self) -> int:
        return len(self.lines) + len(self.contents)

    def fit_into_one_block(self) -> bool:
        """Whether they may be stored together. Raises ValueError for an invalid id."""
        is_small = self.size_bytes <= limits.EVENT_BLOCK_MAX_BYTES and self.events <= limits.EVENT_BLOCK_MAX
        return is_small and event_ids.minute_of(self.first_id) == event_ids.minute_of(self.last_id)


class OpenBlock:
    """A block that still takes events in, of one collection and one minute. For one thread at a time.

    `size_bytes` is what they take before they are compressed.
    """

    def __init__(self, collection_id: str, first_id: str) -> None:
        """For events of the minute of this one's id."""
        self.size_bytes = 0
        self.events = 0
        self._collection_id = collection_id
        self._minute = event_ids.bounds_of_minute(first_id)
        self._errors = self._by_hand = self._slowest_us = 0
        self._first_id, self._last_id = event_ids.HIGHEST, event_ids.LOWEST
        self._lines, self._contents = bytearray(), bytearray()
        self._headers: list[Headers] = []
        self._places: list[int] = []
        self._place_of: dict[int, int] = {}

    def has_room_for(self, packed: PackedEvents) -> bool:
        """Whether these fit too. An event that is larger than a whole block gets its own."""
        since, until = self._minute
        return (
            since <= packed.first_id <= packed.last_id < until
            and self.events + packed.events <= limits.EVENT_BLOCK_MAX
            and self.size_bytes + packed.size_bytes <= limits.EVENT_BLOCK_MAX_BYTES
        )

    def add(self, packed: PackedEvents) -> None:
        """Add events. A request to a recorded collection waits for this."""
        self._lines += packed.lines
        self._contents += packed.contents
        self.size_bytes += packed.size_bytes
        self.events += packed.events
        self._first_id = min(self._first_id, packed.first_id)
        self._last_id = max(self._last_id, packed.last_id)
        self._errors += packed.errors
        self._by_hand += packed.by_hand
        self._slowest_us = max(self._slowest_us, packed.slowest_us)
        # The same headers are nearly always the same object, which stays here and so keeps its identity.
        identities = list(map(id, packed.request_headers))
        if not self._place_of.keys() >= set(identities):
            for identity, headers in zip(identities, packed.request_headers, strict=True):
                if identity not in self._place_of:
                    self._place_of[identity] = len(self._headers)
                    self._headers.append(headers)
        self._places += map(self._place_of.__getitem__, identities)

    def close(self) -> Block:
        """The block as it is stored."""
        contents = (self._headers, self._places, msgspec.Raw(_array(self.events, self._contents)))
        return Block(
            collection_id=self._collection_id,
            last_id=self._last_id,
            first_id=self._first_id,
            events=self.events,
            errors=self._errors,
            by_hand=self._by_hand,
            slowest_us=self._slowest_us,
            lines=_compress(_array(self.events, self._lines)),
            contents=_compress(_encoder.encode(contents)),
        )


def pack(events: Sequence[Event]) -> PackedEvents:
    """Events of one collection as bytes, for a block to take in."""
    lines = [event.line for event in events]
    return PackedEvents(
        collection_id=events[0].collection_id,
        request_headers=[event.request_headers for event in events],
        first_id=min(line.id for line in lines),
        last_id=max(line.id for line in lines),
        errors=sum(line.status >= _FIRST_ERROR for line in lines),
        by_hand=sum(line.origin != APP for line in lines),
        slowest_us=max(line.duration_us for line in lines),
        lines=_elements(lines),
        contents=_elements([event.content for event in events]),
    )


class Columns(NamedTuple):
    """Requests of apps with one key of one collection, by field instead of by request: what is in a `Line`, a `Content` and the
    two `Body` of each. No body was cut, and nothing was logged or redacted."""

    ids: Sequence[str]
    methods: Sequence[str]
    paths: Sequence[str]
    queries: Sequence[str]
    statuses: Sequence[int]
    durations_us: Sequence[int]
    request_headers: Sequence[Headers]
    request_types: Sequence[str]
    requests: Sequence[str]
    request_sizes: Sequence[int]
    response_headers: Sequence[Sequence[tuple[str, str]]]
    response_types: Sequence[str]
    responses: Sequence[str]
    response_sizes: Sequence[int]

    def pack(self, *, collection_id: str, key_id: int) -> PackedEvents:
        """The same bytes as of events, for far less: each step is taken in C for all of them, and nothing is made of a
        request but the tuples that are written."""
        sizes = (self.request_sizes, self.response_sizes)
        heads = (self.ids, self.methods, self.paths, self.queries, self.statuses, self.durations_us, *sizes)
        lines = _rows(*heads, rest=(key_id, *_LINE_REST))
        requests = _rows(self.request_sizes, self.request_types, self.requests, rest=_BODY_REST)
        responses = _rows(self.response_sizes, self.response_types, self.responses, rest=_BODY_REST)
        contents = _rows(self.response_headers, requests, responses, rest=_CONTENT_REST)
        return PackedEvents(
            collection_id=collection_id,
            request_headers=self.request_headers,
            first_id=min(self.ids),
            last_id=max(self.ids),
            errors=sum(map(_FIRST_ERROR.__le__, self.statuses)),
            by_hand=0,
            slowest_us=max(self.durations_us),
            lines=_elements(lines),
            contents=_elements(contents),
        )


def make_block(event: Event) -> Block:
    """A block of one event."""
    block = OpenBlock(event.collection_id, event.line.id)
    block.add(pack([event]))
    return block.close()


def open_lines(packed: bytes) -> list[Line]:
    """The lines of a block, about in the order of their ids."""
    return _lines_decoder.decode(_decompress(packed))


def open_contents(contents: bytes) -> tuple[list[tuple[Content, Headers]], int]:
    """The contents of a block with the requests' headers, in the same order; and how many bytes that is."""
    plain = _decompress(contents)
    found = _contents_decoder.decode(plain)
    return [(content, found.headers[place]) for content, place in zip(found.contents, found.places, strict=True)], len(
        plain
    )


def pack_event(event: Event) -> bytes:
    """One event as bytes of its own."""
    return _compress(_encoder.encode(event))


def unpack_event(packed: bytes) -> Event:
    """The event that `pack_event` packed."""
    return _event_decoder.decode(_decompress(packed))


def _elements(values: list[Any]) -> memoryview:
    """Fewer than 65,536 values as MessagePack, one behind the other: an array of them without its head, which is one byte
    ("fixarray" of the specification) or, from 16 values on, three ("array 16")."""
    return memoryview(_encoder.encode(values))[1 if len(values) < 16 else 3 :]


def _rows(*columns: Sequence[Any], rest: Sequence[Any]) -> list[tuple[Any, ...]]:
    """One tuple for each place in the columns, which are equally long, with the same rest at its end."""
    return list(zip(*columns, *map(repeat, rest), strict=False))


def _array(length: int, elements: bytearray) -> bytes:
    """A MessagePack array of values that are MessagePack already ("array 32" of its specification)."""
    return b"\xdd" + length.to_bytes(4, "big") + elements


def _compress(plain: bytes) -> bytes:
    # Each begins with a megabyte of tables, and serves one thread at a time.
    if not hasattr(_of_thread, "compressor"):
        _of_thread.compressor = zstandard.ZstdCompressor(level=_LEVEL)
    packed: bytes = _of_thread.compressor.compress(plain)
    return packed


def _decompress(packed: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(packed)
