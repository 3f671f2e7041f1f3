"""A captured exchange: one request with its answer, and the event that is made of it, without secrets.

Most exchanges have no secret but in the headers that always hold one. One quick look tells, and spares redaction.
"""

import hashlib
import re
from functools import lru_cache
from itertools import chain
from urllib.parse import quote

import msgspec

from console.access import token_in
from console.recording.bodies import MOST, Sample, cut, whole_body
from storage import limits
from storage.events import ids as event_ids
from storage.events.blocks import Body, Content, Event, Headers, Line, LogEntry
from storage.redaction import REDACTED, Redactor, Secrets, is_secret_header

_PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.~-]*")
_SAFE = "/:@!$&'()*+,;=~"
_MOST = limits.EVENT_TEXT_MAX_CHARACTERS
# Written in an address, one character may become three.
_MOST_HEADS = _MOST // 3
_METHOD_MAX = 16
_NO_BODY = Body()
_JSON = "application/json"
_MOST_US = 2_000_000_000  # what its column holds, over half an hour


class Sender(msgspec.Struct, frozen=True, gc=False):
    """What the headers of a request say: readable ones as text, and the secrets in the others.

    `is_clean` says that no secret stands in the readable ones, and none has to be cut.
    """

    headers: Headers
    content_type: str
    encoding: str
    secrets: Secrets
    key_digest: bytes
    is_clean: bool


