"""The connections: `SyncClient` and `AsyncClient` carry out requests, try again where that is safe, and keep a pool.

A pool is made with the first request and again after `close`, so closing is never final. It belongs to one process (a fork
must not share sockets), the asynchronous one to one event loop as well. One that is closed while others still use it ends
with the last of them.
"""

from __future__ import annotations

import asyncio
import os
import platform
import threading
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Callable, Generic, Optional, TypeVar, Union

import httpx

from deta.aiohttp_errors import for_aiohttp
from deta.config import DataKey, Options
from deta.errors import ConnectionFailed, InvalidArgument, ResponseError
from deta.retries import Attempts, Failure, describe
from deta.wire import Call, Reply, Request

T = TypeVar("T")
Http = TypeVar("Http", httpx.Client, httpx.AsyncClient)

VERSION = "0.1.0"
_USER_AGENT = f"homeport-client/{VERSION} python/{platform.python_version()} httpx/{httpx.__version__}"
_CONNECT_SECONDS = 10.0
# The HTTP library copies what is left of a body after each piece that went out: many times 10 MB, where it has it all at once.
_PIECE_BYTES = 262_144


class _KeyHeader(httpx.Auth):
    """Adds the data key to a request as it leaves, so that it stands among no client's defaults."""

    def __init__(self, key: DataKey) -> None:
        self._key = key

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["X-API-Key"] = self._key.text
        yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers["X-API-Key"] = self._key.text
        yield request


@dataclass(eq=False)
class Lease(Generic[Http]):
    """A pool, and how many are using it."""

    http: Http
    owner: object
    users: int = 0
    is_closing: bool = False


class _Pool(Generic[Http]):
    """Hands out the one pool of connections and notices when it may be closed."""

    def __init__(self, make: Callable[[], Http]) -> None:
        self._make: Callable[[], Http] = make
        self._lock = threading.Lock()
        self._current: Optional[Lease[Http]] = None

    def take(self, owner: object) -> Lease[Http]:
        with self._lock:
            lease = self._current
            if lease is None or lease.owner != owner:
                lease = self._current = Lease(self._make(), owner)
            lease.users += 1
            return lease

    def give_back(self, lease: Lease[Http]) -> Optional[Http]:
        """The pool that is to be closed now, if there is one."""
        with self._lock:
            lease.users -= 1
            return lease.http if lease.is_closing and not lease.users else None

    def detach(self, owner: object) -> Optional[Http]:
        """End the current pool: the one to close now, or None while it is in use or belongs to another process."""
        with self._lock:
            lease, self._current = self._current, None
            if lease is None or lease.owner != owner:
                return None
            lease.is_closing = True
            return None if lease.users else lease.http


class _Client(Generic[Http]):
    """What both clients are made of."""

    def __init__(self, key: Union[DataKey, httpx.Auth], options: Options, make: Callable[..., Http]) -> None:
        self.options = options
        self._key = key if isinstance(key, DataKey) else None
        self._auth = _KeyHeader(key) if isinstance(key, DataKey) else key
        self._timeout = httpx.Timeout(options.timeout, connect=min(options.timeout, _CONNECT_SECONDS))
        self._pool: _Pool[Http] = _Pool(lambda: make(headers={"User-Agent": _USER_AGENT}))

    @property
    def key_text(self) -> str:
        """The data key. Raises InvalidArgument where something else lets the requests in."""
        if self._key is None:
            raise InvalidArgument("This client has no data key")
        return self._key.text

    def _build(self, http: Http, root: str, request: Request) -> httpx.Request:
        timeout, read = self._timeout, request.read_seconds
        content: Any = request.content or None
        headers = dict(request.headers)
        if len(request.content) > _PIECE_BYTES:
            content = self._pieces(request.content)
            headers["Content-Length"] = str(len(request.content))
        return http.build_request(
            request.method,
            root + request.path,
            content=content,
            headers=headers,
            timeout=timeout if read is None else httpx.Timeout(**{**timeout.as_dict(), "read": read}),
        )

    def _pieces(self, content: bytes) -> Any:
        """A long body as the HTTP library's client of this kind wants it: piece by piece."""
        raise NotImplementedError


class SyncClient(_Client[httpx.Client]):
    """Requests with one data key, from any thread, or with something else that lets them in."""

    def __init__(self, key: Union[DataKey, httpx.Auth], options: Options) -> None:
        super().__init__(key, options, httpx.Client)
        # Connections that nobody closed end with the client or with the process, and without a warning.
        weakref.finalize(self, _end_pool, self._pool)

    def call(self, root: str, call: Call[T]) -> T:
        """The result of a call to the service at `root`."""
        return call.read(self._send(root, call.request, is_whole=True).reply)

    def open(self, root: str, request: Request) -> SyncStream:
        """The response with its body still to come; one that is not 2xx has been read already."""
        return self._send(root, request, is_whole=False)

    def close(self) -> None:
        """Close the connections. The next request opens new ones."""
        _end_pool(self._pool)

    def _pieces(self, content: bytes) -> Iterator[bytes]:
        return _cut(content)

    def release(self, lease: Lease[httpx.Client]) -> None:
        http = self._pool.give_back(lease)
        if http is not None:
            http.close()

    def _send(self, root: str, request: Request, *, is_whole: bool) -> SyncStream:
        attempts = Attempts(request, self.options.retries)
        while True:
            outcome = self._try(root, request, attempts, is_whole)
            delay = attempts.after(outcome if isinstance(outcome, Failure) else outcome.reply)
            if delay is None and isinstance(outcome, SyncStream):
                return outcome
            time.sleep(delay or 0)

    def _try(self, root: str, request: Request, attempts: Attempts, is_whole: bool) -> Union[SyncStream, Failure]:
        lease = self._pool.take(os.getpid())
        keeps_lease = False
        try:
            response = lease.http.send(self._build(lease.http, root, request), auth=self._auth, stream=True)
            keeps_lease = response.is_success and not is_whole
            content = b"" if keeps_lease else response.read()
            reply = Reply(
                request, response.status_code, response.headers, content, attempts.is_doubtful, root + request.path
            )
            return SyncStream(self, lease if keeps_lease else None, response, reply)
        except httpx.RequestError as error:
            return describe(error)
        finally:
            if not keeps_lease:
                self.release(lease)


