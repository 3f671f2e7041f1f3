"""The recorder: what stands around the public API and makes an event of each request to a recorded collection.

A request to any other collection costs a look into a set. An event is complete, and its secrets are unreadable, before it
is handed to the queue; from there on nothing can hold up a request or fail it.
"""

import hashlib
import logging
import string
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from console.visor.bodies import Overheard, Sample, UnhashedSample, cut, whole_body
from console.visor.redaction import REDACTED, SECRET_HEADERS, Redactor, Secrets
from console.visor.request_log import listen
from storage import event_ids, limits, recording
from storage.event_blocks import Body, Content, Event, Headers, Line, LogEntry
from storage.event_queue import queue

logger = logging.getLogger(__name__)

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

# In the environment of a request that a person sends by hand; no header can put it there, as those begin with `HTTP_`.
SENT_BY_HAND = "homeport.sent_by_hand"

_PREFIX = len("/v1/")
_ID_END = _PREFIX + limits.COLLECTION_ID_CHARACTERS
_UNRESERVED = (string.ascii_letters + string.digits + "/_.~-").encode()
_SAFE = "/:@!$&'()*+,;=~"
_NO_BODY = Body()
_MOST = limits.EVENT_TEXT_MAX_CHARACTERS
_MOST_US = 2_000_000_000  # what its column holds, over half an hour


class ByHand:
    """A request sent by a person; its event comes back in `event` instead of going to the queue."""

    def __init__(self, *, origin: str, sent_by: str, replay_of: str = "") -> None:
        self.origin = origin
        self.sent_by = sent_by
        self.replay_of = replay_of
        self.event: Event | None = None


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
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = self._request = Overheard(environ["wsgi.input"])
        self._began = time.perf_counter()

    def start_response(self, status: str, headers: list[tuple[str, str]]) -> Any:
        self._status = int(status[:3])
        self._headers = headers
        return self._forward(status, headers)

    def finish(self, answer: bytes | Sample) -> None:
        """Make an event of it and hand it over. Whatever goes wrong here must not reach the request."""
        duration_us = int((time.perf_counter() - self._began) * 1_000_000)
        try:
            event = self._make_event(min(duration_us, _MOST_US), answer)
            if self._by_hand is not None:
                self._by_hand.event = event
            else:
                queue.put(event)
        except Exception:
            logger.exception("A request could not be recorded")
            queue.lose(self._collection_id)

    def _make_event(self, duration_us: int, answer: bytes | Sample) -> Event:
        environ, by_hand = self._environ, self._by_hand
        names = _header_variables(tuple(environ))
        sender = _sender(names, tuple([environ[name] for name in names]))
        content = self._content(answer)
        line = Line(
            event_ids.new_event_id(time.time_ns()),
            environ["REQUEST_METHOD"][:16],
            _written_path(self._path),
            _written_query(environ.get("QUERY_STRING", "")),
            self._status,
            duration_us,
            content.request.size_bytes,
            content.response.size_bytes,
        )
        event = Event(self._collection_id, line, content, sender.headers, sender.key_digest)
        if not _is_clean(event, sender):
            _redact(event, Redactor(sender.secrets))
        if by_hand is not None:
            line.origin, line.replay_of, content.sent_by = by_hand.origin, by_hand.replay_of, by_hand.sent_by
        return event

    def _content(self, answer: bytes | Sample) -> Content:
        headers = dict(self._headers)
        content_type = headers.get("Content-Type", "")
        return Content(
            tuple([pair if pair[1].isascii() else (pair[0], _clean(pair[1])) for pair in self._headers]),
            self._request.keep(self._environ.get("CONTENT_TYPE", "")) if self._request else _NO_BODY,
            whole_body(answer, content_type)
            if isinstance(answer, bytes)
            else answer.keep(content_type, etag=headers.get("ETag", "")),
            tuple(self.log) if self.log else (),
        )


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


class Sender(NamedTuple):
    """What the headers of a request say: readable ones as text, and the secrets that stand in the others."""

    headers: Headers
    secrets: Secrets
    key_digest: bytes
    are_clean: bool


