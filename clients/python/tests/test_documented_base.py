"""What the original documentation shows of Base in Python, as an app would write it."""

import datetime
import time
from collections.abc import Callable
from typing import Any

import pytest

from deta import AsyncBase, Base, Deta
from deta.base import FetchResponse

EXPIRED = datetime.datetime(2023, 1, 1)
WESLEY = {"key": "key-1", "name": "Wesley", "age": 27, "hometown": "San Francisco"}
BEVERLY = {"key": "key-2", "name": "Beverly", "age": 51, "hometown": "Copernicus City"}
KEVIN = {"key": "key-3", "name": "Kevin Garnett", "age": 43, "hometown": "Greenville"}


def test_put(deta: Deta) -> None:
    db = deta.Base("simple_db")
    made = db.put({"name": "alex", "age": 77})
    assert len(made["key"]) == 12
    assert db.get(made["key"]) == made == {"name": "alex", "age": 77, "key": made["key"]}
    assert db.put({"name": "alex", "age": 77}, "one") == {"name": "alex", "age": 77, "key": "one"}
    assert db.put({"name": "alex", "age": 77, "key": "one"}) == db.get("one")


@pytest.mark.parametrize("value", ["hello, worlds", 7, 0.1, True, False, None, ["a", 1, {"b": None}], ""])
def test_put_simple_types(deta: Deta, value: object) -> None:
    db = deta.Base("simple_db")
    assert db.put(value)["value"] == value
    assert db.put(value, "smart_work") == {"key": "smart_work", "value": value} == db.get("smart_work")


def test_put_changes_no_argument(deta: Deta) -> None:
    item = {"msg": "hello", "list": [1]}
    deta.Base("simple_db").put(item, "one", expire_in=300)
    assert item == {"msg": "hello", "list": [1]}


def test_put_expiring(deta: Deta) -> None:
    db = deta.Base("simple_db")
    before = int(time.time())
    item = db.put({"name": "alex", "age": 23}, "alex23", expire_in=300)
    assert before + 300 <= item["__expires"] <= time.time() + 300
    assert db.get("alex23").get("__expires") == item["__expires"]
    assert db.put({"name": "max", "age": 28}, "max28", expire_at=EXPIRED)["__expires"] == int(EXPIRED.timestamp())
    assert db.get("max28") is None


