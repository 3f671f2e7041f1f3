"""What the original documentation shows of the asynchronous Base, and our own AsyncDrive."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.awaiting import run
from tests.drives import noise

from deta import AsyncBase, AsyncDrive, Deta, KeyExists


def test_the_documented_calls(deta: Deta) -> None:
    async_db = deta.AsyncBase("base_name")

    async def put_item() -> None:
        item = {"msg": "hello"}
        assert await async_db.put(item, "test") == {"msg": "hello", "key": "test"}
        assert item == {"msg": "hello"}
        assert (await async_db.put(item, expire_in=300))["__expires"] > time.time()
        await async_db.close()

    async def get_and_delete() -> None:
        assert await async_db.get("test") == {"msg": "hello", "key": "test"}
        assert await async_db.delete("test") is None
        assert await async_db.get("test") is None
        await async_db.close()

    async def insert_items() -> None:
        assert await async_db.insert({"msg": "hello"}, "test") == {"msg": "hello", "key": "test"}
        with pytest.raises(KeyExists):
            await async_db.insert({"msg": "hello"}, "test")
        await async_db.close()

    async def put_items() -> None:
        items = [{"key": "one", "value": 1}, {"key": "two", "value": 2}]
        assert (await async_db.put_many(items))["processed"]["items"] == items
        await async_db.put_many(items, expire_in=300)
        assert all("__expires" not in item for item in items)
        await async_db.close()

    async def update_item() -> None:
        await async_db.put({"profile": {"age": 19}, "likes": []}, "jimmy")
        await async_db.update({"profile.age": 20, "likes": async_db.util.append("ramen")}, "jimmy")
        assert await async_db.get("jimmy") == {"key": "jimmy", "profile": {"age": 20}, "likes": ["ramen"]}
        await async_db.update(None, "jimmy", expire_in=300)
        await async_db.close()

    async def fetch_items() -> None:
        res = await async_db.fetch({"profile.age?gte": 20})
        assert [item["key"] for item in res.items] == ["jimmy"]
        first = await async_db.fetch(limit=1)
        assert (first.count, (await async_db.fetch(limit=1, last=first.last)).count) == (1, 1)
        await async_db.close()

    # Each in an event loop of its own, as the documentation runs them.
    for example in (put_item, get_and_delete, insert_items, put_items, update_item, fetch_items):
        run(example())


def test_many_at_once_and_a_close_in_between(deta: Deta) -> None:
    async def work() -> None:
        db = deta.AsyncBase("many")
        tasks = [asyncio.ensure_future(db.put(n, f"k{n:03}")) for n in range(60)]
        await tasks[0]
        await deta.AsyncBase("other").close()
        assert [item["value"] for item in await asyncio.gather(*tasks)] == list(range(60))
        assert [item["value"] async for item in db.fetch_all(desc=True)] == list(range(59, -1, -1))
        assert len((await db.put_all({"key": f"a{n}"} for n in range(60)))["processed"]["items"]) == 60
        await db.close()

    run(work())


def test_drive(deta: Deta) -> None:
    big = noise(21 * 1024 * 1024)
    told: list[tuple[int, object]] = []

    async def work() -> None:
        async with deta.AsyncDrive("files") as drive:
            assert await drive.put("hello.txt", "Hello world") == "hello.txt"
            assert await drive.put("big", big, content_type="x/y", progress=lambda *done: told.append(done)) == "big"
            body = await drive.get("big")
            async with body:
                assert (body.size, body.content_type, body.closed) == (len(big), "x/y", False)
                assert await body.read(5) == big[:5]
                assert await body.read() == big[5:]
                assert await body.read() == b""
            assert body.closed
            hello = await drive.get("hello.txt")
            assert [chunk async for chunk in hello.iter_chunks(4)] == [b"Hell", b"o wo", b"rld"]
            await drive.put("lines", "a\nb\nc")
            assert [line async for line in (await drive.get("lines")).iter_lines()] == [b"a\n", b"b\n", b"c"]
            assert (await drive.stat("big")).size == len(big)
            assert (await drive.stat("no"), await drive.get("no")) == (None, None)
            assert await drive.list(limit=1) == {"names": ["big"], "paging": {"size": 1, "last": "big"}}
            assert [name async for name in drive.list_all()] == ["big", "hello.txt", "lines"]
            assert await drive.delete("lines") == "lines"
            assert (await drive.delete_many(["big", "hello.txt"]))["deleted"] == ["big", "hello.txt"]

    run(work())
    assert told[-1] == (len(big), len(big))
    assert len(told) == 3


def test_functions_of_the_module(environment: object) -> None:
    async def work() -> None:
        async with AsyncBase("notes") as db, AsyncDrive("files") as drive:
            await db.put(1, "one")
            await drive.put("a", "b")
            assert (await db.get("one"))["value"] == 1

    run(work())


def test_without_an_event_loop_it_says_so(plain: Deta) -> None:
    def step() -> None:
        plain.AsyncBase("notes").get("x").send(None)

    with ThreadPoolExecutor(1) as thread, pytest.raises(ConnectionError, match="event loop"):
        thread.submit(step).result()
