"""Expiry goes by the database's clock (promises: "clock of the web process off by an hour")."""

import datetime
import time

import pytest

from storage.base import items
from storage.base.query import parse_query
from storage.collections import collections, keys
from storage.errors import ItemNotFound, KeyExists
from storage.postgres.caller import Access


@pytest.mark.parametrize("off_seconds", [3600, -3600])
def test_expiry_of_items_and_keys_goes_by_the_database_clock(
    database: None, monkeypatch: pytest.MonkeyPatch, off_seconds: int
) -> None:
    now = time.time()
    collection_id = collections.create_collection("Made by a test").id
    access = Access(collection_id)
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    living = keys.create_key(
        collection_id=collection_id, name="living", expires_at=moment + datetime.timedelta(seconds=1800)
    )
    real_time = time.time
    monkeypatch.setattr(time, "time", lambda: real_time() + off_seconds)
    monkeypatch.setattr(time, "time_ns", lambda: int((real_time() + off_seconds) * 1e9))

    items.put_items(
        access=access,
        base="things",
        items=[{"key": "gone", "__expires": int(now) - 1800}, {"key": "there", "__expires": int(now) + 1800}],
    )

    assert items.get_item(access=keys.read_key(living.text), base="things", key="there").json
    with pytest.raises(ItemNotFound):
        items.get_item(access=access, base="things", key="gone")
    page = items.query_items(access=access, base="things", predicate=parse_query([]), limit=10)
    assert len(page.items) == 1
    with pytest.raises(KeyExists):
        items.insert_item(access=access, base="things", item={"key": "there"})
    assert items.insert_item(access=access, base="things", item={"key": "gone"}).json