class AsyncClient(_Client[httpx.AsyncClient]):
    """Requests with one data key, from any task."""

    def __init__(self, key: DataKey, options: Options) -> None:
        super().__init__(key, options, httpx.AsyncClient)

    async def call(self, root: str, call: Call[T]) -> T:
        """The result of a call to the service at `root`."""
        reply = (await self._send(root, call.request, is_whole=True)).reply
        try:
            return call.read(reply)
        except ResponseError as error:
            raise for_aiohttp(error) from None

    async def open(self, root: str, request: Request) -> AsyncStream:
        """The response with its body still to come; one that is not 2xx has been read already."""
        return await self._send(root, request, is_whole=False)

    async def close(self) -> None:
        """Close the connections. The next request opens new ones."""
        await self._end(self._pool.detach(_loop()))

    def _pieces(self, content: bytes) -> AsyncIterator[bytes]:
        return _cut_async(content)

    async def release(self, lease: Lease[httpx.AsyncClient]) -> None:
        await self._end(self._pool.give_back(lease))

    async def _send(self, root: str, request: Request, *, is_whole: bool) -> AsyncStream:
        attempts = Attempts(request, self.options.retries)
        while True:
            outcome = await self._try(root, request, attempts, is_whole)
            delay = attempts.after(outcome if isinstance(outcome, Failure) else outcome.reply)
            if delay is None and isinstance(outcome, AsyncStream):
                return outcome
            await asyncio.sleep(delay or 0)

    async def _try(
        self, root: str, request: Request, attempts: Attempts, is_whole: bool
    ) -> Union[AsyncStream, Failure]:
        lease = self._pool.take(_loop())
        keeps_lease = False
        try:
            response = await lease.http.send(self._build(lease.http, root, request), auth=self._auth, stream=True)
            keeps_lease = response.is_success and not is_whole
            content = b"" if keeps_lease else await response.aread()
            reply = Reply(
                request, response.status_code, response.headers, content, attempts.is_doubtful, root + request.path
            )
            return AsyncStream(self, lease if keeps_lease else None, response, reply)
        except httpx.RequestError as error:
            return describe(error)
        finally:
            if not keeps_lease:
                await self.release(lease)

    @staticmethod
    async def _end(http: Optional[httpx.AsyncClient]) -> None:
        if http is not None:
            await http.aclose()


class SyncStream:
    """A response whose body may still be to read. Then it holds on to its pool until `close`."""

    def __init__(
        self, client: SyncClient, lease: Optional[Lease[httpx.Client]], response: httpx.Response, reply: Reply
    ) -> None:
        self.reply = reply
        self._client = client
        self._lease = lease
        self._response = response
        self._chunks = (response.iter_bytes() if _is_encoded(response) else response.iter_raw()) if lease else iter(())

    def next(self) -> Union[bytes, Failure, None]:
        """The next bytes as they come, None at the end, or what went wrong."""
        try:
            return next(self._chunks, None)
        except httpx.RequestError as error:
            return describe(error)

    def close(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            self._response.close()
            self._client.release(lease)

    def __del__(self) -> None:
        # A file that was asked for and dropped halfway gives its connection back.
        self.close()


class AsyncStream:
    """A response whose body may still be to read. Then it holds on to its pool until `close`."""

    def __init__(
        self, client: AsyncClient, lease: Optional[Lease[httpx.AsyncClient]], response: httpx.Response, reply: Reply
    ) -> None:
        self.reply = reply
        self._client = client
        self._lease = lease
        self._response = response
        self._chunks = (response.aiter_bytes() if _is_encoded(response) else response.aiter_raw()) if lease else None

    async def next(self) -> Union[bytes, Failure, None]:
        """The next bytes as they come, None at the end, or what went wrong."""
        try:
            return await self._chunks.__anext__() if self._chunks else None
        except StopAsyncIteration:
            return None
        except httpx.RequestError as error:
            return describe(error)

    async def close(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            await self._response.aclose()
            await self._client.release(lease)


def _cut(content: bytes) -> Iterator[bytes]:
    view = memoryview(content)
    for start in range(0, len(view), _PIECE_BYTES):
        yield bytes(view[start : start + _PIECE_BYTES])


async def _cut_async(content: bytes) -> AsyncIterator[bytes]:
    for piece in _cut(content):
        yield piece


def _is_encoded(response: httpx.Response) -> bool:
    """Whether something on the way compressed the body. Where nothing did, the way through the decoders can be saved."""
    return "content-encoding" in response.headers


def _end_pool(pool: _Pool[httpx.Client]) -> None:
    http = pool.detach(os.getpid())
    if http is not None:
        http.close()


def _loop() -> object:
    """The running event loop in this process. Raises ConnectionFailed where there is none."""
    try:
        return os.getpid(), asyncio.get_running_loop()
    except RuntimeError:
        raise ConnectionFailed("The asynchronous client works inside a running asyncio event loop") from None
