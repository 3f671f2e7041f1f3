"""What a recorded request ("event") is, and how many of them become one row. Pure: events in, bytes out, and back.

A row for each event cost more than a quarter of the API's throughput when it was tried, mostly for what a database does
for a row. So the events of a moment are kept together, compressed: the lines of the list apart from the contents, which
hold bodies and headers. Reading a page of the list opens a block or two; a filter looks into 500 lines at a time.

Thousands of events may wait to be stored. None refers back to anything, so the collector of cycles need not look at them
(`gc=False`).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
import zstandard

from storage import event_ids, limits
from storage.sql import Block

# Where an event came from: an app's request, one that was sent again, one written in the HTTP client.
APP, REPLAY, CLIENT = "app", "replay", "client"

# Bodies and headers repeat each other, over far more bytes than zlib looks back; the first level finds nearly all of that.
_LEVEL = 1

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
    """A request that was answered. The key is named by the SHA-256 that it is known by, until its id is found.

    `size_bytes` is roughly what it takes in memory, and in a block before that is compressed.
    """

    collection_id: str
    line: Line
    content: Content
    request_headers: Headers = ()
    key_digest: bytes = b""
    size_bytes: int = 0

    def __post_init__(self) -> None:
        content, line = self.content, self.line
        texts = len(content.request.text or "") + len(content.response.text or "") + len(line.path) + len(line.query)
        self.size_bytes = texts + 20 * (len(self.request_headers) + len(content.response_headers)) + 200


class _Contents(msgspec.Struct, array_like=True):
    """The contents of a block. An app sends the same headers with every request: each set stands here once, and `places` says
    which is each event's."""

    headers: list[Headers]
    places: list[int]
    contents: list[Content]


_encoder = msgspec.msgpack.Encoder()
_lines_decoder = msgspec.msgpack.Decoder(list[Line])
_contents_decoder = msgspec.msgpack.Decoder(_Contents)
_event_decoder = msgspec.msgpack.Decoder(Event)


def make_blocks(events: Iterable[Event]) -> Iterator[tuple[list[Event], Block]]:
    """Events of one collection, in any order, as blocks."""
    waiting: list[Event] = []
    size = 0
    for event in sorted(events, key=lambda each: each.line.id):
        if waiting and _is_full(waiting, size, event):
            yield waiting, make_block(waiting)
            waiting, size = [], 0
        waiting.append(event)
        size += event.size_bytes
    if waiting:
        yield waiting, make_block(waiting)


def make_block(events: list[Event]) -> Block:
    """Events of one collection, in the order of their ids, as one block."""
    lines = [event.line for event in events]
    known: dict[Headers, int] = {}
    places = [known.setdefault(event.request_headers, len(known)) for event in events]
    contents = _Contents(list(known), places, [event.content for event in events])
    return Block(
        collection_id=events[0].collection_id,
        last_id=lines[-1].id,
        first_id=lines[0].id,
        events=len(lines),
        errors=sum(line.status >= 400 for line in lines),
        by_hand=sum(line.origin != APP for line in lines),
        slowest_us=max(line.duration_us for line in lines),
        lines=_compress(_encoder.encode(lines)),
        contents=_compress(_encoder.encode(contents)),
    )


def open_lines(lines: bytes) -> list[Line]:
    """The lines of a block, in the order of their ids."""
    return _lines_decoder.decode(_decompress(lines))


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


def _compress(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(plain)


def _decompress(packed: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(packed)


def _is_full(events: list[Event], size_bytes: int, following: Event) -> bool:
    span_ms = event_ids.ms_of(following.line.id) - event_ids.ms_of(events[0].line.id)
    return (
        len(events) >= limits.EVENT_BLOCK_MAX
        or size_bytes + following.size_bytes > limits.EVENT_BLOCK_MAX_BYTES
        or span_ms > limits.EVENT_BLOCK_MAX_SECONDS * 1000
    )
