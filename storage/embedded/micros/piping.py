"""Passes bytes on between two connections until either side has ended or both have said nothing for long."""

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter

IDLE_SECONDS = 300.0
_CHUNK_BYTES = 65_536

End = tuple[StreamReader, StreamWriter]


async def pipe_both(one: End, other: End) -> None:
    """Both ways. A side that sends no more may still be answered; both are closed at the end."""
    loop = asyncio.get_running_loop()
    heard_at = [loop.time()]
    ways = [
        loop.create_task(_pipe(one[0], other[1], heard_at)),
        loop.create_task(_pipe(other[0], one[1], heard_at)),
    ]
    try:
        pending: set[asyncio.Task[None]] = set(ways)
        while pending:
            left = heard_at[0] + IDLE_SECONDS - loop.time()
            if left <= 0:
                break
            _, pending = await asyncio.wait(pending, timeout=left)
    finally:
        for way in ways:
            way.cancel()
        for writer in (one[1], other[1]):
            with contextlib.suppress(OSError, RuntimeError):
                writer.close()


async def _pipe(reader: StreamReader, writer: StreamWriter, heard_at: list[float]) -> None:
    loop = asyncio.get_running_loop()
    try:
        while data := await reader.read(_CHUNK_BYTES):
            heard_at[0] = loop.time()
            writer.write(data)
            await writer.drain()
            heard_at[0] = loop.time()
        if writer.can_write_eof():
            writer.write_eof()
    except (OSError, RuntimeError):
        # One side is gone: what is left of the other has nobody to go to.
        writer.transport.abort()
