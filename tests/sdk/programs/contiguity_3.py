"""The successor's second Python client, through `contiguity.base` alone."""

import asyncio

from contiguity.base import AsyncBase, Base, BaseItem, ItemConflictError, ItemNotFoundError, QueryResponse


class Guest(BaseItem):
    name: str
    age: int = 0


FIRST = {"key": "a", "n": 1, "zero": 0, "words": ["foo"], "numbers": [1], "gone": True, "deep": {"foo": "bar"}}
CHANGED = {
    "key": "a",
    "n": 3,
    "zero": -2,
    "words": ["foo", "baz"],
    "numbers": [3, 4, 1],
    "deep": {"foo": "bar"},
    "new": "x",
}


def changes(base):
    return {
        "new": "x",
        "gone": base.util.trim(),
        "n": base.util.increment(2),
        "zero": base.util.increment(-2),
        "words": base.util.append("baz"),
        "numbers": base.util.prepend([3, 4]),
    }


def use_base() -> None:
    base = Base("plain")
    assert base.insert(FIRST) == FIRST
    try:
        base.insert(FIRST)
        raise SystemExit("an item was inserted twice")
    except ItemConflictError:
        pass
    assert base.get("a", default=None) == FIRST
    assert base.get("nobody", default=None) is None
    assert base.update(changes(base), key="a") == CHANGED
    try:
        base.update({"n": 1}, key="nobody")
        raise SystemExit("what is not there was updated")
    except ItemNotFoundError:
        pass

    items = [{"key": f"k{n:02}", "n": n} for n in range(30)]
    assert base.put(*items) == items
    (made,) = base.put({"n": 99})
    assert len(made["key"]) == 12
    assert base.query({"n?gte": 28, "key?pfx": "k"}).items == items[28:]
    first = base.query(limit=2)
    assert first == QueryResponse(count=2, last_key="k00", items=[CHANGED, items[0]])
    rest = base.query(last=first.last_key)
    assert (rest.count, rest.last_key) == (30, None)
    base.delete("a")
    assert base.get("a", default=None) is None
    assert base.put({"key": "a/b ü", "n": 1}, expire_in=300)[0]["__expires"] > 0
    assert base.get("a/b ü", default=None)["n"] == 1


def use_structs() -> None:
    base = Base("structs", item_type=Guest)
    ada = Guest(key="ada", name="Ada", age=36)
    assert base.put(ada) == [ada]
    assert base.get("ada", default=None) == ada
    assert base.query({"age?gt": 30}) == QueryResponse(count=1, last_key=None, items=[ada])


async def use_async_base() -> None:
    base = AsyncBase("async")
    assert await base.insert(FIRST) == FIRST
    assert await base.get("a", default=None) == FIRST
    assert await base.update(changes(base), key="a") == CHANGED
    assert await base.query() == QueryResponse(count=1, last_key=None, items=[CHANGED])
    await base.delete("a")
    assert await base.query() == QueryResponse(count=0, last_key=None, items=[])


use_base()
use_structs()
asyncio.run(use_async_base())
