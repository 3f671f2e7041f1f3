"""An answer as the bytes of HTTP."""

import json
import time
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from wsgiref.handlers import format_date_time

# The status with its reason, the headers, and the body: a list where it goes out in one piece; anything else is sent as it is
# read, and then closed.
Answer = tuple[str, list[tuple[str, str]], Iterable[bytes]]

REQUEST_ID_HEADER = "X-Request-ID"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_FRAMING = frozenset(("content-length", "date", "connection", "x-request-id"))
_WITHOUT_BODY = ("1", "204", "304")


class Framing:
    """How the body of an answer is told apart from what follows it."""

    __slots__ = ("closes", "has_body", "head", "in_chunks")

    def __init__(self, answer: Answer, *, method: str, version: str, closes: bool, request_id: str) -> None:
        """`closes`: the connection ends after it, whatever the answer says. `request_id` is told in place of any other.

        Raises ValueError for a line break in a header.
        """
        status, headers, body = answer
        self.has_body = method != "HEAD" and not status.startswith(_WITHOUT_BODY)
        self.in_chunks = False
        lines = [f"HTTP/1.1 {status}", f"{REQUEST_ID_HEADER}: {request_id}"]
        length = date = connection = False
        for name, value in headers:
            if (lower := name.lower()) in _FRAMING:
                if lower == "x-request-id":
                    continue
                if lower == "content-length":
                    length = True
                elif lower == "date":
                    date = True
                else:
                    connection = True
                    closes = closes or value.lower() == "close"
            lines.append(f"{name}: {value}")
        if not length and not status.startswith(_WITHOUT_BODY):
            if isinstance(body, list):
                lines.append(f"Content-Length: {sum(map(len, body))}")
            elif method == "HEAD":
                pass
            elif version == "1.1":
                self.in_chunks = True
                lines.append("Transfer-Encoding: chunked")
            else:
                closes = True
        if not date:
            lines.append(f"Date: {_now()}")
        if not connection:
            if closes:
                lines.append("Connection: close")
            elif version == "1.0":
                lines.append("Connection: keep-alive")
        self.closes = closes
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
            # What follows a line break would be another header, or another answer.
            raise ValueError("A header of the answer holds a line break")
        self.head = (head + "\r\n\r\n").encode("latin-1")

    def frame(self, chunk: bytes) -> Sequence[bytes]:
        """A chunk of the body, as it is written."""
        return (b"%x\r\n" % len(chunk), chunk, b"\r\n") if self.in_chunks else (chunk,)

    @property
    def end(self) -> bytes:
        """What is written behind the last chunk."""
        return b"0\r\n\r\n" if self.in_chunks else b""


def speaks_json(path: str) -> bool:
    """Whether programs ask at this path, which read errors as JSON: the public API, and what the `deta` command calls."""
    return path.startswith(("/v1/", "/cli/")) or path in ("/v1", "/cli")


def refusal(status: str, message: str, *, is_api: bool, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """The answer to a request that the application does not get to see: JSON for programs, else a sentence."""
    if is_api:
        body, content_type = json.dumps({"errors": [message]}).encode(), "application/json"
    else:
        body, content_type = f"{message}.\n".encode(), "text/plain; charset=utf-8"
    own = [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Cache-Control", "private, no-store")]
    if is_api:
        own.append(("Access-Control-Allow-Origin", "*"))
    return status, [*own, *headers], [body]


def status_line(status: HTTPStatus) -> str:
    """A status with its reason."""
    return f"{status.value} {status.phrase}"


_date = (0, "")


def _now() -> str:
    """The time for the header, made once a second."""
    global _date
    now = int(time.time())
    if _date[0] != now:
        _date = (now, format_date_time(now))
    return _date[1]
