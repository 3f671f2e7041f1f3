"""Validates a request that a person wrote, so that it reaches only this collection of this server.

The path is never taken over: it is put together from `/v1/`, the collection of the page, and what the person wrote behind that,
which is checked as written and as it reads behind any number of percent-encodings. One to a Micro goes to its socket, whatever
the path is, and the app makes of it what it likes. Pure.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from console.front.paths import is_reserved
from storage import limits, micro_addresses
from storage.errors import InvalidInput
from storage.events.blocks import Event
from storage.models import Micro
from storage.redaction import REDACTED

METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS")

# What the server says of a request itself, or who asks: not for a person to choose. Forwarding headers would name another asker.
REFUSED_HEADERS = frozenset(
    {
        *("host", "cookie", "cookie2", "x-api-key", "authorization", "proxy-authorization", "proxy-authenticate"),
        *("connection", "proxy-connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"),
        *("content-length", "expect", "forwarded", "via", "x-real-ip", "x-original-url", "x-rewrite-url"),
        *("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-server"),
    }
)

_OF_APPS = frozenset({"x-api-key", "authorization"})
# What ASCII has besides letters and digits, spaces aside: only other characters have to be encoded.
_AS_WRITTEN = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]{1,100}", re.ASCII)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_WHOLE_ADDRESS = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://([A-Za-z0-9.-]++)(?::\d++)?+(?=[/?#]|$)")
_BROKEN_CODE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MOST_DECODINGS = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """A request that may be sent. `path` is what follows `/v1/{collection}/`, or all of it in one to a Micro."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    micro: Micro | None = None


def make_draft(
    *, collection_id: str, method: str, target: str, headers: str, body: bytes, micro: Micro | None = None
) -> Draft:
    """From what a person wrote: headers as lines of `Name: value`. Without a Micro it goes to the API. Raises InvalidInput."""
    if method not in METHODS:
        raise InvalidInput(f"The method is one of {', '.join(METHODS)}")
    if len(body) > limits.REPLAY_BODY_MAX_BYTES:
        raise InvalidInput(f"A body written by hand has at most {limits.REPLAY_BODY_MAX_BYTES:,} bytes")
    if micro is not None:
        path, query = check_micro_target(target, micro=micro)
    else:
        path, query = check_target(target, collection_id=collection_id)
    return Draft(method, path, query, read_headers(headers, is_for_micro=micro is not None), body, micro)


def repeat(event: Event, *, micro: Micro | None = None) -> Draft:
    """The recorded request once more; `micro` is the one that it went to. Raises InvalidInput when it was not kept whole."""
    request, line = event.content.request, event.line
    if request.text is None or request.is_cut:
        reason = "is not text" if request.text is None else "was cut at 64 KB when it was recorded"
        raise InvalidInput(f"Its body {reason}, so it cannot be sent again from here")
    texts = (line.target, request.text, *(value for _, value in kept_headers(event)))
    if event.content.is_redacted and any(REDACTED in text for text in texts):
        raise InvalidInput(
            "A secret in this request was masked when it was recorded: edit the request and fill the secret in"
        )
    if not line.micro_id:
        path, query = check_target(line.target, collection_id=event.collection_id)
    elif micro is not None:
        path, query = check_micro_target(line.target, micro=micro)
    else:
        raise InvalidInput("The Micro that it went to was deleted")
    return Draft(line.method, path, query, kept_headers(event), request.text.encode(), micro)


def kept_headers(event: Event) -> list[tuple[str, str]]:
    """The recorded request's headers without those that are not a person's to send, and those of which nothing was kept.

    A body that was decoded is sent as it was kept.
    """
    left_out = REFUSED_HEADERS | ({"content-encoding"} if event.content.request.decoded_from else set())
    found = [(name, value) for name, value in event.request_headers if name.lower() not in left_out]
    return [pair for pair in found if not event.line.micro_id or pair[1] != REDACTED]


