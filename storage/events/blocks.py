"""A recorded request ("event"), and blocks that store many of them in one row. Pure: events to bytes and back.

A row for each event cost more than a quarter of the API's throughput when it was tried, mostly for what a database does
for a row. So the events of a moment are kept together, compressed: the lines of the list apart from the contents, which
hold bodies and headers. Reading a page of the list opens a block or two; a filter looks into 500 lines at a time.

Events become bytes one by one as they come (`pack`), and a block puts these behind one another: thousands may wait to be
stored, and looking at each of their texts again later would cost more than all of the rest.
"""

import threading
from datetime import datetime, timedelta

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
# When, in seconds since 1970; whether it is an error's; and the text.
PrintedLine = tuple[float, bool, str]


class Line(msgspec.Struct, array_like=True, gc=False):
    """An event as a line of the list. `path` is what follows `/v1/{collection}/`, or all of it in a request to a Micro.

    `key_name`, `is_pinned`, `micro_name` and `micro_subdomain` are found out when the line is shown; a Micro that was deleted has
    neither.
    """

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
    # Blocks of before there were Micros end here.
    micro_id: str = ""
    micro_name: str = ""
    micro_subdomain: str = ""

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
    """A body: its text, or None where that was not kept and `digest` says how to know it again, or why not.

    `size_bytes` is what was sent; `decoded_from` is the Content-Encoding that it had, if the text is what that stood for.
    """

    size_bytes: int = 0
    content_type: str = ""
    text: str | None = ""
    is_cut: bool = False
    digest: str = ""
    decoded_from: str = ""


class Content(msgspec.Struct, array_like=True, gc=False):
    """What an event holds besides its line and the request's headers.

    `log` has level, logger and message of each entry; `is_redacted` says that a secret stood somewhere but in a header that
    always holds one; `sent_by` is the person who sent it by hand; `printed` is what a Micro printed meanwhile, in an event that
    was pinned: its log goes, and the event stays.
    """

    response_headers: Headers = ()
    request: Body = Body()
    response: Body = Body()
    log: tuple[LogEntry, ...] = ()
    is_redacted: bool = False
    sent_by: str = ""
    printed: tuple[PrintedLine, ...] = ()


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


FIRST_ERROR = 400
# The column holds no more. What took longer is told to have taken so long, where a block is looked for by it.
LONGEST_TOLD_US = 2**31 - 1

_encoder = msgspec.msgpack.Encoder()
_lines_decoder = msgspec.msgpack.Decoder(list[Line])
_contents_decoder = msgspec.msgpack.Decoder(_Contents)
_event_decoder = msgspec.msgpack.Decoder(Event)
_of_thread = threading.local()


class PackedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event with its line and its content as bytes, whose size is `size_bytes`."""

    event: Event
    line: msgspec.Raw
    content: msgspec.Raw
    size_bytes: int


class OpenBlock:
    """A block that still takes events in, of one collection and one minute. For one thread at a time.

    `size_bytes` is what they take before they are compressed.
    """

    def __init__(self, first: PackedEvent) -> None:
        """With its first event, which says whose events and of which minute the others are, and may be of any size.

        Raises ValueError for an id that is none.
        """
        line = first.event.line
        self._collection_id = first.event.collection_id
        self.size_bytes = 0
        self._minute = event_ids.bounds_of_minute(line.id)
        self._errors = self._by_hand = self._slowest_us = 0
        self._first_id = self._last_id = line.id
        self._lines: list[msgspec.Raw] = []
        self._contents: list[msgspec.Raw] = []
        self._places: list[int] = []
        self._place_of: dict[Headers, int] = {}
        self.add(first)

    @property
    def events(self) -> int:
        return len(self._lines)

    def has_room_for(self, packed: PackedEvent) -> bool:
        """Whether this event may come in as well."""
        since, until = self._minute
        return (
            since <= packed.event.line.id < until
            and len(self._lines) < limits.EVENT_BLOCK_MAX
            and self.size_bytes + packed.size_bytes <= limits.EVENT_BLOCK_MAX_BYTES
        )

    def add(self, packed: PackedEvent) -> None:
        """Take an event in. A request to a recorded collection waits for this."""
        self._lines.append(packed.line)
        self._contents.append(packed.content)
        self._places.append(self._place_of.setdefault(packed.event.request_headers, len(self._place_of)))
        self.size_bytes += packed.size_bytes
        line = packed.event.line
        if line.id < self._first_id:
            self._first_id = line.id
        elif line.id > self._last_id:
            self._last_id = line.id
        if line.duration_us > self._slowest_us:
            self._slowest_us = line.duration_us
        self._errors += line.status >= FIRST_ERROR
        self._by_hand += line.origin != APP

    def close(self) -> Block:
        """The block as it is stored."""
        contents = (list(self._place_of), self._places, self._contents)
        return Block(
            collection_id=self._collection_id,
            last_id=self._last_id,
            first_id=self._first_id,
            events=self.events,
            errors=self._errors,
            by_hand=self._by_hand,
            slowest_us=min(self._slowest_us, LONGEST_TOLD_US),
            lines=_compress(_encoder.encode(self._lines)),
            contents=_compress(_encoder.encode(contents)),
        )


def pack(event: Event) -> PackedEvent:
    """An event as bytes, for a block to take in."""
    line, content = _encoder.encode(event.line), _encoder.encode(event.content)
    return PackedEvent(event, msgspec.Raw(line), msgspec.Raw(content), len(line) + len(content))


def make_block(event: Event) -> Block:
    """A block of one event."""
    return OpenBlock(pack(event)).close()


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


def _compress(plain: bytes) -> bytes:
    # Each begins with a megabyte of tables, and serves one thread at a time.
    if not hasattr(_of_thread, "compressor"):
        _of_thread.compressor = zstandard.ZstdCompressor(level=_LEVEL)
    packed: bytes = _of_thread.compressor.compress(plain)
    return packed


def _decompress(packed: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(packed)