@pytest.mark.parametrize(
    "moment, seconds",
    [
        (4_102_444_800, 4_102_444_800),
        (4_102_444_800.75, 4_102_444_800),
        (datetime.datetime(2100, 1, 1, 0, 0, 0, 999_999, datetime.timezone.utc), 4_102_444_800),
        (
            datetime.datetime(2100, 1, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
            4_102_444_800,
        ),
        (datetime.datetime(2100, 1, 1), int(time.mktime((2100, 1, 1, 0, 0, 0, 0, 0, -1)))),
    ],
)
def test_expire_at_takes_every_kind_of_moment(plain: Deta, moment: Any, seconds: int) -> None:
    assert plain.Base("simple_db").put(1, "k", expire_at=moment)["__expires"] == seconds


def test_get(deta: Deta) -> None:
    db = deta.Base("simple_db")
    db.put({"name": "alex", "age": 77}, "one")
    assert db.get("one") == {"name": "alex", "age": 77, "key": "one"}
    assert db.get("two") is None


def test_delete(deta: Deta) -> None:
    db = deta.Base("simple_db")
    db.put(1, "one")
    assert db.delete("one") is None
    assert db.get("one") is None
    assert db.delete("one") is None


def test_insert(deta: Deta) -> None:
    db = deta.Base("simple_db")
    assert len(db.insert("hello, world")["key"]) == 12
    assert db.insert({"message": "hello, world"}, "greeting1") == {"message": "hello, world", "key": "greeting1"}
    with pytest.raises(Exception, match="Key already exists"):
        db.insert({"message": "hello, there"}, "greeting1")
    assert db.get("greeting1")["message"] == "hello, world"
    assert db.insert({"message": "will be deleted"}, "temp", expire_in=300)["__expires"] > time.time()
    db.insert({"message": "will_be_deleted"}, "temp2", expire_at=EXPIRED)
    assert db.get("temp2") is None


def test_put_many(deta: Deta) -> None:
    db = deta.Base("simple_db")
    words = ["Namaskāra", "marhabaan", "hello", "yeoboseyo"]
    result = db.put_many([{"name": "Beverly", "hometown": "Copernicus City", "key": "one"}, words, "dude"])
    first, second, third = result["processed"]["items"]
    assert "failed" not in result
    assert first == {"name": "Beverly", "hometown": "Copernicus City", "key": "one"}
    assert (second["value"], third["value"]) == (words, "dude")
    assert db.get(third["key"]) == third


def test_put_many_expiring(deta: Deta) -> None:
    db = deta.Base("simple_db")
    items = [{"key": "tmp-1", "value": "test-1"}, {"key": "tmp-2", "value": "test-2"}]
    stored = db.put_many(items, expire_in=300)["processed"]["items"]
    assert all(item["__expires"] > time.time() for item in stored)
    db.put_many(items, expire_at=EXPIRED)
    assert db.get("tmp-1") is None
    assert items == [{"key": "tmp-1", "value": "test-1"}, {"key": "tmp-2", "value": "test-2"}]


def test_put_many_reports_what_failed_inside(deta: Deta) -> None:
    result = deta.Base("simple_db").put_many([{"key": "good"}, {"key": "bad", "": 1}])
    assert result == {"processed": {"items": [{"key": "good"}]}, "failed": {"items": [{"key": "bad", "": 1}]}}


def test_update(deta: Deta) -> None:
    users = deta.Base("users")
    users.put(
        {
            "username": "jimmy",
            "profile": {"age": 32, "active": False, "hometown": "pittsburgh"},
            "on_mobile": True,
            "likes": ["anime"],
            "purchases": 1,
        },
        "user-a",
    )
    updates = {
        "profile.age": 33,
        "profile.active": True,
        "profile.email": "jimmy@deta.sh",
        "profile.hometown": users.util.trim(),
        "on_mobile": users.util.trim(),
        "purchases": users.util.increment(2),
        "likes": users.util.append("ramen"),
    }
    assert users.update(updates, "user-a") is None
    assert users.get("user-a") == {
        "key": "user-a",
        "username": "jimmy",
        "profile": {"age": 33, "active": True, "email": "jimmy@deta.sh"},
        "likes": ["anime", "ramen"],
        "purchases": 3,
    }


def test_update_with_lists_and_defaults(deta: Deta) -> None:
    db = deta.Base("users")
    db.put({"list": ["a"], "n": 0}, "%@#//#!#)#$_")
    db.update({"list": db.util.append(["b", "c"]), "n": db.util.increment()}, "%@#//#!#)#$_")
    db.update({"list": db.util.prepend("x"), "n": db.util.increment(-3)}, "%@#//#!#)#$_")
    assert db.get("%@#//#!#)#$_") == {"key": "%@#//#!#)#$_", "list": ["x", "a", "b", "c"], "n": -2}


@pytest.mark.parametrize(
    "make",
    [
        lambda util: {"key": "other"},
        lambda util: {"key": util.trim()},
        lambda util: {"key": util.append("x")},
        lambda util: {"profile.age": 32},
        lambda util: {},
        lambda util: {"text": util.increment()},
    ],
)
def test_update_that_makes_no_sense_is_refused(plain: Deta, make: Callable[[Any], Any]) -> None:
    db = plain.Base("users")
    db.put({"text": "x"}, "one")
    with pytest.raises(Exception, match=r"HTTP 400"):
        db.update(make(db.util), "one")
    assert db.get("one") == {"key": "one", "text": "x"}


def test_update_of_a_missing_item_raises(deta: Deta) -> None:
    with pytest.raises(Exception, match=r"^Key 'missing' not found$"):
        deta.Base("users").update({"a": 1}, "missing")


def test_update_of_the_expiry_alone(deta: Deta) -> None:
    db = deta.Base("examples")
    db.put({"key": "temp_key", "value": "temp"})
    db.update(None, "temp_key", expire_in=300)
    expires = db.get("temp_key").get("__expires")
    assert expires > time.time()
    db.update({"value": "still"}, "temp_key")
    assert db.get("temp_key")["__expires"] == expires
    db.update(None, "temp_key", expire_at=EXPIRED)
    assert db.get("temp_key") is None


def test_fetch(deta: Deta) -> None:
    db = deta.Base("simple_db")
    db.put_many([WESLEY, BEVERLY, KEVIN])
    assert db.fetch({"age?lt": 30}).items == [WESLEY]
    second = db.fetch([{"age?gt": 50}, {"hometown": "Greenville"}])
    assert (second.items, second.count, second.last) == ([BEVERLY, KEVIN], 2, None)
    assert db.fetch({"hometown?contains": "Cit"}).items == [BEVERLY]
    assert db.fetch({"key?r": ["key-2", "key-9"]}, desc=True).items == [KEVIN, BEVERLY]
    assert db.fetch({"nothing": 1}) == FetchResponse(0, None, [])


def test_fetch_all_items_page_by_page(deta: Deta) -> None:
    db = deta.Base("simple_db")
    db.put_many([{"key": f"k{n:02}"} for n in range(25)])
    res = db.fetch(limit=7)
    all_items = res.items
    pages = 1
    while res.last:
        res = db.fetch(limit=7, last=res.last)
        all_items += res.items
        pages += 1
    assert pages == 4
    assert [item["key"] for item in all_items] == [f"k{n:02}" for n in range(25)]
    assert db.fetch({}, 2, "k03").items == [{"key": "k04"}, {"key": "k05"}]


@pytest.mark.parametrize("query", [None, {}, [], [{}]])
def test_fetch_without_conditions(plain: Deta, query: Any) -> None:
    db = plain.Base("simple_db")
    db.put(1, "one")
    assert db.fetch(query).count == 1


@pytest.mark.parametrize("key", ["a b", "a/b", "%2F", "..", ".", "漢字", "a\nb", "?x=1&y#z", "a+b", "%@#//#!#)#$_"])
def test_keys_of_any_characters(deta: Deta, key: str) -> None:
    db = deta.Base("odd keys".replace(" ", "_"))
    assert db.put({"v": 1}, key) == {"v": 1, "key": key}
    assert db.get(key) == {"v": 1, "key": key}
    db.update({"v": 2}, key)
    assert db.get(key)["v"] == 2
    db.delete(key)
    assert db.get(key) is None


def test_functions_of_the_module(environment: object) -> None:
    db = Base("simple_db")
    db.put(1, "one")
    assert Base("simple_db").get("one") == Deta().Base("simple_db").get("one")
    assert AsyncBase("simple_db").name == "simple_db"


def test_numbers_stay_what_they_are(deta: Deta) -> None:
    item = {"big": 12345678901234567890123456789012345678, "small": 5e-125, "third": 1 / 3, "whole": 2.0}
    stored = deta.Base("numbers").put(item, "n")
    assert stored == {**item, "key": "n"}
    assert deta.Base("numbers").get("n")["big"] == item["big"]
