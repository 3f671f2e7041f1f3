"""Base and AsyncBase, which apps call. The operations are in `items`, the connections in `transport`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator, Mapping
from typing import Any, Optional, Union

from deta.config import Options, read_key, service_root
from deta.errors import DetaError
from deta.feed import Feed
from deta.items import (
    BASE_TTL_ATTTRIBUTE,
    Change,
    ExpireAt,
    FetchResponse,
    HistoryResponse,
    Item,
    Items,
    Moment,
    Query,
    Util,
    batches,
    gather,
    insert_ttl,
    to_expires,
)
from deta.service import _SERVICE_RESPONSE_TYPE, JSON_MIME, _Connected, _Service
from deta.transport import AsyncClient, SyncClient
from deta.wire import Call, load

__all__ = [
    "BASE_SERVICE_TIMEOUT",
    "BASE_TTL_ATTTRIBUTE",
    "JSON_MIME",
    "_SERVICE_RESPONSE_TYPE",
    "AsyncBase",
    "Base",
    "Change",
    "FetchResponse",
    "HistoryResponse",
    "Util",
    "_Base",
    "_Service",
    "insert_ttl",
]

Seconds = Union[int, float, None]

# Seconds for each wait of a Base that was made by its class; one of a `Deta` has its timeout.
BASE_SERVICE_TIMEOUT = 300
_BASE_DATA_TYPE = Union[dict[str, Any], list[Any], str, int, bool]
_UTIL_NUMERIC_VALUE_TYPE = Union[int, float]
_UTIL_ITEM_VALUE_TYPE = Union[dict[str, Any], list[Any], str, int, float, bool]


class Base(_Service):
    """One Base. All its methods may be called from several threads."""

    def __init__(self, name: str, project_key: str, project_id: str, host: Optional[str] = None) -> None:
        super().__init__(project_key, project_id, host, name, BASE_SERVICE_TIMEOUT)

    def _attach(self, name: str, client: SyncClient, root: str) -> None:
        super()._attach(name, client, root)
        self.util = Util()
        self._items = Items(f'Base "{name}"')

    def put(
        self, data: Any, key: Optional[str] = None, *, expire_in: Seconds = None, expire_at: ExpireAt = None
    ) -> Item:
        """Store an item, replacing one with the same key, and return it with its key."""
        return self.client.call(self._root, self._items.put(data, key, to_expires(expire_in, expire_at)))

    def put_many(
        self, items: Iterable[Any], *, expire_in: Seconds = None, expire_at: ExpireAt = None
    ) -> dict[str, Any]:
        """Store up to 25 items at once: `{"processed": {"items": [...]}}`, and `failed` likewise if any were refused."""
        return self.client.call(self._root, self._items.put_many(items, to_expires(expire_in, expire_at)))

    def put_all(self, items: Iterable[Any], *, expire_in: Seconds = None, expire_at: ExpireAt = None) -> dict[str, Any]:
        """As `put_many`, for any number of items, 25 at a time. An error's `processed` says what was stored before it."""
        expires = to_expires(expire_in, expire_at)
        result: dict[str, Any] = {"processed": {"items": []}}
        try:
            for batch in batches(items):
                gather(result, self.client.call(self._root, self._items.put_many(batch, expires)))
        except DetaError as error:
            error.processed = result["processed"]["items"]
            raise
        return result

    def insert(
        self, data: Any, key: Optional[str] = None, *, expire_in: Seconds = None, expire_at: ExpireAt = None
    ) -> Item:
        """Store an item and return it. Raises KeyExists when its key is taken."""
        return self.client.call(self._root, self._items.insert(data, key, to_expires(expire_in, expire_at)))

    def get(self, key: str) -> Optional[Item]:
        """The item, or None."""
        return self.client.call(self._root, self._items.get(key))

    def delete(self, key: str) -> None:
        """Delete the item, if there is one."""
        self.client.call(self._root, self._items.delete(key))

    def update(
        self,
        updates: Optional[Mapping[str, Any]],
        key: str,
        *,
        expire_in: Seconds = None,
        expire_at: ExpireAt = None,
    ) -> None:
        """Change attributes of an item; `util` has the operations besides setting a value. None when only the expiry changes.

        Raises NotFound, and MayHaveBeenApplied when an increment, append or prepend was sent and no answer came.
        """
        self.client.call(self._root, self._items.update(updates, key, to_expires(expire_in, expire_at)))

    def fetch(
        self,
        query: Query = None,
        limit: Optional[int] = 1000,
        last: Union[str, bool, None] = None,
        desc: bool = False,
        *,
        as_of: Moment = None,
    ) -> FetchResponse:
        """One page of the items that match, in the order of their keys. It may be short or empty and still have a `last`.

        With `as_of`, Unix seconds or a datetime, those that matched then, as they were; raises a ResponseError with status 410
        for a moment of which the server has not kept all.
        """
        page = self.client.call(self._root, self._items.fetch(query, limit, last, desc, as_of))
        page.more = lambda place: self.fetch(query, limit, place, desc, as_of=as_of)
        return page

    def fetch_all(self, query: Query = None, *, desc: bool = False, as_of: Moment = None) -> Iterator[Item]:
        """Every item that matches, page after page."""
        last = None
        while True:
            page = self.fetch(query, last=last, desc=desc, as_of=as_of)
            yield from page.items
            if (last := page.last) is None:
                return

    def history(self, key: str, *, limit: Optional[int] = None, last: Optional[str] = None) -> HistoryResponse:
        """One page of an item's versions, newest first: what it was before and after each change, when, and by whom."""
        return self.client.call(self._root, self._items.history(key, limit, last))

    def changes(self, since: Optional[str] = None, query: Query = None) -> Generator[dict[str, Any], None, None]:
        """Every change as it comes, for ever: `{"key", "revision", "at", "by", "value", "cursor"}`, with `value` None for a
        deletion.

        Those behind the cursor `since`, "now" for what comes from now on, None for all that the server still has. With a query
        those alone that match, and with `value` None those that no longer do. After a broken connection or a restart of the
        server it goes on by itself. Raises ChangesGone, Unauthorized and other ResponseErrors when that is no use, and
        ConnectionFailed when the server can't be reached at first.
        """
        feed = Feed(f'Base "{self.name}"', since, query)
        while True:
            stream = self.client.open(self._root, feed.request())
            try:
                feed.begin(stream.reply)
                while isinstance(chunk := stream.next(), bytes):
                    yield from feed.read(chunk)
            finally:
                stream.close()
            time.sleep(feed.pause())

    def _fetch(
        self,
        query: Query = None,
        buffer: Optional[int] = None,
        last: Union[str, bool, None] = None,
        desc: bool = False,
    ) -> tuple[int, dict[str, Any]]:
        """A page as the server answers it, with its status."""
        return 200, self.client.call(self._root, Call(self._items.fetch(query, buffer, last, desc).request, load))

    def close(self) -> None:
        """Close the connections of this Base's Deta. The next call opens new ones."""
        self.client.close()

    def __enter__(self) -> Base:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Base {self.name!r}>"


