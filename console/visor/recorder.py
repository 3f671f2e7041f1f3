"""The recorder: what stands around the public API and makes an event of each request to a recorded collection.

A request to any other collection costs a look into a set. An event is complete, and its secrets are unreadable, before it
is handed to the queue; from there on nothing can hold up a request or fail it.
"""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

from console.visor.bodies import Overheard, Sample, UnhashedSample, cut
from console.visor.redaction import REDACTED, SECRET_HEADERS, Redactor
from console.visor.request_log import Entry, listening
from storage import event_ids, events, limits, recording
from storage.event_queue import queue
from storage.events import Body, Details, Event

logger = logging.getLogger(__name__)

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

# In the environment of a request that a person sends by hand; no header can put it there, as those begin with `HTTP_`.
SENT_BY_HAND = "homeport.sent_by_hand"

_PREFIX = len("/v1/")
_ID_END = _PREFIX + limits.COLLECTION_ID_CHARACTERS
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.~-]*", re.ASCII)
_SAFE = "/:@!$&'()*+,;=~"
_NO_BODY = Body()


class ByHand:
    """A request sent by a person; its event comes back in `event` instead of going to the queue."""

    def __init__(self, *, origin: str, sent_by: str, replay_of: UUID | None = None) -> None:
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
        return self._record(Exchange(collection_id, environ, start_response, by_hand))

    def _record(self, exchange: "Exchange") -> Iterable[bytes]:
        with listening(exchange.log):
            answer = self._application(exchange.environ, exchange.start_response)
        if not isinstance(answer, list):
            return Overhearing(answer, exchange)
        for chunk in answer:
            exchange.response.add(chunk)
        exchange.finish()
        return answer


class Exchange:
    """One request and its answer, while they pass."""

    def __init__(
        self, collection_id: str, environ: dict[str, Any], start_response: StartResponse, by_hand: ByHand | None
    ) -> None:
        self.environ = environ
        self.log: list[Entry] = []
        self.response = Sample()
        self._collection_id = collection_id
        self._by_hand = by_hand
        self._request: Sample | None = None
        self._forward = start_response
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._began_ns = time.time_ns()
        self._began = time.perf_counter()
        if environ.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in environ:
            self._request = Sample()
            environ["wsgi.input"] = Overheard(environ["wsgi.input"], self._request)

    def start_response(self, status: str, headers: list[tuple[str, str]]) -> Any:
        self._status = int(status[:3])
        self._headers = headers
        return self._forward(status, headers)

    def stream(self) -> None:
        """The answer is sent as it is read."""
        self.response = UnhashedSample()

    def finish(self) -> None:
        """Make an event of it and hand it over. Whatever goes wrong here must not reach the request."""
        duration_us = int((time.perf_counter() - self._began) * 1_000_000)
        try:
            event = self._event(duration_us)
            if self._by_hand is not None:
                self._by_hand.event = event
            else:
                queue.put(event)
        except Exception:
            logger.exception("A request could not be recorded")
            queue.lose(self._collection_id)

    def _event(self, duration_us: int) -> Event:
        environ, by_hand = self.environ, self._by_hand
        content_type = etag = ""
        for name, value in self._headers:
            if name == "Content-Type":
                content_type = value
            elif name == "ETag":
                etag = f"ETag {value}"
        sent_text, sent = self._request.keep(environ.get("CONTENT_TYPE", "")) if self._request else (None, _NO_BODY)
        text, answered = self.response.keep(content_type, digest=etag)
        key = environ.get("HTTP_X_API_KEY", "")
        seen = _without_secrets(
            Seen(
                _written_path(environ["PATH_INFO"][_ID_END + 1 :]),
                _written_query(environ.get("QUERY_STRING", "")),
                _request_headers(environ),
                [(name, _clean(value)) for name, value in self._headers],
                sent_text,
                text,
                self.log,
            ),
            sent_is_cut=sent.is_cut,
            answered_is_cut=answered.is_cut,
        )
        return Event(
            collection_id=self._collection_id,
            id=event_ids.new_event_id(self._began_ns),
            method=environ["REQUEST_METHOD"][:16],
            path=_cut(seen.path),
            query=_cut(seen.query),
            status=self._status,
            duration_us=duration_us,
            bytes_in=sent.size_bytes,
            bytes_out=answered.size_bytes,
            key_digest=hashlib.sha256(key.encode()).digest() if key else None,
            details=Details(
                request_headers=seen.request_headers,
                response_headers=seen.response_headers,
                request=sent,
                response=answered,
                log=seen.log,
                is_redacted=seen.is_redacted,
                sent_by=by_hand.sent_by if by_hand else "",
            ),
            request_body=seen.sent,
            response_body=seen.answered,
            origin=by_hand.origin if by_hand else events.APP,
            replay_of=by_hand.replay_of if by_hand else None,
        )


