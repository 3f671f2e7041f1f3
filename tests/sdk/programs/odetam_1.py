"""Models in Bases, one way and the other: odetam's own examples."""

import asyncio
import datetime

from odetam import DetaModel
from odetam.async_model import AsyncDetaModel
from odetam.exceptions import ItemNotFound


class Captain(DetaModel):
    name: str
    joined: datetime.date
    ships: list[str]
    rank: int | None = None


class AsyncCaptain(AsyncDetaModel):
    name: str
    ships: list[str]

    class Config:
        table_name = "custom"


def use_models() -> None:
    james = Captain(name="James", joined=datetime.date(2282, 10, 10), ships=["Enterprise"])
    james.save()
    assert len(james.key) == 12
    Captain.put_many([Captain(name=f"n{n:02}", joined=datetime.date(2300, 1, 1), ships=[], rank=n) for n in range(30)])
    Captain(key="jean", name="Jean-Luc", joined=datetime.date(2305, 7, 13), ships=["Stargazer", "Enterprise"]).save()

    assert Captain.get(james.key) == james
    assert Captain.get("jean").joined == datetime.date(2305, 7, 13)
    assert len(Captain.get_all()) == 32
    assert {found.name for found in Captain.query(Captain.ships.contains("Enterprise"))} == {"James", "Jean-Luc"}
    assert [found.key for found in Captain.query(Captain.joined > datetime.date(2303, 1, 1))] == ["jean"]
    assert [found.rank for found in Captain.query((Captain.rank >= 28) & Captain.name.prefix("n"))] == [28, 29]
    assert len(Captain.query((Captain.name == "James") | (Captain.name == "Jean-Luc"))) == 2
    james.ships.append("Enterprise A")
    james.save()
    assert Captain.get(james.key).ships == ["Enterprise", "Enterprise A"]
    key = james.key
    james.delete()
    assert Captain.get_or_none(key) is None
    try:
        Captain.get(key)
        raise SystemExit("a deleted item was found")
    except ItemNotFound:
        pass


async def use_async_models() -> None:
    items = await AsyncCaptain.put_many([AsyncCaptain(name="A", ships=["x"]), AsyncCaptain(name="B", ships=[])])
    assert [item.name for item in items] == ["A", "B"]
    saved = AsyncCaptain(name="C", ships=["x", "y"])
    await saved.save()
    assert await AsyncCaptain.get(saved.key) == saved
    assert await AsyncCaptain.get_or_none("nobody") is None
    assert {found.name for found in await AsyncCaptain.query(AsyncCaptain.ships.contains("x"))} == {"A", "C"}
    await saved.delete()
    assert len(await AsyncCaptain.get_all()) == 2
    await AsyncCaptain.__db__.close()


use_models()
asyncio.run(use_async_models())
