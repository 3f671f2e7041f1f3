"""The body of a download: read whole or in pieces, and continued when the connection breaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import IO, Optional, Union

from deta.errors import ConnectionFailed, FileChanged, InvalidArgument
from deta.files import Files
from deta.retries import Attempts, Failure
from deta.transport import AsyncClient, AsyncStream, SyncClient, SyncStream
from deta.wire import Reply, Request, error_of

# How much of a foreign stream is read at once.
_OPENED_BYTES = 65_536


class _Buffer:
    """Received bytes that were not read yet."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._searched = 0

    def __len__(self) -> int:
        return len(self._bytes)

    def feed(self, chunk: bytes) -> None:
        self._bytes += chunk

    def take(self, size: int) -> bytes:
        with memoryview(self._bytes) as view:
            taken = bytes(view[:size])
        del self._bytes[:size]
        self._searched = 0
        return taken

    def take_line(self) -> Optional[bytes]:
        """A line with its end, or None when none is complete."""
        found = self._bytes.find(b"\n", self._searched)
        self._searched = len(self._bytes)
        return None if found < 0 else self.take(found + 1)


class _Progress:
    """The progress of a download, and what is needed to continue it."""

    def __init__(self, files: Files, name: str, reply: Reply, retries: int, offset: int = 0) -> None:
        self.name = name
        self.content_type = reply.headers.get("content-type", "")
        length = reply.headers.get("content-length", "")
        # Bytes that something on the way compressed are not those that lengths and ranges count.
        is_plain = reply.headers.get("content-encoding", "identity") == "identity"
        self.size = int(length) + offset if length.isdigit() and is_plain else None
        self.read_seconds: Optional[float] = None
        self._files = files
        self._etag = reply.headers.get("etag", "") if is_plain else ""
        self._offset = offset
        self._attempts = Attempts(reply.request, retries)

    @property
    def has_begun(self) -> bool:
        return self._offset > 0

    @property
    def is_complete(self) -> bool:
        return self._offset == self.size

    def count(self, chunk: bytes) -> None:
        self._offset += len(chunk)
        self._attempts.starts_over()

    def delay_after(self, failure: Failure) -> float:
        """Raises ConnectionFailed when there were too many, or the server gave nothing to continue by."""
        if self._offset and (not self._etag or self._etag.startswith("W/")):
            raise ConnectionFailed(f"The download broke after {self._offset:,} bytes ({failure.text})")
        return self._attempts.after(failure) or 0.0

    def request(self) -> Request:
        """For what is still missing."""
        return self._files.download(self.name, offset=self._offset, etag=self._etag, read_seconds=self.read_seconds)

    def check(self, reply: Reply) -> None:
        """Raises FileChanged when the rest that came belongs to another file."""
        if reply.status in (200, 404, 416) and self._offset:
            raise FileChanged(
                f"{reply.request.what}: the connection broke, and the file was changed since", status=reply.status
            )
        if not 200 <= reply.status < 300:
            raise error_of(reply)


class Download:
    """What comes of a file, and goes on where the connection broke."""

    def __init__(
        self, client: SyncClient, root: str, files: Files, name: str, stream: SyncStream, offset: int = 0
    ) -> None:
        self.progress = _Progress(files, name, stream.reply, client.options.retries, offset)
        self._client = client
        self._root = root
        self._stream: Optional[SyncStream] = stream

    def next(self) -> bytes:
        """The next bytes from the connection, nothing at the end."""
        while True:
            chunk = self._stream.next() if self._stream else None
            if isinstance(chunk, Failure):
                self.close()
                time.sleep(self.progress.delay_after(chunk))
                self._open()
            elif chunk is None:
                self.close()
                return b""
            elif chunk:
                self.progress.count(chunk)
                if self.progress.is_complete and self._stream:
                    # To have seen the end is what lets the connection be used again.
                    self._stream.next()
                    self.close()
                return chunk

    def set_read_timeout(self, seconds: float) -> None:
        """A running download goes on by a request of its own: the HTTP library fixes the time with the first byte."""
        self.progress.read_seconds = seconds
        if self._stream:
            self.close()
            self._open()

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream:
            stream.close()

    def _open(self) -> None:
        self._stream = self._client.open(self._root, self.progress.request())
        self.progress.check(self._stream.reply)


class _Opened:
    """The bytes of a stream that somebody else opened."""

    progress = None

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def next(self) -> bytes:
        return self._stream.read(_OPENED_BYTES)

    def close(self) -> None:
        self._stream.close()


