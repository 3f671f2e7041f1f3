"""`changes`: a Base is followed, over connections that break, until the server says that it is over."""

from collections.abc import Iterator
from contextlib import aclosing
from itertools import islice
from typing import Any

import pytest
from clients.python.tests.conftest import Place
from clients.python.tests.cutting import Cuttable
from storage.collections import keys, stores
from storage.models import DataKey
from storage.postgres.caller import Access
from tests.awaiting import run
from tests.people import make_member

from deta import BadRequest, ChangesGone, Deta, InvalidType, Unauthorized


@pytest.fixture
def way(place: Place) -> Iterator[Cuttable]:
    with Cuttable(place.server.url) as running:
        yield running


@pytest.fixture
def followed(place: Place, way: Cuttable, plain: Deta, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deta]:
    """A client that goes the way that can be cut."""
    monkeypatch.setenv("HOMEPORT_URL", way.url)
    monkeypatch.setattr("deta.feed._PAUSE_SECONDS", 0)
    with Deta(place.key) as made:
        yield made


def values(changes: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [(each["key"], each["value"] and each["value"]["n"]) for each in changes]


def test_changes_come_with_what_they_made_and_where_to_go_on(deta: Deta) -> None:
    db = deta.Base("followed")
    db.put({"n": 1}, "a")
    with_all = db.changes()
    first = next(with_all)
    db.put({"n": 2}, "ü")
    db.delete("a")
    rest = list(islice(with_all, 2))
    with_all.close()

    assert set(first) == {"key", "revision", "at", "by", "value", "cursor"}
    assert values([first, *rest]) == [("a", 1), ("ü", 2), ("a", None)]
    assert list(islice(db.changes(first["cursor"]), 2)) == rest
    assert values(list(islice(db.changes(query={"n?gt": 1}), 1))) == [("ü", 2)]


def test_broken_connections_lose_and_repeat_nothing(plain: Deta, followed: Deta, way: Cuttable) -> None:
    db, changes = plain.Base("cut"), followed.Base("cut").changes()
    found = []
    for n in range(6):
        db.put({"n": n, "text": "x" * 1_000}, f"k{n % 2}")
        found.append(next(changes))
        if n % 2:
            way.cut()
    changes.close()

    assert values(found) == [(f"k{n % 2}", n) for n in range(6)]
    assert way.accepted >= 3


def test_asynchronous_code_follows_as_well(plain: Deta, followed: Deta, way: Cuttable) -> None:
    db = plain.Base("awaited")
    db.put({"n": 0}, "a")

    async def follow() -> list[dict[str, Any]]:
        found = []
        base = followed.AsyncBase("awaited")
        async with aclosing(base.changes()) as changes:
            async for change in changes:
                found.append(change)
                if len(found) == 3:
                    break
                db.put({"n": len(found)}, "a")
                way.cut()
        await base.close()
        return found

    assert values(run(follow())) == [("a", 0), ("a", 1), ("a", 2)]


def test_the_end_is_raised(plain: Deta, place: Place) -> None:
    db = plain.Base("ended")
    db.put({"n": 1}, "a")
    person = make_member(place.collection_id, name="ada")
    changes = db.changes()
    next(changes)
    stores.empty_store(access=Access(place.collection_id, person_id=person.pk), kind="base", name="ended")
    with pytest.raises(ChangesGone, match="emptied") as caught:
        next(changes)
    assert caught.value.status == 410
    with pytest.raises(ChangesGone) as again:
        next(db.changes("1.1"))
    db.put({"n": 2}, "b")
    changes = db.changes(again.value.cursor)
    assert next(changes)["key"] == "b"
    for key_id in DataKey.objects.filter(collection_id=place.collection_id).values_list("pk", flat=True):
        keys.revoke_key(collection_id=place.collection_id, key_id=key_id)
    with pytest.raises(Unauthorized):
        next(changes)


def test_nonsense_is_refused(plain: Deta) -> None:
    db = plain.Base("nonsense")
    with pytest.raises(BadRequest, match="no cursor"):
        next(db.changes("x"))
    for arguments in ({"since": 5}, {"query": "x"}, {"query": 1}):
        with pytest.raises(InvalidType):
            next(db.changes(**arguments))
