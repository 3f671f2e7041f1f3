"""What is asked and what is answered, without a connection: requests, replies, and what a reply means.

A `Call` is a request with the function that reads its reply. The modules `items` and `files` make them, `transport` carries
them out, once for synchronous and once for asynchronous code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Callable, Generic, Optional, TypeVar, Union
from urllib.parse import quote

from deta.errors import Answer, InvalidArgument, InvalidType, ResponseError, error_for_status

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """`path` stands below the Base's or Drive's own address; `what` is how errors call it.

    `is_repeatable`: to do it twice is to do it once. `read_seconds` and `retries` override the client's options.
    """

    method: str
    path: str
    what: str
    content: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeatable: bool = True
    read_seconds: Optional[float] = None
    retries: Optional[int] = None


@dataclass(frozen=True)
class Reply:
    """An answer. `is_doubtful`: an earlier try of the same request may have been carried out as well."""

    request: Request
    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    is_doubtful: bool = False
    url: str = ""


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request, and what its reply is worth to the caller; `read` raises a ResponseError where it is worth nothing."""

    request: Request
    read: Callable[[Reply], T]


JSON_MIME = "application/json"
JSON_HEADERS: Mapping[str, str] = {"Content-Type": JSON_MIME}


class CustomJSONEncoder(json.JSONEncoder):
    """JSON, and `pathlib` paths as text."""

    def default(self, o: object) -> Any:
        return path_text(o) if isinstance(o, PurePath) else super().default(o)


def path_text(path: PurePath) -> str:
    """A path as text, from the root on where it is one of this machine."""
    return (path.resolve() if isinstance(path, Path) else path).as_posix()


def dump(value: object) -> bytes:
    """Compact JSON. Raises InvalidType for what JSON does not know, and InvalidArgument for NaN, loops and lone surrogates."""
    try:
        return json.dumps(
            value, cls=CustomJSONEncoder, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode()
    except TypeError as error:
        raise InvalidType(f"This cannot be written as JSON: {error}") from None
    except (ValueError, RecursionError) as error:
        # A UnicodeEncodeError would quote the whole text.
        reason = "a lone surrogate" if isinstance(error, UnicodeError) else str(error)
        raise InvalidArgument(f"This cannot be written as JSON: {reason}") from None


def load(reply: Reply) -> dict[str, Any]:
    """The JSON object of a reply that went well; raises the error that any other one means."""
    if not 200 <= reply.status < 300:
        raise error_of(reply)
    try:
        value = json.loads(reply.content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        message = f"{reply.request.what}: the answer is not a JSON object. Is this the address of a Homeport server?"
        raise ResponseError(message, status=reply.status)
    return value


def error_of(reply: Reply) -> ResponseError:
    """The error that a reply means."""
    errors = _messages(reply)
    said = ": ".join(errors) or f"the server answered {reply.status}"
    if "location" in reply.headers:
        said += f" and points to {reply.headers['location']}: is the server's address the right one, https included?"
    answer = Answer(reply.url, reply.request.method, reply.status, reply.headers, reply.content)
    return error_for_status(f"{reply.request.what}: {said} (HTTP {reply.status})", errors, answer)


def quote_segment(text: Union[str, bytes]) -> str:
    """Text as one segment of a path, whatever it holds. `.` and `..` alone would be taken for steps in the path."""
    try:
        quoted = quote(text, safe="")
    except UnicodeEncodeError:
        raise InvalidArgument("A lone surrogate can't be sent") from None
    return quoted.replace(".", "%2E") if quoted in (".", "..") else quoted


def _messages(reply: Reply) -> tuple[str, ...]:
    try:
        value = json.loads(reply.content)
    except ValueError:
        return ()
    errors = value.get("errors") if isinstance(value, dict) else None
    return tuple(str(error) for error in errors) if isinstance(errors, list) else ()