def _is_clean(event: Event, sender: Sender) -> bool:
    """Whether its texts can be kept as they are, told by one quick look."""
    line, content = event.line, event.content
    request, response = content.request, content.response
    if not sender.are_clean or request.is_cut or response.is_cut or content.log or "+" in line.query:
        return False
    bodies = (request.text or "", response.text or "")
    texts = "\n".join([line.path, line.query, *[pair[1] for pair in content.response_headers], *bodies])
    return len(texts) - len(bodies[0]) - len(bodies[1]) < _MOST and sender.secrets.are_missing_in(texts)


def _redact(event: Event, redactor: Redactor) -> None:
    """Leave no secret in it, and no text that is too long."""
    line, content = event.line, event.content
    line.path = _cut(redactor.text(line.path))
    line.query = _cut(redactor.query(line.query))
    event.request_headers = _redacted_headers(redactor, event.request_headers)
    content.response_headers = _redacted_headers(redactor, content.response_headers)
    content.request = _redacted_body(redactor, content.request)
    content.response = _redacted_body(redactor, content.response)
    content.log = tuple((level, name, redactor.text(message)) for level, name, message in content.log)
    content.is_redacted = redactor.has_found


# An app sends the same headers again and again.
@lru_cache(maxsize=256)
def _header_variables(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a request's variables that are headers. WSGI tells neither the order of the headers nor their case."""
    return tuple(name for name in names if name.startswith("HTTP_") or name == "CONTENT_TYPE")


@lru_cache(maxsize=256)
def _sender(names: tuple[str, ...], values: tuple[str, ...]) -> Sender:
    """From the variables of a request's headers."""
    found = [(_header_name(name), _clean(value)) for name, value in zip(names, values, strict=True)]
    secrets = _secrets(tuple(pair for pair in found if pair[0] in SECRET_HEADERS))
    readable = [(name, REDACTED if name in SECRET_HEADERS else value) for name, value in found]
    are_clean = all(secrets.are_missing_in(value) and len(value) < _MOST for _, value in readable)
    key = dict(found).get("X-API-Key", "")
    digest = hashlib.sha256(key.encode()).digest() if key else b""
    return Sender(tuple(readable[: limits.EVENT_HEADERS_MAX]), secrets, digest, are_clean)


# Some send a number of their own with every request, but always the same key.
_secrets = lru_cache(maxsize=256)(Secrets)


def _redacted_headers(redactor: Redactor, headers: Headers) -> Headers:
    return tuple((name, REDACTED if name in SECRET_HEADERS else _cut(redactor.text(value))) for name, value in headers)


def _redacted_body(redactor: Redactor, body: Body) -> Body:
    text = body.text
    if text:
        clean = redactor.text(text)
        text = cut(clean, margin=redactor.longest) if body.is_cut else clean
    return Body(body.size_bytes, _cut(redactor.text(_clean(body.content_type))), text, body.is_cut, body.digest)


@lru_cache(maxsize=512)
def _header_name(name: str) -> str:
    words = name.removeprefix("HTTP_").lower().split("_")
    return "X-API-Key" if name == "HTTP_X_API_KEY" else "-".join(map(str.capitalize, words))[:100]


def _clean(value: str) -> str:
    """A header's bytes, which WSGI hands over as characters of Latin-1, as text."""
    return value if value.isascii() else value.encode("latin-1", "replace").decode("utf-8", "replace")


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[:_MOST]} … ({len(text):,} characters)"


def _written_path(path: str) -> str:
    """As it would be written in a request: WSGI hands over what its percent-encoding meant."""
    plain = path.encode("latin-1")
    return quote(plain, safe=_SAFE) if plain.translate(None, _UNRESERVED) else path


def _written_query(query: str) -> str:
    """As it came; some clients send other characters than an address may hold, which are encoded here."""
    return query if query.isascii() and query.isprintable() else quote(query.encode("latin-1"), safe=_SAFE + "%?[]")
