"""Sends an answer that is read while it is sent: a thread reads the next part when the client has taken the last one."""

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from console.server import limits
from console.server.answers import Framing

if TYPE_CHECKING:
    from console.server.connection import Connection
    from console.server.exchange import Exchange
    from console.server.worker import Worker

logger = logging.getLogger(__name__)

_NO_MORE = object()


async def send_stream(
    connection: "Connection", worker: "Worker", exchange: "Exchange", framing: Framing, body: Iterable[bytes]
) -> None:
    """Send all of it, and close it, whatever happens. One that breaks off breaks the connection: the client must notice."""
    try:
        if framing.has_body:
            parts = iter(body)
            while (part := await worker.run(exchange, lambda: _next(parts))) is not _NO_MORE:
                if isinstance(part, BaseException):
                    connection.abort()
                    break
                for start in range(0, len(part), limits.CHUNK_MAX_BYTES):
                    await connection.write(*framing.frame(part[start : start + limits.CHUNK_MAX_BYTES]))
            else:
                if framing.end:
                    await connection.write(framing.end)
    except ConnectionError:
        pass  # the client has gone
    finally:
        await worker.run(exchange, lambda: close(body))
        connection.finish_stream(exchange, closes=framing.closes)


def close(body: Iterable[bytes]) -> None:
    """Close an answer's body, which may belong to anybody."""
    try:
        if hasattr(body, "close"):
            body.close()
    except Exception:
        logger.exception("The body of an answer could not be closed")


def _next(parts: Iterator[bytes]) -> Any:
    try:
        # An empty part would end a body that goes out in chunks.
        while not (part := next(parts)):
            pass
    except StopIteration:
        return _NO_MORE
    except Exception as error:
        logger.warning("An answer broke off: %r", error)
        return error
    return part