class Overhearing:
    """An answer that is sent as it is read; its event is made when it ends, or the client has gone."""

    def __init__(self, answer: Iterable[bytes], exchange: Exchange) -> None:
        self._answer = answer
        self._chunks = iter(answer)
        self._exchange = exchange
        self._is_open = True
        exchange.stream()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with listening(self._exchange.log):
            chunk = next(self._chunks)
        self._exchange.response.add(chunk)
        return chunk

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        try:
            with listening(self._exchange.log):
                self._answer.close()  # type: ignore[attr-defined]
        finally:
            self._exchange.finish()


class Seen(NamedTuple):
    """All the texts of an exchange."""

    path: str
    query: str
    request_headers: list[tuple[str, str]]
    response_headers: list[tuple[str, str]]
    sent: str | None
    answered: str | None
    log: list[Entry]
    is_redacted: bool = False


def _without_secrets(seen: Seen, *, sent_is_cut: bool, answered_is_cut: bool) -> Seen:
    """The texts made fit to be kept: without secrets, and cut where they are too long."""
    secrets = {name: value for name, value in (*seen.request_headers, *seen.response_headers) if name in SECRET_HEADERS}
    redactor = Redactor(
        key=secrets.get("X-API-Key", ""),
        authorization=secrets.get("Authorization", "") or secrets.get("Proxy-Authorization", ""),
        cookie=secrets.get("Cookie", ""),
        set_cookie=secrets.get("Set-Cookie", ""),
    )
    texts = [seen.path, seen.query, seen.sent or "", seen.answered or "", *(message for _, _, message in seen.log)]
    texts += [value for name, value in (*seen.request_headers, *seen.response_headers) if name not in SECRET_HEADERS]
    is_clean = redactor.is_clean(texts)
    clean = str if is_clean else redactor.text

    def headers(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(name, REDACTED if name in SECRET_HEADERS else _cut(clean(value))) for name, value in pairs]

    def body(text: str | None, is_cut: bool) -> str | None:
        return cut(clean(text), margin=redactor.longest) if text and is_cut else text and clean(text)

    return Seen(
        clean(seen.path),
        seen.query if is_clean else redactor.query(seen.query),
        headers(seen.request_headers),
        headers(seen.response_headers),
        body(seen.sent, sent_is_cut),
        body(seen.answered, answered_is_cut),
        [(level, name, clean(message)) for level, name, message in seen.log],
        redactor.has_found,
    )


def _request_headers(environ: dict[str, Any]) -> list[tuple[str, str]]:
    """Names as they are usually written, values as text. WSGI tells neither their order nor their case."""
    found = [(_header_name(name), _clean(value)) for name, value in environ.items() if name[:5] == "HTTP_"]
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            found.append((_header_name(name), _clean(environ[name])))
    return found[: limits.EVENT_HEADERS_MAX]


@lru_cache(maxsize=512)
def _header_name(name: str) -> str:
    words = name.removeprefix("HTTP_").lower().split("_")
    return "X-API-Key" if name == "HTTP_X_API_KEY" else "-".join(map(str.capitalize, words))[:100]


def _clean(value: str) -> str:
    """A header's bytes, which WSGI hands over as characters of Latin-1, as text; without what no column can hold."""
    if value.isascii() and value.isprintable():
        return value
    return value.encode("latin-1", "replace").decode("utf-8", "replace").replace("\x00", "�")


def _cut(text: str) -> str:
    most = limits.EVENT_TEXT_MAX_CHARACTERS
    return text if len(text) <= most else f"{text[:most]} … ({len(text):,} characters)"


def _written_path(path: str) -> str:
    """As it would be written in a request: WSGI hands over what its percent-encoding meant."""
    return path if _PLAIN_PATH.fullmatch(path) else quote(path.encode("latin-1"), safe=_SAFE)


def _written_query(query: str) -> str:
    """As it came; some clients send other characters than an address may hold, which are encoded here."""
    return query if query.isascii() and query.isprintable() else quote(query.encode("latin-1"), safe=_SAFE + "%?[]")
