"""The recorder: what stands around the public API and makes an event of each request to a recorded collection.

A request to any other collection costs a look into a set. Nothing that is handed to the queue has a secret in it
(`console/visor/notes.py`); from there on nothing can hold up a request or fail it.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from console.visor.bodies import Overheard, Sample, UnhashedSample
from console.visor.notes import Notes, sender_of
from console.visor.request_log import listen
from storage import limits, recording
from storage.event_blocks import Event, LogEntry
from storage.event_queue import queue

logger = logging.getLogger(__name__)

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

# In the environment of a request that a person sends by hand; no header can put it there, as those begin with `HTTP_`.
SENT_BY_HAND = "homeport.sent_by_hand"

_PREFIX = len("/v1/")
_ID_END = _PREFIX + limits.COLLECTION_ID_CHARACTERS
_MOST_US = 2_000_000_000  # what its column holds, over half an hour


class ByHand:
    """A request sent by a person; its event comes back in `event` instead of going to the queue."""

    def __init__(self, *, origin: str, sent_by: str, replay_of: str = "") -> None:
        self._origin = origin
        self._sent_by = sent_by
        self._replay_of = replay_of
        self.event: Event | None = None

    def take(self, event: Event) -> None:
        """The event, of which only who sent the request is not known yet."""
        event.line.origin, event.line.replay_of, event.content.sent_by = self._origin, self._replay_of, self._sent_by
        self.event = event


class Recorder:
    """A WSGI application that records what another one answers."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        collection_id = path[_PREFIX:_ID_END]
        by_hand: ByHand | None = environ.get(SENT_BY_HAND)
        if by_hand is None and not (recording.is_recorded(collection_id) and path[_ID_END : _ID_END + 1] == "/"):
            return self._application(environ, start_response)
        exchange = Exchange(collection_id, environ, start_response, by_hand)
        listen(exchange.log)
        try:
            answer = self._application(environ, exchange.start_response)
        finally:
            listen(None)
        if not isinstance(answer, list):
            return Overhearing(answer, exchange)
        exchange.finish(b"".join(answer))
        return answer


class Exchange:
    """One request and its answer, while they pass."""

    def __init__(
        self, collection_id: str, environ: dict[str, Any], start_response: StartResponse, by_hand: ByHand | None
    ) -> None:
        self.log: list[LogEntry] = []
        self._environ = environ
        # Django writes what it made of the path back into the environment.
        self._path = environ["PATH_INFO"][_ID_END + 1 :]
        self._collection_id = collection_id
        self._by_hand = by_hand
        self._request: Overheard | None = None
        self._forward = start_response
        if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = self._request = Overheard(environ["wsgi.input"])
        self._began = time.perf_counter()

    def start_response(self, status: str, headers: list[tuple[str, str]]) -> Any:
        self._status, self._headers = int(status[:3]), headers
        return self._forward(status, headers)

    def finish(self, answer: bytes | Sample) -> None:
        """Hand over what was noted. Whatever goes wrong here must not reach the request."""
        duration_us = int((time.perf_counter() - self._began) * 1_000_000)
        environ, request = self._environ, self._request
        try:
            notes = Notes(
                self._collection_id,
                time.time_ns(),
                environ["REQUEST_METHOD"],
                self._path,
                environ.get("QUERY_STRING", ""),
                self._status,
                min(duration_us, _MOST_US),
                sender_of(environ),
                b"" if request is None else request.taken,
                self._headers,
                answer,
                self.log,
            )
            if self._by_hand is not None:
                self._by_hand.take(notes.make_redacted_event())
            elif notes.can_be_kept_as_they_are():
                queue.put_notes(notes)
            else:
                queue.put(notes.make_redacted_event())
        except Exception:
            logger.exception("A request could not be recorded")
            queue.lose(self._collection_id)


class Overhearing:
    """An answer that is sent as it is read; its event is made when it ends, or the client has gone."""

    def __init__(self, answer: Iterable[bytes], exchange: Exchange) -> None:
        self._answer = answer
        self._chunks = iter(answer)
        self._exchange = exchange
        self._is_open = True
        self._sample = UnhashedSample()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        listen(self._exchange.log)
        try:
            chunk = next(self._chunks)
        finally:
            listen(None)
        self._sample.add(chunk)
        return chunk

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._answer.close()  # type: ignore[attr-defined]
        finally:
            self._exchange.finish(self._sample)