class AsyncBase(_Connected[AsyncClient]):
    """One Base, for `await`."""

    def __init__(self, name: str, project_key: str, project_id: str, host: Optional[str] = None) -> None:
        key = read_key(project_key, project_id)
        root = service_root(self._kind, name, host=host, project_id=key.project_id)
        self._attach(name, AsyncClient(key, Options(BASE_SERVICE_TIMEOUT)), root)

    def _attach(self, name: str, client: AsyncClient, root: str) -> None:
        super()._attach(name, client, root)
        self.util = Util()
        self._items = Items(f'Base "{name}"')

    async def put(
        self, data: Any, key: Optional[str] = None, *, expire_in: Seconds = None, expire_at: ExpireAt = None
    ) -> Item:
        """See `Base.put`."""
        return await self.client.call(self._root, self._items.put(data, key, to_expires(expire_in, expire_at)))

    async def put_many(
        self, items: Iterable[Any], *, expire_in: Seconds = None, expire_at: ExpireAt = None
    ) -> dict[str, Any]:
        """See `Base.put_many`."""
        return await self.client.call(self._root, self._items.put_many(items, to_expires(expire_in, expire_at)))

    async def put_all(
        self, items: Iterable[Any], *, expire_in: Seconds = None, expire_at: ExpireAt = None
    ) -> dict[str, Any]:
        """See `Base.put_all`."""
        expires = to_expires(expire_in, expire_at)
        result: dict[str, Any] = {"processed": {"items": []}}
        try:
            for batch in batches(items):
                gather(result, await self.client.call(self._root, self._items.put_many(batch, expires)))
        except DetaError as error:
            error.processed = result["processed"]["items"]
            raise
        return result

    async def insert(
        self, data: Any, key: Optional[str] = None, *, expire_in: Seconds = None, expire_at: ExpireAt = None
    ) -> Item:
        """See `Base.insert`."""
        return await self.client.call(self._root, self._items.insert(data, key, to_expires(expire_in, expire_at)))

    async def get(self, key: str) -> Optional[Item]:
        """See `Base.get`."""
        return await self.client.call(self._root, self._items.get(key))

    async def delete(self, key: str) -> None:
        """See `Base.delete`."""
        await self.client.call(self._root, self._items.delete(key))

    async def update(
        self,
        updates: Optional[Mapping[str, Any]],
        key: str,
        *,
        expire_in: Seconds = None,
        expire_at: ExpireAt = None,
    ) -> None:
        """See `Base.update`."""
        await self.client.call(self._root, self._items.update(updates, key, to_expires(expire_in, expire_at)))

    async def fetch(
        self,
        query: Query = None,
        limit: Optional[int] = 1000,
        last: Union[str, bool, None] = None,
        desc: bool = False,
        *,
        as_of: Moment = None,
    ) -> FetchResponse:
        """See `Base.fetch`."""
        return await self.client.call(self._root, self._items.fetch(query, limit, last, desc, as_of))

    async def history(self, key: str, *, limit: Optional[int] = None, last: Optional[str] = None) -> HistoryResponse:
        """See `Base.history`."""
        return await self.client.call(self._root, self._items.history(key, limit, last))

    async def fetch_all(self, query: Query = None, *, desc: bool = False, as_of: Moment = None) -> AsyncIterator[Item]:
        """See `Base.fetch_all`; for `async for`."""
        last = None
        while True:
            page = await self.fetch(query, last=last, desc=desc, as_of=as_of)
            for item in page.items:
                yield item
            if (last := page.last) is None:
                return

    async def changes(self, since: Optional[str] = None, query: Query = None) -> AsyncGenerator[dict[str, Any], None]:
        """See `Base.changes`; for `async for`. Who leaves it early closes it, as `contextlib.aclosing` does."""
        feed = Feed(f'Base "{self.name}"', since, query)
        while True:
            stream = await self.client.open(self._root, feed.request())
            try:
                feed.begin(stream.reply)
                while isinstance(chunk := await stream.next(), bytes):
                    for change in feed.read(chunk):
                        yield change
            finally:
                await stream.close()
            await asyncio.sleep(feed.pause())

    async def close(self) -> None:
        """Close the connections of this Base's Deta. The next call opens new ones."""
        await self.client.close()

    async def __aenter__(self) -> AsyncBase:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncBase {self.name!r}>"


# The name that code for the original client imports.
_Base = Base
