"""Looks for what is new, on behalf of all who follow anything in this process: one thread, and only while somebody does.

Each look begins and ends in the event loop, which alone touches listeners. There those are gathered who can take more, by topic
and place; the thread reads what is new behind each once, and hands it back. So however many follow the same, the database is
asked once.
"""

import logging
import threading
import time
from asyncio import AbstractEventLoop
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connections

from console.live import rights
from console.live.rights import Right
from console.live.sources import BaseSource, Source, VisorSource
from console.live.topics import BaseChanges, Batch, Topic, VisorList
from storage import limits
from storage.errors import EngineUnreachable, StorageError

if TYPE_CHECKING:
    from console.live.listeners import Listener

T = TypeVar("T")

logger = logging.getLogger(__name__)

_TROUBLE_SECONDS = 1.0
_BEAT_LOOK_SECONDS = 1.0


class _LoopEnded(Exception):
    """The process is going down."""


class Watcher:
    """Of one event loop."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._sources: dict[type[Any], Source] = {BaseChanges: BaseSource(), VisorList: VisorSource()}
        self._listeners: defaultdict[Topic, set[Listener]] = defaultdict(set)
        # Bytes that were sent by the rights of those who have gone.
        self._left: Counter[Right] = Counter()
        self._is_wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._rights_at = 0.0
        self._is_beating = False

    # In the event loop.

    def join(self, listener: "Listener") -> None:
        """From now on it is sent what is new."""
        self._listeners[listener.topic].add(listener)
        self._is_wanted.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)
            self._thread.start()
        if not self._is_beating:
            self._is_beating = True
            self._loop.call_later(_BEAT_LOOK_SECONDS, self._beat)

    def leave(self, listener: "Listener") -> None:
        """It has gone."""
        followers = self._listeners.get(listener.topic, set())
        followers.discard(listener)
        if not followers:
            self._listeners.pop(listener.topic, None)
        if listener.sent_bytes:
            self._left[listener.right] += listener.sent_bytes
            listener.sent_bytes = 0
            self._is_wanted.set()

    def _gather(self) -> dict[type[Any], list[tuple[Topic, Hashable]]]:
        """Who can take more: the topics by their kinds, each with the places they are at, those first who waited for longest."""
        waits: dict[tuple[Topic, Hashable], float] = {}
        for topic, followers in self._listeners.items():
            for listener in followers:
                if listener.is_ready():
                    at = (topic, listener.place)
                    waits[at] = min(waits.get(at, listener.spoke_at), listener.spoke_at)
        found = defaultdict(list)
        for topic, place in sorted(waits, key=waits.__getitem__):
            found[type(topic)].append((topic, place))
        if not self._listeners and not self._left:
            self._is_wanted.clear()
        return found

    def _gather_rights(self) -> Counter[Right]:
        """Everybody's, with the bytes that were sent by them since the last time."""
        sent, self._left = self._left, Counter()
        for followers in self._listeners.values():
            for listener in followers:
                sent[listener.right] += listener.sent_bytes
                listener.sent_bytes = 0
        return sent

    def _deliver(self, batch: Batch) -> None:
        for listener in list(self._listeners.get(batch.topic, ())):
            if listener.place == batch.since and listener.is_ready():
                listener.take(batch)

    def _end(self, topic: Topic, place: Hashable, error: StorageError) -> None:
        for listener in list(self._listeners.get(topic, ())):
            if listener.place == place:
                listener.refuse(error)

    def _refuse(self, refused: dict[Right, StorageError]) -> None:
        for followers in list(self._listeners.values()):
            for listener in list(followers):
                if listener.right in refused:
                    listener.refuse(refused[listener.right])

    def _beat(self) -> None:
        now = self._loop.time()
        for followers in list(self._listeners.values()):
            for listener in list(followers):
                listener.beat(now)
        self._is_beating = bool(self._listeners)
        if self._is_beating:
            self._loop.call_later(_BEAT_LOOK_SECONDS, self._beat)

    # In the thread.

    def _watch(self) -> None:
        while True:
            self._is_wanted.wait()
            began = time.monotonic()
            try:
                has_more = self._look()
            except _LoopEnded:
                return
            except EngineUnreachable:
                # They go on from where they are when it answers again.
                has_more, began = False, time.monotonic() + _TROUBLE_SECONDS
            except Exception:
                logger.exception("Changes could not be read for those who follow them")
                has_more, began = False, time.monotonic() + _TROUBLE_SECONDS
            finally:
                connections.close_all()
            if not has_more:
                time.sleep(max(0.0, began + limits.STREAM_POLL_SECONDS - time.monotonic()))

    def _look(self) -> bool:
        """Read what is new, and hand it over; whether there is more."""
        has_more = False
        self._look_at_rights()
        for kind, wanted in self._ask(self._gather).items():
            for found in self._sources[kind].read(wanted):
                if isinstance(found, Batch):
                    has_more = has_more or found.more
                    self._tell(self._deliver, found)
                else:
                    self._tell(self._end, *found)
                self._look_at_rights()
        return has_more

    def _look_at_rights(self) -> None:
        """If it is time."""
        if time.monotonic() < self._rights_at:
            return
        self._rights_at = time.monotonic() + limits.STREAM_RIGHTS_SECONDS
        refused = rights.find_refusals(self._ask(self._gather_rights).items())
        if refused:
            self._tell(self._refuse, refused)

    def _tell(self, act: Callable[..., None], *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(act, *args)
        except RuntimeError:
            raise _LoopEnded from None

    def _ask(self, find: Callable[[], T]) -> T:
        answer: Future[T] = Future()

        def act() -> None:
            try:
                answer.set_result(find())
            except Exception as error:
                answer.set_exception(error)

        self._tell(act)
        while True:
            try:
                return answer.result(timeout=_TROUBLE_SECONDS)
            except TimeoutError:
                if self._loop.is_closed():
                    raise _LoopEnded from None


_watchers: dict[AbstractEventLoop, Watcher] = {}


def of(loop: AbstractEventLoop) -> Watcher:
    """The one of this loop: a process has one of each."""
    if loop not in _watchers:
        _watchers[loop] = Watcher(loop)
    return _watchers[loop]
