"""The body of a request, whole or not at all (contract: Everywhere, "Bodies arrive whole or not at all").

The web server hands over a body without its length when it came in chunks, and a shorter one than announced when the
connection broke. Both are put right here, once; nothing else reads a request's body.
"""

from typing import Any

from console.api.errors import EncodedBody
from console.api.request import ApiRequest
from storage import exact_json, limits
from storage.errors import InvalidInput

_DRAIN_MAX_BYTES = 4 * limits.BODY_MAX_BYTES
READ_BYTES = 1_048_576


def read_json_object(request: ApiRequest) -> dict[str, Any]:
    """The body as a JSON object, whatever content type it declares. Raises InvalidInput and EncodedBody."""
    value = exact_json.parse(read_body(request))
    if not isinstance(value, dict):
        raise InvalidInput("The body is not a JSON object")
    return value


def read_body(request: ApiRequest) -> bytes:
    """All bytes of the body. Raises InvalidInput when it is too large or was cut, EncodedBody when it is encoded."""
    environ = request.META
    refuse_encoded(environ)
    stream = environ["wsgi.input"]
    body = read_chunked(stream) if is_chunked(environ) else _read_announced(stream, announced_length(environ))
    request.body_is_read = True
    if len(body) > limits.BODY_MAX_BYTES:
        raise _too_large()
    return body


def refuse_encoded(environ: dict[str, Any]) -> None:
    """Raises EncodedBody for a body that would have to be decoded first."""
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise EncodedBody()


def is_chunked(environ: dict[str, Any]) -> bool:
    """Whether the body comes without its length."""
    return "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()


def announced_length(environ: dict[str, Any]) -> int:
    """The Content-Length, 0 without one. Raises InvalidInput when it is no number."""
    try:
        return int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise InvalidInput("The Content-Length is not a number") from None


def _read_announced(stream: Any, length: int) -> bytes:
    if length > limits.BODY_MAX_BYTES:
        raise _too_large()
    body: bytes = stream.read(length) if length else b""
    if len(body) < length:
        raise InvalidInput(f"The body ended after {len(body)} of the {length} bytes announced")
    return body


def read_chunked(stream: Any) -> bytes:
    """A body that came in chunks.

    Only reading it in one go tells a whole body from one that was cut: for the latter this server's `read()` returns
    nothing, while reading by size returns what there was as if it were all.
    """
    body: bytes = stream.read()
    if not body:
        raise InvalidInput("The chunked body is empty or was cut")
    return body


def drain_body(request: ApiRequest) -> None:
    """Take in a body that nobody wanted, within reason: a client that is still sending does not read the answer."""
    environ = request.META
    if request.body_is_read or not (is_chunked(environ) or environ.get("CONTENT_LENGTH")):
        return
    left = _DRAIN_MAX_BYTES
    while left > 0 and (chunk := environ["wsgi.input"].read(READ_BYTES)):
        left -= len(chunk)


def _too_large() -> InvalidInput:
    return InvalidInput("The body is too large", f"At most {limits.BODY_MAX_BYTES} bytes are accepted")
