"""Drive and AsyncDrive, which apps call. The operations are in `files`, the connections in `transport`."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import chain, count
from os import PathLike
from typing import Any, Callable, Optional, TypeVar, Union

from deta.bodies import AsyncDriveStreamingBody, Download, DriveStreamingBody
from deta.config import Options, read_key, service_root
from deta.errors import DetaError, FileChanged, InvalidArgument
from deta.files import UPLOAD_CHUNK_SIZE, Data, Files, FileStat, Listing, Name, checked_name, open_parts, quoted_name
from deta.service import _SERVICE_RESPONSE_TYPE, JSON_MIME, _Connected, _Service
from deta.transport import AsyncClient, SyncClient
from deta.wire import Reply, error_of

__all__ = [
    "DRIVE_SERVICE_TIMEOUT",
    "JSON_MIME",
    "UPLOAD_CHUNK_SIZE",
    "_SERVICE_RESPONSE_TYPE",
    "AsyncDrive",
    "AsyncDriveStreamingBody",
    "Drive",
    "DriveStreamingBody",
    "FileStat",
    "_Drive",
    "_Service",
]

# Seconds for each wait of a Drive that was made by its class; one of a `Deta` has its timeout.
DRIVE_SERVICE_TIMEOUT = 300
_DRIVE_DATA_TYPE = Data

Path = Union[str, "PathLike[str]", None]
# Told after each part: bytes stored so far, and of how many if that is known.
Progress = Callable[[int, Optional[int]], object]
# Two hide the time on the way; more would only wait for each other where server and disk are one machine.
PARALLEL = 2
Body = TypeVar("Body", bound=DriveStreamingBody)


class Drive(_Service):
    """One Drive. All its methods may be called from several threads."""

    _kind = "DRIVE"

    def __init__(self, name: str, project_key: str, project_id: str, host: Optional[str] = None) -> None:
        super().__init__(project_key, project_id, host, name, DRIVE_SERVICE_TIMEOUT)

    def _attach(self, name: str, client: SyncClient, root: str) -> None:
        super()._attach(name, client, root)
        self._files = Files(f'Drive "{name}"')

    def put(
        self,
        name: Name,
        data: Optional[Data] = None,
        *,
        path: Path = None,
        content_type: Optional[str] = None,
        parallel: int = PARALLEL,
        progress: Optional[Progress] = None,
    ) -> str:
        """Store a file, replacing one with the same name, and return the name.

        What is longer than 10 MB goes in parts, up to `parallel` at a time, and so much is in memory; until the last part
        has come, readers get what was there before. A stream is closed at the end. Without a content type the server
        goes by the name.
        """
        name = checked_name(name)
        _check_parallel(parallel)
        with open_parts(data, path) as (parts, total):
            first, second = next(parts), next(parts, None)
            if second is None:
                stored = self.client.call(self._root, self._files.put_whole(name, first, content_type))
                _tell(progress, len(first), len(first))
                return stored
            upload = self.client.call(self._root, self._files.start(name, content_type))
            try:
                sent = _Sent(progress, total)
                self._send_parts(upload, name, chain((first, second), parts), content_type, parallel, sent)
                return self.client.call(self._root, self._files.end(upload, name))
            except BaseException:
                with suppress(DetaError):
                    self.client.call(self._root, self._files.abort(upload, name))
                raise

    def get(self, name: Name) -> Optional[DriveStreamingBody]:
        """The file as a stream, or None."""
        return self.get_as(DriveStreamingBody, name)

    def get_as(self, kind: type[Body], name: Name) -> Optional[Body]:
        """As `get`, with a class of body of the caller's own."""
        name = checked_name(name)
        stream = self.client.open(self._root, self._files.download(name))
        if stream.reply.status == 404:
            return None
        if not 200 <= stream.reply.status < 300:
            raise error_of(stream.reply)
        return kind(Download(self.client, self._root, self._files, name, stream))

    def get_rest(self, name: Name, *, offset: int, etag: str) -> Optional[DriveStreamingBody]:
        """The file from the byte at `offset` on, if it is still the one with this ETag; or None.

        Raises FileChanged when it is another one by now.
        """
        name = checked_name(name)
        stream = self.client.open(self._root, self._files.download(name, offset=offset, etag=etag))
        if stream.reply.status == 404:
            return None
        if offset and stream.reply.status in (200, 416):
            stream.close()
            raise _another_file(stream.reply)
        if not 200 <= stream.reply.status < 300:
            raise error_of(stream.reply)
        return DriveStreamingBody(Download(self.client, self._root, self._files, name, stream, offset))

    def stat(self, name: Name) -> Optional[FileStat]:
        """Size, type and age of a file without its bytes, or None."""
        return self.client.call(self._root, self._files.stat(checked_name(name)))

    def list(
        self,
        limit: Optional[int] = 1000,
        prefix: Optional[str] = None,
        last: Optional[str] = None,
        *,
        recursive: bool = True,
    ) -> Listing:
        """One page of names: `{"names": [...]}`, and `paging` with `size` and `last` if there are more.

        Unless `recursive`, what lies in a folder below the prefix shows as the folder alone, with its `/`.
        """
        return self.client.call(self._root, self._files.list(limit, prefix, last, recursive))

    def list_all(self, prefix: Optional[str] = None, *, recursive: bool = True) -> Iterator[str]:
        """Every name, page after page."""
        last = None
        while True:
            page = self.list(prefix=prefix, last=last, recursive=recursive)
            yield from page["names"]
            if (last := page.get("paging", {}).get("last")) is None:
                return

    def delete(self, name: Name) -> str:
        """Delete a file, if there is one, and return the name."""
        return self.client.call(self._root, self._files.delete(checked_name(name)))

    def delete_many(self, names: Sequence[Name]) -> dict[str, Any]:
        """Delete up to 1,000 files: `{"deleted": [...]}`, and `failed` with names and reasons if any."""
        return self.client.call(self._root, self._files.delete_many(names))

    def close(self) -> None:
        """Close the connections of this Drive's Deta. The next call opens new ones."""
        self.client.close()

    def __enter__(self) -> Drive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Drive {self.name!r}>"

    def _quote(self, param: Name) -> str:
        return quoted_name(param)

    def _start_upload(self, name: str) -> str:
        return self.client.call(self._root, self._files.start(name, None))

    def _upload_part(
        self, name: str, chunk: Union[str, bytes], upload_id: str, part: int, content_type: Optional[str] = None
    ) -> None:
        content = chunk.encode() if isinstance(chunk, str) else chunk
        self.client.call(self._root, self._files.part(upload_id, name, part, content, content_type))

    def _finish_upload(self, name: str, upload_id: str) -> None:
        self.client.call(self._root, self._files.end(upload_id, name))

    def _abort_upload(self, name: str, upload_id: str) -> None:
        self.client.call(self._root, self._files.abort(upload_id, name))

    def _get_content_stream(self, data: Data) -> Any:
        """Data as a stream."""
        if isinstance(data, str):
            return io.StringIO(data)
        return io.BytesIO(data) if isinstance(data, (bytes, bytearray, memoryview)) else data

    def _send_parts(
        self,
        upload: str,
        name: str,
        parts: Iterator[bytes],
        content_type: Optional[str],
        parallel: int,
        sent: _Sent,
    ) -> None:
        """The next part is read only when one of those under way has arrived."""
        with ThreadPoolExecutor(parallel) as threads:
            running: set[Future[int]] = set()
            for number, part in zip(count(1), parts):
                if len(running) == parallel:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    sent.add(*(future.result() for future in done))
                call = self._files.part(upload, name, number, part, content_type)
                running.add(threads.submit(self.client.call, self._root, call))
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                sent.add(*(future.result() for future in done))