class CapturedExchange(msgspec.Struct, frozen=True, gc=False):
    """One request and its answer, as they came.

    `path` is what follows `/v1/{collection}/`, in the characters of Latin-1 that WSGI hands its bytes over as, as are `query`
    and the headers' values. `status` begins with its number. A body that came in one piece is here as it is.

    That of a request to a Micro has the Micro's id, its own id, and as `path` all of it, as it was written.
    """

    collection_id: str
    at_ns: int
    duration_ns: int
    method: str
    path: str
    query: str
    status: str
    sender: Sender
    request: bytes | Sample
    response_headers: list[tuple[str, str]]
    response: bytes | Sample
    log: list[LogEntry]
    micro_id: str = ""
    event_id: str = ""

    def make_event(self) -> Event:
        """The event without secrets, and without texts that are too long."""
        if self.is_clean():
            return self.make_raw_event(self.response_headers)
        event = self.make_raw_event([(name, _text(value)) for name, value in self.response_headers])
        redact(event, self.sender.secrets)
        return event

    def is_clean(self) -> bool:
        """Whether there is no secret in it and nothing has to be cut, told by one quick look. Nearly always it is so."""
        query, request, response = self.query, self.request, self.response
        if self.micro_id and (self.sender.encoding or self._told().get("Content-Encoding")):
            return False
        if (
            not (self.sender.is_clean and isinstance(request, bytes) and isinstance(response, bytes))
            or self.log
            or "+" in query
        ):
            return False
        heads = "\n".join([self.path, query, *chain.from_iterable(self.response_headers)])
        if not heads.isascii() or len(heads) > _MOST_HEADS or len(request) + len(response) > MOST:
            return False
        return self.sender.secrets.are_missing_in(b"\n".join((heads.encode(), request, response)))

    def make_raw_event(self, response_headers: list[tuple[str, str]]) -> Event:
        """The event with whatever is in it: `redact` has to look at it unless the exchange is clean."""
        sender = self.sender
        told = self._told()
        if self.micro_id:
            # An app may send as many as it likes.
            response_headers = response_headers[: limits.EVENT_HEADERS_MAX]
        content_type = told.get("Content-Type", "")
        is_our_json = content_type == _JSON and not self.micro_id
        content = Content(
            tuple(response_headers),
            _kept(self.request, sender.content_type, encoding=self._of_app(sender.encoding))
            if self.request
            else _NO_BODY,
            _kept(
                self.response,
                content_type,
                etag=told.get("Etag" if self.micro_id else "ETag", ""),
                is_our_json=is_our_json,
                encoding=self._of_app(told.get("Content-Encoding", "")),
            ),
            tuple(self.log),
        )
        line = Line(
            self.event_id or event_ids.new_event_id(self.at_ns),
            self.method[:_METHOD_MAX],
            _as_it_came(self.path) if self.micro_id else _written_path(self.path),
            _as_it_came(self.query),
            int(self.status[:3]),
            min(self.duration_ns // 1000, _MOST_US),
            content.request.size_bytes,
            content.response.size_bytes,
            micro_id=self.micro_id,
        )
        return Event(self.collection_id, line, content, sender.headers, sender.key_digest)

    def _told(self) -> dict[str, str]:
        """The answer's headers. Apps write their names in any case."""
        headers = self.response_headers
        return {name.title(): value for name, value in headers} if self.micro_id else dict(headers)

    def _of_app(self, encoding: str) -> str:
        """The API takes and gives no compressed bodies: what says so there says it of a file."""
        return encoding if self.micro_id else ""


def sender_of(environ: dict[str, str], *, secret_texts: tuple[str, ...] = ()) -> Sender:
    """What the headers among a request's variables say. `secret_texts` are secrets that may stand anywhere besides."""
    names = _header_variables(tuple(environ))
    return _sender(names, tuple(map(environ.__getitem__, names)), secret_texts)


# An app sends the same headers again and again.
@lru_cache(maxsize=256)
def _header_variables(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a request's variables that are headers. WSGI tells neither the order of the headers nor their case."""
    return tuple(name for name in names if name.startswith("HTTP_") or name == "CONTENT_TYPE")


@lru_cache(maxsize=256)
def _sender(names: tuple[str, ...], values: tuple[str, ...], secret_texts: tuple[str, ...]) -> Sender:
    """From the variables of a request's headers."""
    found = [(_header_name(name), _text(value)) for name, value in zip(names, values, strict=True)]
    secrets = _secrets(tuple(pair for pair in found if is_secret_header(pair[0])), secret_texts)
    readable = [(name, REDACTED if is_secret_header(name) else value) for name, value in found]
    is_clean = all(len(value) <= _MOST and secrets.are_missing_in(value.encode()) for _, value in readable)
    key = dict(found).get("X-API-Key") or token_in(dict(found).get("Authorization", ""))
    return Sender(
        headers=tuple(readable[: limits.EVENT_HEADERS_MAX]),
        content_type=dict(found).get("Content-Type", ""),
        encoding=dict(found).get("Content-Encoding", ""),
        secrets=secrets,
        key_digest=hashlib.sha256(key.encode()).digest() if key else b"",
        is_clean=is_clean,
    )


# Some send a number of their own with every request, but always the same key.
_secrets = lru_cache(maxsize=256)(Secrets)


@lru_cache(maxsize=512)
def _header_name(name: str) -> str:
    words = name.removeprefix("HTTP_").lower().split("_")
    return "X-API-Key" if name == "HTTP_X_API_KEY" else "-".join(map(str.capitalize, words))[:100]


def _kept(
    body: bytes | Sample, content_type: str, *, etag: str = "", is_our_json: bool = False, encoding: str = ""
) -> Body:
    if isinstance(body, bytes):
        return whole_body(body, content_type, is_our_json=is_our_json, encoding=encoding)
    return body.keep(content_type, etag=etag, encoding=encoding)


def redact(event: Event, secrets: Secrets) -> None:
    """Make the secrets of an event unreadable, and cut texts that are too long."""
    redactor = Redactor(secrets)
    line, content = event.line, event.content
    line.path = _cut(redactor.text(line.path))
    line.query = _cut(redactor.query(line.query))
    event.request_headers = _redacted_headers(redactor, event.request_headers)
    content.response_headers = _redacted_headers(redactor, content.response_headers)
    content.request = _redacted_body(redactor, content.request)
    content.response = _redacted_body(redactor, content.response)
    content.log = tuple((level, name, redactor.text(message)) for level, name, message in content.log)
    content.is_redacted = redactor.has_found


def _redacted_headers(redactor: Redactor, headers: Headers) -> Headers:
    return tuple((name, REDACTED if is_secret_header(name) else _cut(redactor.text(value))) for name, value in headers)


def _redacted_body(redactor: Redactor, body: Body) -> Body:
    text = body.text
    if text:
        clean = redactor.text(text)
        text = cut(clean, margin=redactor.longest) if body.is_cut else clean
    content_type, decoded_from = _cut(redactor.text(body.content_type)), _cut(redactor.text(body.decoded_from))
    return Body(body.size_bytes, content_type, text, body.is_cut, body.digest, decoded_from)


def _text(value: str) -> str:
    """A header's bytes, which WSGI hands over as characters of Latin-1, as text."""
    return value if value.isascii() else value.encode("latin-1", "replace").decode("utf-8", "replace")


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[:_MOST]} … ({len(text):,} characters)"


def _written_path(path: str) -> str:
    """As it would be written in a request: WSGI hands over what its percent-encoding meant."""
    return path if _PLAIN_PATH.fullmatch(path) else quote(path, safe=_SAFE, encoding="latin-1")


def _as_it_came(text: str) -> str:
    """A part of an address. Some clients send other characters than one may hold, which are encoded here."""
    is_plain = text.isascii() and text.isprintable()
    return text if is_plain else quote(text, safe=_SAFE + "%?[]", encoding="latin-1")
