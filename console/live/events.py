"""Server-sent events as bytes (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from collections.abc import Iterable

from console.error_status import status_of
from storage import limits
from storage.errors import StorageError
from storage.exact_json import dump

CONTENT_TYPE = "text/event-stream"
# Beside `Content-Type`. A proxy in between must neither keep it nor wait for more of it.
HEADERS = {"X-Accel-Buffering": "no"}


def opening(place: str) -> bytes:
    """What comes first: how soon to come again, and the place that it begins at, if that is known: a client has it at once."""
    return f"retry: {limits.STREAM_RETRY_MS}\n{f'id: {place}' if place else ':'}\n\n".encode()


def messages(given: Iterable[tuple[str, str]]) -> bytes:
    """Messages, each of the place behind it and its JSON."""
    return "".join(f"id: {place}\ndata: {json}\n\n" for place, json in given).encode()


def beat(place: str) -> bytes:
    """A sign of life, which is no message, with the place that was come to meanwhile."""
    return f": \nid: {place}\n\n".encode()


def ending(error: StorageError) -> bytes:
    """The event `end`, after which the stream is over: why, as an answer of the API with this status would say it."""
    said = {"status": status_of(error), "errors": list(error.messages)} | error.details
    return b"event: end\ndata: " + dump(said) + b"\n\n"