class DriveStreamingBody:
    """A file's bytes as they come. It is a context manager; `close` it when not all of it was read.

    `content_type` is the file's; `size` is in bytes. It begins `offset` bytes behind the file's first one.
    `res` may be any binary stream as well, for code that makes bodies itself.
    """

    def __init__(self, res: Union[Download, IO[bytes]]) -> None:
        self._source = res if isinstance(res, Download) else _Opened(res)
        self._buffer = _Buffer()
        self._is_closed = False

    @property
    def name(self) -> str:
        return self._source.progress.name if self._source.progress else ""

    @property
    def content_type(self) -> str:
        return self._source.progress.content_type if self._source.progress else ""

    @property
    def size(self) -> Optional[int]:
        return self._source.progress.size if self._source.progress else None

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._is_closed

    def read(self, size: Optional[int] = None) -> bytes:
        """The rest, or up to `size` bytes; empty at the end, and once closed."""
        if size is None or size < 0:
            return b"".join([self._buffer.take(len(self._buffer)), *iter(self._next, b"")])
        while len(self._buffer) < size:
            chunk = self._next()
            if not chunk:
                break
            self._buffer.feed(chunk)
        return self._buffer.take(size)

    def iter_chunks(self, chunk_size: int = 1024) -> Iterator[bytes]:
        """Pieces of exactly `chunk_size` bytes, the last one as it comes out."""
        _check_chunk_size(chunk_size)
        return iter(lambda: self.read(chunk_size), b"")

    def iter_lines(self, chunk_size: int = 1024) -> Iterator[bytes]:
        """Lines with the line feed that ends them. `chunk_size` changes nothing about them."""
        _check_chunk_size(chunk_size)
        while True:
            line = self._buffer.take_line()
            if line is None:
                chunk = self._next()
                if not chunk:
                    break
                self._buffer.feed(chunk)
            else:
                yield line
        if self._buffer:
            yield self._buffer.take(len(self._buffer))

    def close(self) -> None:
        """End the download. Calling it again does nothing."""
        self._is_closed = True
        self._buffer = _Buffer()
        self._source.close()

    def __enter__(self) -> DriveStreamingBody:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]] = None,
        error: Optional[BaseException] = None,
        traceback: Optional[TracebackType] = None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.name!r}>"

    def _next(self) -> bytes:
        return b"" if self._is_closed else self._source.next()

    def _set_read_timeout(self, seconds: float) -> None:
        if isinstance(self._source, Download) and not self._is_closed:
            self._source.set_read_timeout(seconds)


class AsyncDriveStreamingBody:
    """As `DriveStreamingBody`, for `await` and `async for`."""

    def __init__(
        self, client: AsyncClient, root: str, files: Files, name: str, stream: AsyncStream, offset: int = 0
    ) -> None:
        self._progress = _Progress(files, name, stream.reply, client.options.retries, offset)
        self._client = client
        self._root = root
        self._stream: Optional[AsyncStream] = stream
        self._buffer = _Buffer()
        self._is_closed = False

    @property
    def name(self) -> str:
        return self._progress.name

    @property
    def content_type(self) -> str:
        return self._progress.content_type

    @property
    def size(self) -> Optional[int]:
        return self._progress.size

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._is_closed

    async def read(self, size: Optional[int] = None) -> bytes:
        """The rest, or up to `size` bytes; empty at the end, and once closed."""
        if size is None or size < 0:
            chunks = [self._buffer.take(len(self._buffer))]
            while chunk := await self._next():
                chunks.append(chunk)
            return b"".join(chunks)
        while len(self._buffer) < size:
            chunk = await self._next()
            if not chunk:
                break
            self._buffer.feed(chunk)
        return self._buffer.take(size)

    async def iter_chunks(self, chunk_size: int = 1024) -> AsyncIterator[bytes]:
        """Pieces of exactly `chunk_size` bytes, the last one as it comes out."""
        _check_chunk_size(chunk_size)
        while chunk := await self.read(chunk_size):
            yield chunk

    async def iter_lines(self, chunk_size: int = 1024) -> AsyncIterator[bytes]:
        """Lines with the line feed that ends them. `chunk_size` changes nothing about them."""
        _check_chunk_size(chunk_size)
        while True:
            line = self._buffer.take_line()
            if line is None:
                chunk = await self._next()
                if not chunk:
                    break
                self._buffer.feed(chunk)
            else:
                yield line
        if self._buffer:
            yield self._buffer.take(len(self._buffer))

    async def close(self) -> None:
        """End the download. Calling it again does nothing."""
        self._is_closed = True
        self._buffer = _Buffer()
        await self._drop_stream()

    async def __aenter__(self) -> AsyncDriveStreamingBody:
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]] = None,
        error: Optional[BaseException] = None,
        traceback: Optional[TracebackType] = None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.name!r}>"

    async def _next(self) -> bytes:
        """The next bytes from the connection, nothing at the end."""
        if self._is_closed:
            return b""
        while True:
            chunk = await self._stream.next() if self._stream else None
            if isinstance(chunk, Failure):
                await self._drop_stream()
                await asyncio.sleep(self._progress.delay_after(chunk))
                self._stream = await self._client.open(self._root, self._progress.request())
                self._progress.check(self._stream.reply)
            elif chunk is None:
                await self._drop_stream()
                return b""
            elif chunk:
                self._progress.count(chunk)
                if self._progress.is_complete and self._stream:
                    await self._stream.next()
                    await self._drop_stream()
                return chunk

    async def _drop_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream:
            await stream.close()


def _check_chunk_size(chunk_size: int) -> None:
    if chunk_size < 1:
        raise InvalidArgument("A chunk has at least one byte")
