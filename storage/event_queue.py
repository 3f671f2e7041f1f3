"""Storing events in the background: a bounded queue and one thread in each process.

Whoever has an event to store never waits and never fails. While the table is slow, locked or away, events gather in the
queue; when that is full they are lost, and counted, and the count is stored as soon as something can be. What a crash of the
process loses are the events of the last moment.

Of a request without a key of its collection no body is kept: what strangers send would push out what the owner looks for.
"""

import logging
import threading
import time
from collections import Counter, deque
from multiprocessing import util

from storage import limits, sql
from storage.database import OwnConnection
from storage.errors import StorageError
from storage.event_blocks import Body, Event, make_blocks
from storage.event_ids import minute_of
from storage.events import statements_for

logger = logging.getLogger(__name__)

# So long events gather: the price of a transaction is shared, and lists are still fresh within two seconds.
_GATHER_SECONDS = 0.4
_REST_SECONDS = 1.0
_LOCK_TIMEOUT_MS = 1000
_BATCH_MAX = 4 * limits.EVENT_BLOCK_MAX
_NOT_KEPT = "not kept, as no key of this collection came with it"

Minute = tuple[str, int]


class EventQueue:
    """Events on their way to the table."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._waiting_bytes = 0
        self._lost: Counter[Minute] = Counter()
        self._lock = threading.Lock()
        self._filled = threading.Event()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._connection = OwnConnection(lock_timeout_ms=_LOCK_TIMEOUT_MS)
        self._keys: dict[bytes, tuple[str, int]] = {}

    def put(self, event: Event) -> None:
        """Take an event in; when too many wait already it is lost. Returns at once and raises nothing."""
        size = event.size_bytes
        with self._lock:
            if len(self._events) >= limits.EVENT_QUEUE_MAX or self._waiting_bytes >= limits.EVENT_QUEUE_MAX_BYTES:
                self._lost[event.collection_id, minute_of(event.line.id)] += 1
            else:
                self._events.append(event)
                self._waiting_bytes += size
        self._wake()

    def lose(self, collection_id: str) -> None:
        """Count a request that could not be made an event of."""
        with self._lock:
            self._lost[collection_id, int(time.time()) // 60] += 1
        self._wake()

    def flush(self) -> None:
        """Store what waits, and what was lost. Raises StorageError when that cannot be done now; it goes on waiting then."""
        with self._writing:
            while batch := self._take():
                try:
                    self._store(batch)
                except StorageError:
                    self._give_back(batch)
                    self._store_lost()
                    raise
                except Exception:
                    logger.exception("A batch of %s recorded requests could not be stored", len(batch))
                    self._store_singly(batch)
            self._store_lost()

    def _wake(self) -> None:
        if not self._filled.is_set():
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
            try:
                self.flush()
            except StorageError:
                self._filled.set()
                time.sleep(_REST_SECONDS)
            except Exception:
                # This thread is the only one of its kind; a few events are a smaller loss than all later ones.
                logger.exception("Recorded requests could not be stored")

    def _store_last(self) -> None:
        try:
            self.flush()
        except StorageError:
            logger.warning("The last recorded requests could not be stored")

    def _take(self) -> list[Event]:
        with self._lock:
            batch = [self._events.popleft() for _ in range(min(len(self._events), _BATCH_MAX))]
            self._waiting_bytes -= sum(event.size_bytes for event in batch)
            return batch

    def _give_back(self, batch: list[Event]) -> None:
        with self._lock:
            self._events.extendleft(reversed(batch))
            self._waiting_bytes += sum(event.size_bytes for event in batch)

    def _store(self, batch: list[Event]) -> None:
        self._name_keys(batch)
        of_collection: dict[str, list[Event]] = {}
        for event in batch:
            of_collection.setdefault(event.collection_id, []).append(event)
        # In the order of their ids, so that two processes never wait for each other.
        for _, events in sorted(of_collection.items()):
            for stored, block in make_blocks(events):
                self._connection.run_together(statements_for(stored, block))
                # Whatever goes wrong with a later block, these are not stored again.
                done = set(map(id, stored))
                batch[:] = [event for event in batch if id(event) not in done]

    def _store_singly(self, batch: list[Event]) -> None:
        """One event that cannot be stored must not take the others along."""
        for event in list(batch):
            try:
                self._store([event])
            except Exception:
                self.lose(event.collection_id)

    def _store_lost(self) -> None:
        with self._lock:
            lost, self._lost = self._lost, Counter()
        if not lost:
            return
        rows = [(collection_id, minute, 0, 0, 0, count) for (collection_id, minute), count in lost.items()]
        try:
            self._connection.run(*sql.count_events(rows))
        except StorageError:
            with self._lock:
                self._lost.update(lost)
            self._filled.set()

    def _name_keys(self, batch: list[Event]) -> None:
        """Give each event its key's id. Texts that are no key are looked up again: anybody can send such, endlessly."""
        unknown = {event.key_digest for event in batch if event.key_digest} - self._keys.keys()
        if unknown:
            found = self._connection.run(*sql.find_key_ids(list(unknown)))
            self._keys |= {digest: (collection_id, key_id) for digest, collection_id, key_id in found}
        for event in batch:
            collection_id, key_id = self._keys.get(event.key_digest, ("", 0))
            if collection_id == event.collection_id:
                event.line.key_id = key_id
            elif event.content.request.size_bytes:
                body = event.content.request
                event.content.request = Body(body.size_bytes, body.content_type, None, is_cut=True, digest=_NOT_KEPT)


queue = EventQueue()