def check_target(target: str, *, collection_id: str) -> tuple[str, str]:
    """Path and query after `/v1/{collection}/`. The collection's whole address is accepted too. Raises InvalidInput."""
    _refuse_control_characters(target)
    target = target.removeprefix(f"/v1/{collection_id}/")
    path, _, query = target.partition("?")
    query = query.partition("#")[0]
    for text in _readings(path):
        _refuse_ways_out(text)
    if _BROKEN_CODE.search(path):
        raise InvalidInput("A % in the path starts no valid code: write %25")
    if len(target) > limits.EVENT_TEXT_MAX_CHARACTERS:
        raise InvalidInput(f"A path has at most {limits.EVENT_TEXT_MAX_CHARACTERS:,} characters")
    return path, query


def check_micro_target(target: str, *, micro: Micro) -> tuple[str, str]:
    """Path and query of a request to a Micro. Its own whole address is accepted too, no other one. Raises InvalidInput."""
    _refuse_control_characters(target)
    whole = _WHOLE_ADDRESS.match(target)
    if whole is not None and whole[1].lower() == micro_addresses.hostname(micro.subdomain):
        target = target[whole.end() :]
        target = target if target.startswith("/") else f"/{target}"
    if not target.startswith("/"):
        raise InvalidInput("Requests go only to this Micro: write the path from its first slash on, such as /hello")
    path, _, query = target.partition("#")[0].partition("?")
    if _BROKEN_CODE.search(path):
        raise InvalidInput("A % in the path starts no valid code: write %25")
    if is_reserved(unquote(path)):
        raise InvalidInput("Paths below /__homeport and /__space are the server's own: no app sees them")
    if len(target) > limits.EVENT_TEXT_MAX_CHARACTERS:
        raise InvalidInput(f"A path has at most {limits.EVENT_TEXT_MAX_CHARACTERS:,} characters")
    return quote(path, safe=_AS_WRITTEN), quote(query, safe=_AS_WRITTEN)


def read_headers(text: str, *, is_for_micro: bool = False) -> list[tuple[str, str]]:
    """Lines of `Name: value`. Raises InvalidInput, for a header too that is not a person's to send.

    An app may have keys of its own; those of Homeport let nobody in who may not send this.
    """
    refused = REFUSED_HEADERS - _OF_APPS if is_for_micro else REFUSED_HEADERS
    found = []
    for line in filter(str.strip, text.replace("\r\n", "\n").split("\n")):
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not _HEADER_NAME.fullmatch(name):
            raise InvalidInput(f"“{line[:60]}” is not a header: write Name: value")
        if name.lower() in refused:
            raise InvalidInput(f"{name} is set by the server: a request from here uses your role, not a key")
        if not value.isprintable() or len(value) > limits.EVENT_TEXT_MAX_CHARACTERS:
            raise InvalidInput(f"The value of {name} is too long, or contains invisible characters")
        found.append((name, value))
    if len(found) > limits.REPLAY_HEADERS_MAX:
        raise InvalidInput(f"A request from here has at most {limits.REPLAY_HEADERS_MAX} headers")
    return found


def _refuse_control_characters(target: str) -> None:
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in target):
        raise InvalidInput("A path cannot contain spaces, line breaks or control characters: write %20, %0A and so on")


def _readings(path: str) -> list[str]:
    """The path as written, and as it reads once decoded, and again."""
    found = [path]
    while len(found) <= _MOST_DECODINGS and (decoded := unquote(found[-1])) != found[-1]:
        found.append(decoded)
    return found


def _refuse_ways_out(path: str) -> None:
    if _SCHEME.match(path) or path.startswith(("/", "\\", "@")):
        raise InvalidInput(
            "Requests go only to this collection: write the path after its address, such as notes/items/first"
        )
    if any(segment in (".", "..") for segment in re.split(r"[/\\]", path)):
        raise InvalidInput("A path cannot contain “.” or “..” between slashes")
    if not path:
        raise InvalidInput("The path is empty: write the path after the address, such as notes/items/first")
