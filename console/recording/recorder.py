"""The recorder: wraps the public API and makes an event of each request to a recorded collection.

A request to any other collection costs a look into a set. No event has a secret in it (`console/recording/exchange.py`), and
nothing that happens to one can hold up its request or fail it.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from console.recording.bodies import Sample, SampledInput, UnhashedSample, UnreadBody
from console.recording.exchange import CapturedExchange, sender_of
from console.recording.request_log import listen
from console.server.answers import REQUEST_ID_HEADER
from console.server.bodies import AWAITED
from console.server.live import LiveBody
from storage import limits
from storage.events import recording
from storage.events.blocks import Event, LogEntry
from storage.events.queue import queue
from storage.request_ids import request_id

logger = logging.getLogger(__name__)

Answer = tuple[str, list[tuple[str, str]], Iterable[bytes]]
Application = Callable[[dict[str, Any]], Answer]

# In the environment of a request that a person sends by hand; no header can put it there, as those begin with `HTTP_`.
SENT_BY_HAND = "homeport.sent_by_hand"

_PREFIX = len("/v1/")
_ID_END = _PREFIX + limits.COLLECTION_ID_CHARACTERS


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
    """Answers as the application does, and records that."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any]) -> Answer:
        path = environ["PATH_INFO"]
        collection_id = path[_PREFIX:_ID_END]
        is_of_collection = recording.is_recorded(collection_id) and path[_ID_END : _ID_END + 1] == "/"
        if not is_of_collection and SENT_BY_HAND not in environ:
            return self._application(environ)
        request: SampledInput | UnreadBody | None = None
        if AWAITED in environ:
            request = UnreadBody(int(environ["CONTENT_LENGTH"]))
        elif environ.get("CONTENT_LENGTH"):
            request = environ["wsgi.input"] = SampledInput(environ["wsgi.input"])
        log: list[LogEntry] = []
        # Django writes what it made of the path back into the environment.
        exchange = OpenExchange(environ, collection_id, path[_ID_END + 1 :], request, log, time.perf_counter_ns())
        listen(log)
        try:
            status, headers, body = answer = self._application(environ)
        finally:
            listen(None)
        if isinstance(body, LiveBody):
            # It may last for days: what is recorded is that it began.
            exchange.finish(status, headers, b"")
            return answer
        if not isinstance(body, list):
            return status, headers, SampledAnswer(body, exchange, status, headers)
        exchange.finish(status, headers, b"".join(body))
        return answer


class OpenExchange(msgspec.Struct, frozen=True, gc=False):
    """One request while it is answered."""

    environ: dict[str, Any]
    collection_id: str
    path: str
    request: SampledInput | UnreadBody | None
    log: list[LogEntry]
    began_ns: int

    def finish(self, status: str, headers: list[tuple[str, str]], response: bytes | Sample) -> None:
        """Hand the event over. Whatever goes wrong here must not reach the request."""
        headers = [(REQUEST_ID_HEADER, request_id.get()), *headers]
        try:
            event = self.capture(status, headers, response).make_event()
            if SENT_BY_HAND in self.environ:
                self.environ[SENT_BY_HAND].take(event)
            else:
                queue.put(event)
        except Exception:
            logger.exception("A request could not be recorded")
            queue.lose(self.collection_id)

    def capture(self, status: str, headers: list[tuple[str, str]], response: bytes | Sample) -> CapturedExchange:
        """What came and went."""
        environ, request = self.environ, self.request
        if isinstance(request, SampledInput):
            request.read_rest()
        return CapturedExchange(
            self.collection_id,
            time.time_ns(),
            time.perf_counter_ns() - self.began_ns,
            environ["REQUEST_METHOD"],
            self.path,
            environ.get("QUERY_STRING", ""),
            status,
            sender_of(environ),
            b"" if request is None else request.taken,
            headers,
            response,
            self.log,
        )


class SampledAnswer:
    """An answer that is sent as it is read; its event is made when it ends, or the client has gone."""

    def __init__(
        self, answer: Iterable[bytes], exchange: OpenExchange, status: str, headers: list[tuple[str, str]]
    ) -> None:
        self._answer = answer
        self._chunks = iter(answer)
        self._exchange = exchange
        self._status, self._headers = status, headers
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
            self._exchange.finish(self._status, self._headers, self._sample)