class AsyncDrive(_Connected[AsyncClient]):
    """One Drive, for `await`. Streams and files on the disk are read in a thread."""

    _kind = "DRIVE"

    def __init__(self, name: str, project_key: str, project_id: str, host: Optional[str] = None) -> None:
        key = read_key(project_key, project_id)
        root = service_root(self._kind, name, host=host, project_id=key.project_id)
        self._attach(name, AsyncClient(key, Options(DRIVE_SERVICE_TIMEOUT)), root)

    def _attach(self, name: str, client: AsyncClient, root: str) -> None:
        super()._attach(name, client, root)
        self._files = Files(f'Drive "{name}"')

    async def put(
        self,
        name: Name,
        data: Optional[Data] = None,
        *,
        path: Path = None,
        content_type: Optional[str] = None,
        parallel: int = PARALLEL,
        progress: Optional[Progress] = None,
    ) -> str:
        """See `Drive.put`."""
        name = checked_name(name)
        _check_parallel(parallel)
        with open_parts(data, path) as (parts, total):
            first, second = await asyncio.to_thread(lambda: (next(parts), next(parts, None)))
            if second is None:
                stored = await self.client.call(self._root, self._files.put_whole(name, first, content_type))
                _tell(progress, len(first), len(first))
                return stored
            upload = await self.client.call(self._root, self._files.start(name, content_type))
            try:
                sent = _Sent(progress, total)
                await self._send_parts(upload, name, chain((first, second), parts), content_type, parallel, sent)
                return await self.client.call(self._root, self._files.end(upload, name))
            except BaseException:
                with suppress(DetaError):
                    await self.client.call(self._root, self._files.abort(upload, name))
                raise

    async def get(self, name: Name) -> Optional[AsyncDriveStreamingBody]:
        """See `Drive.get`."""
        name = checked_name(name)
        stream = await self.client.open(self._root, self._files.download(name))
        if stream.reply.status == 404:
            return None
        if not 200 <= stream.reply.status < 300:
            raise error_of(stream.reply)
        return AsyncDriveStreamingBody(self.client, self._root, self._files, name, stream)

    async def get_rest(self, name: Name, *, offset: int, etag: str) -> Optional[AsyncDriveStreamingBody]:
        """See `Drive.get_rest`."""
        name = checked_name(name)
        stream = await self.client.open(self._root, self._files.download(name, offset=offset, etag=etag))
        if stream.reply.status == 404:
            return None
        if offset and stream.reply.status in (200, 416):
            await stream.close()
            raise _another_file(stream.reply)
        if not 200 <= stream.reply.status < 300:
            raise error_of(stream.reply)
        return AsyncDriveStreamingBody(self.client, self._root, self._files, name, stream, offset)

    async def stat(self, name: Name) -> Optional[FileStat]:
        """See `Drive.stat`."""
        return await self.client.call(self._root, self._files.stat(checked_name(name)))

    async def list(
        self,
        limit: Optional[int] = 1000,
        prefix: Optional[str] = None,
        last: Optional[str] = None,
        *,
        recursive: bool = True,
    ) -> Listing:
        """See `Drive.list`."""
        return await self.client.call(self._root, self._files.list(limit, prefix, last, recursive))

    async def list_all(self, prefix: Optional[str] = None, *, recursive: bool = True) -> AsyncIterator[str]:
        """See `Drive.list_all`; for `async for`."""
        last = None
        while True:
            page = await self.list(prefix=prefix, last=last, recursive=recursive)
            for name in page["names"]:
                yield name
            if (last := page.get("paging", {}).get("last")) is None:
                return

    async def delete(self, name: Name) -> str:
        """See `Drive.delete`."""
        return await self.client.call(self._root, self._files.delete(checked_name(name)))

    async def delete_many(self, names: Sequence[Name]) -> dict[str, Any]:
        """See `Drive.delete_many`."""
        return await self.client.call(self._root, self._files.delete_many(names))

    async def close(self) -> None:
        """Close the connections of this Drive's Deta. The next call opens new ones."""
        await self.client.close()

    async def __aenter__(self) -> AsyncDrive:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncDrive {self.name!r}>"

    async def _send_parts(
        self,
        upload: str,
        name: str,
        parts: Iterator[bytes],
        content_type: Optional[str],
        parallel: int,
        sent: _Sent,
    ) -> None:
        """The next part is read only when one of those under way has arrived."""
        running: set[asyncio.Future[int]] = set()
        try:
            for number in count(1):
                part = await asyncio.to_thread(next, parts, None)
                if part is None:
                    break
                if len(running) == parallel:
                    done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    sent.add(*(future.result() for future in done))
                call = self._files.part(upload, name, number, part, content_type)
                running.add(asyncio.ensure_future(self.client.call(self._root, call)))
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                sent.add(*(future.result() for future in done))
        finally:
            for future in running:
                future.cancel()
            await asyncio.gather(*running, return_exceptions=True)


class _Sent:
    """Counts what has arrived and tells the caller."""

    def __init__(self, progress: Optional[Progress], total: Optional[int]) -> None:
        self._progress = progress
        self._total = total
        self._bytes = 0

    def add(self, *sizes: int) -> None:
        for size in sizes:
            self._bytes += size
            _tell(self._progress, self._bytes, self._total)


def _tell(progress: Optional[Progress], done: int, total: Optional[int]) -> None:
    if progress is not None:
        progress(done, total)


def _another_file(reply: Reply) -> FileChanged:
    return FileChanged(f"{reply.request.what}: the file is another one by now", status=reply.status)


def _check_parallel(parallel: int) -> None:
    if parallel < 1:
        raise InvalidArgument("`parallel` is at least 1")


# The name that code for the original client imports.
_Drive = Drive
