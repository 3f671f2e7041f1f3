"""Storing events in the background: a bounded queue and one thread in each process.

Whoever has an event to store never waits and never fails. While the table is slow, locked or away, events gather in the
queue; when that is full they are lost, and counted, and the count is stored as soon as something can be. What a crash of the
process loses are the events of the last moment.

What events can be made of is taken in too, and becomes their bytes many at once, by whoever brings the last.

Of a request without a key of its collection no body is kept: what strangers send would push out what the owner looks for.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import util
from typing import Any, Protocol

from storage import limits
from storage.errors import StorageError
from storage.events.blocks import Body, Columns, Event, OpenBlock, PackedEvents, pack
from storage.events.ids import minute_of
from storage.events.queries import statements_for
from storage.events.sql import queries as events_sql
from storage.events.sql.queries import Block
from storage.postgres.database import OwnConnection

logger = logging.getLogger(__name__)

# So long events gather: the price of a transaction is shared, and lists are still fresh within two seconds.
_GATHER_SECONDS = 0.4
_REST_SECONDS = 1.0
_LOCK_TIMEOUT_MS = 1000
_NOT_KEPT = "not kept: the request had no key of this collection"

# Whose a key is: its collection's id, and its own.
Owner = tuple[str, int]
_NO_KEY: Owner = ("", 0)

# So many are written down at once: what is done once for all of them then costs each next to nothing.
_MADE_AT_ONCE = 64

Minute = tuple[str, int]


class Sender(Protocol):
    """Who sent a request."""

    @property
    def key_digest(self) -> bytes: ...


class Notes(Protocol):
    """What an event can be made of. No secret is in it any more."""

    @property
    def collection_id(self) -> str: ...

    @property
    def sender(self) -> Sender: ...

    def make_event(self) -> Event: ...

    @staticmethod
    def in_columns(together: "Sequence[Any]") -> Columns:
        """Several of them, which came with a key of their collection. Raises anything where one is not as most are."""


class EventQueue:
    """Events on their way to the table."""

    def __init__(self) -> None:
        self._blocks: list[OpenBlock] = []
        self._open: dict[str, OpenBlock] = {}
        self._closed: list[Block] = []
        self._unnamed: list[Event] = []
        self._notes: deque[Notes] = deque()
        self._taking = threading.Lock()
        self._waiting = self._waiting_bytes = 0
        self._lost: Counter[Minute] = Counter()
        self._lock = threading.Lock()
        self._filled = threading.Event()
        # The same, for a request to look at without a call.
        self._is_awake = False
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._connection = OwnConnection(lock_timeout_ms=_LOCK_TIMEOUT_MS)
        self._keys: dict[bytes, Owner] = {b"": _NO_KEY}

    def put(self, event: Event) -> None:
        """Take an event in; when too many wait already it is lost. Returns at once. Raises ValueError for an id that is none."""
        self._put(event)
        self._wake()

    def put_notes(self, notes: Notes) -> None:
        """Take in what an event is to be made of. Returns at once, but for every so many calls."""
        waiting = self._notes
        waiting.append(notes)
        if len(waiting) >= _MADE_AT_ONCE:
            self._put_all_notes()
        if not self._is_awake:
            self._wake()

    def lose(self, collection_id: str) -> None:
        """Count a request that could not be made an event of."""
        with self._lock:
            self._lost[collection_id, int(time.time()) // 60] += 1
        self._wake()

    def flush(self) -> None:
        """Store what waits, and what was lost. Raises StorageError when that cannot be done now; it goes on waiting then."""
        with self._writing:
            self._put_all_notes()
            try:
                self._name_keys()
                self._close_blocks()
                if self._closed:
                    self._connection.run_together(statements_for(self._closed))
            except StorageError:
                self._store_lost()
                raise
            except Exception:
                logger.exception("A batch of recorded requests could not be stored")
                self._end_waiting(are_lost=True)
            else:
                self._end_waiting(are_lost=False)
            self._store_lost()

    def _wake(self) -> None:
        self._is_awake = True
        self._filled.set()
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep_storing, name="events", daemon=True)
                self._thread.start()
                # A worker process that ends as it should runs these; it does not run what `atexit` knows.
                util.Finalize(None, self._store_last, exitpriority=1)

    def _keep_storing(self) -> None:
        while True:
            self._filled.wait()
            time.sleep(_GATHER_SECONDS)
            self._filled.clear()
            self._is_awake = False
            try:
                self.flush()
            except StorageError:
                self._wake()
                time.sleep(_REST_SECONDS)
            except Exception:
                # This thread is the only one of its kind; a few events are a smaller loss than all later ones.
                logger.exception("Recorded requests could not be stored")

    def _store_last(self) -> None:
        try:
            self.flush()
        except StorageError:
            logger.warning("The last recorded requests could not be stored")

    def _put_all_notes(self) -> None:
        """Make events of what waits for that. Several threads may be at it."""
        while together := self._take_notes():
            senders: dict[tuple[str, bytes], list[Notes]] = {}
            for notes in together:
                senders.setdefault((notes.collection_id, notes.sender.key_digest), []).append(notes)
            for (collection_id, key_digest), of_sender in senders.items():
                key_collection_id, key_id = self._keys.get(key_digest, _NO_KEY)
                if key_collection_id == collection_id:
                    self._put_together(of_sender, collection_id, key_id)
                else:
                    for notes in of_sender:
                        self._put_alone(notes)

    def _take_notes(self) -> list[Notes]:
        # While this is held there can only come more.
        with self._taking:
            return [self._notes.popleft() for _ in range(min(len(self._notes), _MADE_AT_ONCE))]

    def _put_together(self, together: Sequence[Notes], collection_id: str, key_id: int) -> None:
        """As one piece of a block; in halves where they do not fit into one, or one of them is not as most are."""
        try:
            packed = together[0].in_columns(together).pack(collection_id=collection_id, key_id=key_id)
            are_good = packed.fit_into_one_block()
        except Exception:
            are_good = False
        if are_good:
            self._put_packed(packed)
        elif len(together) == 1:
            self._put_alone(together[0])
        else:
            half = len(together) // 2
            self._put_together(together[:half], collection_id, key_id)
            self._put_together(together[half:], collection_id, key_id)

    def _put_alone(self, notes: Notes) -> None:
        with self._counting_loss(notes.collection_id):
            self._put(notes.make_event())

    @contextmanager
    def _counting_loss(self, collection_id: str) -> Iterator[None]:
        try:
            yield
        except Exception:
            logger.exception("A request could not be recorded")
            self.lose(collection_id)

    def _put(self, event: Event, *, unknown: Owner | None = None) -> None:
        """An event to its collection's block. One of a key that is not known waits for its name, unless `unknown` is that."""
        owner = self._keys.get(event.key_digest, unknown)
        if owner is None:
            self._put_unnamed(event)
            return
        if owner[0] == event.collection_id:
            event.line.key_id = owner[1]
        else:
            _hide_body(event)
        self._put_packed(pack([event]))

    def _put_packed(self, packed: PackedEvents) -> None:
        with self._lock:
            if self._is_full():
                self._lost[packed.collection_id, minute_of(packed.last_id)] += packed.events
                return
            block = self._open.get(packed.collection_id)
            if block is None or not block.has_room_for(packed):
                block = self._open[packed.collection_id] = OpenBlock(packed.collection_id, packed.first_id)
                self._blocks.append(block)
            block.add(packed)
            self._waiting += packed.events
            self._waiting_bytes += packed.size_bytes

    def _put_unnamed(self, event: Event) -> None:
        with self._lock:
            if self._is_full():
                self._lost[event.collection_id, minute_of(event.line.id)] += 1
            else:
                self._unnamed.append(event)
                self._waiting += 1
                self._waiting_bytes += _texts_size(event)

    def _is_full(self) -> bool:
        return self._waiting >= limits.EVENT_QUEUE_MAX or self._waiting_bytes >= limits.EVENT_QUEUE_MAX_BYTES

    def _close_blocks(self) -> None:
        with self._lock:
            blocks, self._blocks = self._blocks, []
            self._open.clear()
        closed = [block.close() for block in blocks]
        with self._lock:
            self._closed += closed
            self._waiting_bytes += sum(map(_size_of, closed)) - sum(block.size_bytes for block in blocks)

    def _end_waiting(self, *, are_lost: bool) -> None:
        with self._lock:
            closed, self._closed = self._closed, []
            self._waiting -= sum(block.events for block in closed)
            self._waiting_bytes -= sum(map(_size_of, closed))
            if are_lost:
                for block in closed:
                    self._lost[block.collection_id, minute_of(block.last_id)] += block.events

    def _store_lost(self) -> None:
        with self._lock:
            lost, self._lost = self._lost, Counter()
        if not lost:
            return
        rows = [(collection_id, minute, 0, 0, 0, count) for (collection_id, minute), count in lost.items()]
        try:
            self._connection.run(events_sql.count_events(rows))
        except StorageError:
            with self._lock:
                self._lost.update(lost)
            self._wake()

    def _name_keys(self) -> None:
        """Find the ids of keys that are not known yet. Texts that are no key are looked up each time: anybody can send such,
        endlessly."""
        with self._lock:
            unnamed, self._unnamed = self._unnamed, []
        if not unnamed:
            return
        try:
            found = self._connection.run(events_sql.find_key_ids(list({event.key_digest for event in unnamed})))
        except BaseException:
            with self._lock:
                self._unnamed[:0] = unnamed
            raise
        self._keys |= {digest: (collection_id, key_id) for digest, collection_id, key_id in found}
        with self._lock:
            self._waiting -= len(unnamed)
            self._waiting_bytes -= sum(map(_texts_size, unnamed))
        for event in unnamed:
            with self._counting_loss(event.collection_id):
                self._put(event, unknown=_NO_KEY)


def _hide_body(event: Event) -> None:
    """Keep no body that came without a key of the collection."""
    body = event.content.request
    if body.size_bytes:
        event.content.request = Body(body.size_bytes, body.content_type, None, is_cut=True, digest=_NOT_KEPT)


def _texts_size(event: Event) -> int:
    return len(event.content.request.text or "") + len(event.content.response.text or "") + 200


def _size_of(block: Block) -> int:
    return len(block.lines) + len(block.contents)


queue = EventQueue()
