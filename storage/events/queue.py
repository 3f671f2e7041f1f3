"""Storing events in the background: a bounded queue and one thread in each process.

The caller never waits and never fails. While the table is slow, locked or unreachable, events collect in the queue. When it
is full, or the disk, events are lost and counted, and the count is stored as soon as possible. A crash of the process loses the
events of the last moment.

Of a request to the API without a key of its collection no body is kept: what strangers send would push out what the owner
looks for. Strangers are whom many a Micro is for, so of what it is sent the body is kept.
"""

import logging
import threading
import time
from collections import Counter
from multiprocessing import util

from storage import disk_space, limits
from storage.counting.counted import Counter as Counted
from storage.counting.counted import Gauge, Minutes
from storage.errors import StorageError
from storage.events.blocks import Body, Event, OpenBlock, pack
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
_LOST = Counted("homeport_recorder_lost")
LOST_LATELY = Minutes("recorder lost", size=1, kept=15)
_STORED = Counted("homeport_recorder_stored")
_WAITING = Gauge("homeport_recorder_waiting")
_NOT_KEPT = "not kept: the request had no key of this collection"

# Whose a key is: its collection's id, and its own.
Owner = tuple[str, int]
_NO_KEY: Owner = ("", 0)

Minute = tuple[str, int]


class EventQueue:
    """Events on their way to the table."""

    def __init__(self) -> None:
        self._blocks: list[OpenBlock] = []
        self._open: dict[Minute, OpenBlock] = {}
        self._closed: list[Block] = []
        self._unnamed: list[Event] = []
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
        """Add an event; it is lost when the queue is full. Returns at once. Raises ValueError for an invalid id."""
        self._put(event)
        if not self._is_awake:
            self._wake()

    def lose(self, collection_id: str) -> None:
        """Count a request that could not be recorded."""
        with self._lock:
            self._lose((collection_id, int(time.time()) // 60))
        self._wake()

    def flush(self) -> None:
        """Store the waiting events and the count of lost ones. Raises StorageError when that fails; they stay in the queue."""
        with self._writing:
            try:
                self._name_keys()
                self._close_blocks()
                is_full = disk_space.is_short_for_items()
                if self._closed and not is_full:
                    self._connection.run_together(statements_for(self._closed))
            except StorageError:
                self._store_lost()
                raise
            except Exception:
                logger.exception("A batch of recorded requests could not be stored")
                self._end_waiting(are_lost=True)
            else:
                self._end_waiting(are_lost=is_full)
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
                # A worker process that ends normally runs these, but not what `atexit` has.
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

    def _put(self, event: Event, *, unknown: Owner | None = None) -> None:
        """An event to its collection's block. One of a key that is not known waits for its name, unless `unknown` is that."""
        owner = _NO_KEY if event.line.micro_id else self._keys.get(event.key_digest, unknown)
        if owner is None:
            self._put_unnamed(event)
            return
        if owner[0] == event.collection_id:
            event.line.key_id = owner[1]
        elif not event.line.micro_id:
            _hide_body(event)
        packed = pack(event)
        # A request to a Micro has the time at which it began, and may have taken minutes.
        place = (event.collection_id, minute_of(event.line.id))
        with self._lock:
            if self._is_full():
                self._lose(place)
                return
            block = self._open.get(place)
            if block is not None and block.has_room_for(packed):
                block.add(packed)
            else:
                block = self._open[place] = OpenBlock(packed)
                self._blocks.append(block)
            self._waiting += 1
            self._waiting_bytes += packed.size_bytes

    def _put_unnamed(self, event: Event) -> None:
        with self._lock:
            if self._is_full():
                self._lose((event.collection_id, minute_of(event.line.id)))
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
                    self._lose((block.collection_id, minute_of(block.last_id)), block.events)
            else:
                _STORED.add(by=sum(block.events for block in closed))
            _WAITING.set(to=self._waiting)

    def _lose(self, place: Minute, events: int = 1) -> None:
        """The caller holds the lock."""
        self._lost[place] += events
        _LOST.add(by=events)
        LOST_LATELY.add("events", [events], minute=int(time.time()) // 60)

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
        """Find the ids of keys that are not known yet. Texts that are not a key are looked up each time, as anybody can send
        any number of them."""
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
            try:
                self._put(event, unknown=_NO_KEY)
            except Exception:
                logger.exception("A request could not be recorded")
                self.lose(event.collection_id)


def _hide_body(event: Event) -> None:
    """Drop the body of a request without a key of the collection."""
    body = event.content.request
    if body.size_bytes:
        event.content.request = Body(body.size_bytes, body.content_type, None, is_cut=True, digest=_NOT_KEPT)


def _texts_size(event: Event) -> int:
    return len(event.content.request.text or "") + len(event.content.response.text or "") + 200


def _size_of(block: Block) -> int:
    return len(block.lines) + len(block.contents)


queue = EventQueue()
