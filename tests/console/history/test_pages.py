"""The history of a Base in the console: the stream and its filter, an item's versions, the table as it was, and what can be
brought back."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client

from storage.audit import log as audit
from storage.audit.log import Verb
from storage.base import items
from storage.collections import keys
from storage.collections.keys import read_key
from storage.history.versions import list_versions
from storage.models import Base
from storage.postgres import clock
from storage.postgres.caller import Access
from tests.console.conftest import Browser
from tests.people import Cast, make_person


class World:
    """The Base `things` in which a data key called bot and people write; each step is told by a moment of its own."""

    def __init__(self, people: Cast, browser: Browser) -> None:
        self.people = people
        made = keys.create_key(collection_id=people.collection.id, name="bot")
        self.bot = read_key(made.text)
        self.key_id = made.data_key.pk
        self.member = Access(people.collection.id, person_id=people.member.pk)
        self.url = f"/collections/{people.collection.id}/base/things/"
        self.browser = browser
        self.began = moment()

    def put(self, who: Access, *some: dict[str, Any]) -> None:
        items.put_items(access=who, base="things", items=list(some))

    def delete(self, who: Access, key: str) -> None:
        items.delete_item(access=who, base="things", key=key)

    def get(self, who: Any, path: str = "history/", **query: str) -> str:
        answer = self.browser(who).get(f"{self.url}{path}", query)
        assert answer.status_code == 200, answer.content
        return str(answer.content.decode())

    def bring(self, asked: dict[str, Any], *, status: int = 200) -> Any:
        answer = self.browser(self.people.member).post(
            f"{self.url}history/bring-back/", json.dumps(asked), content_type="application/json"
        )
        assert answer.status_code == status, answer.content
        return answer.json()

    def version(self, key: str, place: int = 0) -> str:
        return str(list_versions(access=self.member, base="things", key=key).versions[place].id)


@pytest.fixture
def world(people: Cast, browser: Browser) -> World:
    return World(people, browser)


def moment() -> str:
    """Now, by the clock of the database, as addresses have it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (at,) = cursor.fetchone()
    return str(at.isoformat())


def lines(page: str) -> list[tuple[str, str]]:
    """Key and what became of the item, of each line of the stream."""
    found = re.findall(r'<tr data-key="([^"]*)">.*?<span class="chip chip-\w+">([^<]*)<', page, re.DOTALL)
    return [(key, word.strip()) for key, word in found]


def test_stream_says_who_changed_what_as_far_as_the_role_may_know(world: World) -> None:
    world.put(world.bot, {"key": "ada", "age": 36, "name": "Ada"})
    world.put(world.member, {"key": "ada", "age": 37, "name": "Ada"})
    world.delete(world.bot, "ada")
    people = world.people
    page = world.get(people.member)
    assert lines(page) == [("ada", "deleted"), ("ada", "changed"), ("ada", "created")]
    assert "data key “bot”" in page
    assert people.member.username in page
    assert f"?by=k{world.key_id}" in page
    seen = world.get(people.reader)
    assert "bot" not in seen
    assert "a data key" in seen
    assert f"k{world.key_id}" not in seen
    # A filter by a key would tell which changes are of one.
    assert len(lines(world.get(people.reader, by=f"k{world.key_id}"))) == 3


FILTERS: dict[str, tuple[dict[str, str], list[tuple[str, str]]]] = {
    "key": ({"key": "bob"}, [("bob", "deleted"), ("bob", "created")]),
    "attribute": (
        {"attribute": "age"},
        [("ada", "changed"), ("bob", "deleted"), ("bob", "created"), ("ada", "created")],
    ),
    "nested attribute": ({"attribute": "home.city"}, [("ada", "changed"), ("ada", "created")]),
    "kind": ({"kind": "d"}, [("bob", "deleted")]),
    "key and kind": ({"key": "bob", "kind": "d"}, [("bob", "deleted")]),
    "key and attribute": ({"key": "ada", "attribute": "age"}, [("ada", "changed"), ("ada", "created")]),
    "no such writer": ({"by": "p999999999"}, []),
    "nothing of it": (
        {"by": "k1x", "kind": "z", "since": "soon", "event": "x"},
        [("ada", "changed"), ("bob", "deleted")],
    ),
    "before it began": ({"until": "2001-01-01T00:00:00"}, []),
    "a key that is none": ({"key": "\u20ac" * 400}, []),
}


@pytest.mark.parametrize("case", FILTERS)
def test_filter_leaves_the_changes_that_it_means(world: World, case: str) -> None:
    given, expected = FILTERS[case]
    world.put(world.member, {"key": "ada", "age": 36, "home": {"city": "London"}})
    world.put(world.member, {"key": "bob", "age": 1})
    world.delete(world.bot, "bob")
    world.put(world.bot, {"key": "ada", "age": 37, "home": {"city": "Paris"}})
    assert lines(world.get(world.people.member, **given))[: max(2, len(expected))] == expected
    by_bot = lines(world.get(world.people.member, by=f"k{world.key_id}"))
    assert by_bot == [("ada", "changed"), ("bob", "deleted")]


def test_nobody_learns_a_name_by_asking_for_numbers(world: World) -> None:
    stranger = make_person("stranger")
    world.put(world.member, {"key": "ada"})
    for page in ("history/", "history/undo/"):
        found = world.get(world.people.member, page, by=f"p{stranger.pk}", since="2001-01-01T00:00:00")
        assert stranger.username not in found


def test_item_shows_each_version_with_what_it_changed(world: World) -> None:
    world.put(world.bot, {"key": "a/b", "age": 36, "bio": "x" * 500})
    world.put(world.member, {"key": "a/b", "age": 37, "bio": "x" * 500, "<b>": None})
    page = world.get(world.people.member, "history/item/", of="a/b")
    panel = world.browser(world.people.member).get(
        f"{world.url}history/item/?{urlencode({'of': 'a/b'})}", headers={"X-Requested-With": "fetch"}
    )
    text = panel.content.decode()
    assert "<html" in page
    assert "<html" not in text
    first, second = text.split('<li class="version"')[1:]
    assert "as it is now" in first
    assert re.findall(r"<dt[^>]*>([^<]*)</dt>", first) == ["&lt;b&gt;", "age"]
    assert re.findall(r"value-(?:old|new|missing)[^>]*>([^<]*)<", first) == ["missing", "null", "36", "37"]
    assert "bio" in second
    assert "<details" in second
    assert f'data-restore="{world.version("a/b", 1)}" data-side="after"' in second
    assert "data-restore" not in world.get(world.people.reader, "history/item/", of="a/b")
    for key in ("never", "\u20ac" * 400):
        assert "No version is kept" in world.get(world.people.member, "history/item/", of=key)


def test_item_goes_on_to_older_versions(world: World) -> None:
    for number in range(23):
        world.put(world.member, {"key": "ada", "n": number})
    page = world.get(world.people.member, "history/item/", of="ada")
    assert page.count('<li class="version"') == 20
    (last,) = set(re.findall(r"last=([0-9]+)", page))
    older = world.get(world.people.member, "history/item/", of="ada", last=last)
    assert older.count('<li class="version"') == 3
    assert "That is all that is kept" in older


def test_version_that_was_not_kept_says_so(world: World) -> None:
    world.put(world.member, {"key": "ada", "age": 36})
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE storage_base SET history_kept = false WHERE collection_id = %s", [world.people.collection.id]
        )
    world.put(world.member, {"key": "ada", "age": 37})
    page = world.get(world.people.member, "history/item/", of="ada")
    assert "What it was before is not kept" in page
    assert "What it became is not kept" in page
    assert "History is off" in world.get(world.people.member)
    asked = {"versions": [{"key": "ada", "id": world.version("ada"), "side": "before"}]}
    assert world.bring(asked, status=410)["errors"]


def test_version_is_brought_back_as_rows_to_stage(world: World) -> None:
    world.put(world.bot, {"key": "ada", "age": 36, "n": Decimal("1.0")})
    world.put(world.member, {"key": "ada", "age": 37, "vip": True, "n": Decimal("1.0")})
    created = world.version("ada", 1)
    found = world.bring({"versions": [{"key": "ada", "id": created, "side": "after"}]})
    (row,) = found["rows"]
    assert row["item"] == {"age": "36", "vip": None}
    assert row["stored"]["values"] == {"age": "37", "vip": "true"}
    assert json.loads(row["json"])["age"] == 37
    one = {"key": "ada", "id": world.version("ada"), "side": "before", "attribute": "age"}
    assert world.bring({"versions": [one]})["rows"][0]["item"] == {"age": "36"}
    # A new item is undone by deleting it.
    before = world.bring({"versions": [{"key": "ada", "id": created, "side": "before"}]})["rows"]
    assert [(row["delete"], row["item"]) for row in before] == [(True, {})]
    now = {"key": "ada", "id": world.version("ada"), "side": "after"}
    assert world.bring({"versions": [now]}) == {"rows": [], "unchanged": 1, "expired": 0}
    world.delete(world.bot, "ada")
    deleted = {"key": "ada", "id": world.version("ada"), "side": "before"}
    (row,) = world.bring({"versions": [deleted]})["rows"]
    assert (row["stored"], row["item"]) == (None, {"age": "37", "vip": "true", "n": "1.0"})


def test_expired_item_comes_back_without_its_end(world: World) -> None:
    past, coming = int(clock.now().timestamp()) - 60, int(clock.now().timestamp()) + 3_600
    for key, expires in (("gone", past), ("there", coming)):
        world.put(world.member, {"key": key, "a": 1, "__expires": expires})
        version = {"key": key, "id": world.version(key), "side": "after"}
        if key == "there":
            world.delete(world.member, key)
        found = world.bring({"versions": [version]})
        (row,) = found["rows"]
        assert set(row["item"]) == ({"a"} if key == "gone" else {"a", "__expires"})
        assert found["expired"] == (key == "gone")
    # Nor does an item that is there again become one that is over.
    world.put(world.member, {"key": "gone", "a": 2})
    found = world.bring({"versions": [{"key": "gone", "id": world.version("gone", 1), "side": "after"}]})
    assert [row["item"] for row in found["rows"]] == [{"a": "1"}]
    assert found["expired"] == 1


BAD_ASKED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "two": {"versions": [], "moment": {}},
    "no list": {"versions": {}},
    "none": {"versions": []},
    "too many": {"versions": [{"key": "a", "id": "1", "side": "after"}] * 101},
    "no object": {"versions": [1]},
    "a number": {"versions": [{"key": "a", "id": 1, "side": "after"}]},
    "no side": {"versions": [{"key": "a", "id": "1", "side": "up"}]},
    "no moment": {"moment": {"as_of": "soon", "keys": ["a"]}},
    "to come": {"moment": {"as_of": "2999-01-01T00:00:00", "keys": ["a"]}},
    "no keys": {"moment": {"as_of": "2026-01-01T00:00:00", "keys": [[]]}},
    "no texts": {"moment": {"as_of": "2026-01-01T00:00:00", "keys": [1]}},
    "nobody": {"undo": {"by": "x", "since": "2026-01-01T00:00:00"}},
    "no time": {"undo": {"by": "p1", "since": ""}},
    "undo of a number": {"undo": {"by": 1, "since": ""}},
}


@pytest.mark.parametrize("case", BAD_ASKED)
def test_bad_wishes_are_refused(world: World, case: str) -> None:
    world.put(world.member, {"key": "a"})
    assert world.bring(BAD_ASKED[case], status=400)["errors"]


def test_version_that_is_not_there_is_not_found(world: World) -> None:
    world.put(world.member, {"key": "a"}, {"key": "b"})
    for key, version_id in (("a", world.version("b")), ("a", "1"), ("c", "1")):
        world.bring({"versions": [{"key": key, "id": version_id, "side": "after"}]}, status=404)


def test_table_as_it_was_is_read_alone(world: World) -> None:
    world.put(world.member, {"key": "ada", "age": 36}, {"key": "bob", "age": 1})
    then = moment()
    world.put(world.bot, {"key": "ada", "age": 37}, {"key": "eve", "age": 2})
    world.delete(world.bot, "bob")
    member = world.people.member
    page = world.get(member, "", as_of=then)
    assert re.findall(r'class="grid-row" data-key="([^"]*)"', page) == ["ada", "bob"]
    assert 'data-can-write="false"' in page
    assert "as it was on" in page
    assert 'data-command="bring-rows"' in page
    assert 'data-export="json"' in page
    assert 'data-command="bring-rows"' not in world.get(world.people.reader, "", as_of=then)
    assert re.findall(r'data-key="([^"]*)"', world.get(member, "rows/", as_of=then, q='{"age?gt": 10}')) == ["ada"]
    assert json.loads(world.get(member, "item/", as_of=then, key="bob"))["json"] == '{"key":"bob","age": 1}'
    answer = world.browser(member).get(f"{world.url}export/", {"as_of": then})
    assert [item["key"] for item in json.loads(answer.getvalue())] == ["ada", "bob"]
    found = world.bring({"moment": {"as_of": then, "keys": ["ada", "bob"]}})
    assert [(row["key"], row["item"], row["stored"] is None) for row in found["rows"]] == [
        ("ada", {"age": "36"}, False),
        ("bob", {"age": "1"}, True),
    ]


@pytest.mark.parametrize("as_of", ["soon", "2999-01-01T00:00:00", "2001-01-01T00:00:00"])
def test_moment_that_is_none_or_not_kept_is_said(world: World, as_of: str) -> None:
    world.put(world.member, {"key": "ada"})
    client: Client = world.browser(world.people.reader)
    for path in ("", "rows/", "export/"):
        assert client.get(world.url + path, {"as_of": as_of}).status_code == 422
    assert b'data-export="json"' not in client.get(world.url, {"as_of": as_of}).content, "it would fail in the same way"
    assert client.get(world.url + "item/", {"as_of": as_of, "key": "ada"}).status_code in (400, 404, 410)


def test_what_one_writer_did_is_counted_and_staged(world: World) -> None:
    world.put(world.member, {"key": "edited", "a": 1, "b": 1}, {"key": "clash", "a": 1}, {"key": "deleted", "a": 1})
    world.put(world.bot, {"key": "before", "a": 1})
    since = moment()
    world.put(world.bot, {"key": "edited", "a": 2, "b": 1}, {"key": "clash", "a": 2}, {"key": "made", "a": 1})
    world.put(world.bot, {"key": "touched", "a": 1})
    world.delete(world.bot, "deleted")
    world.put(world.member, {"key": "edited", "a": 2, "b": 5}, {"key": "clash", "a": 9}, {"key": "touched", "a": 5})
    found = world.bring({"undo": {"by": f"k{world.key_id}", "since": since, "after": ""}})
    rows = {row["key"]: row for row in found["rows"]}
    assert rows["edited"]["item"] == {"a": "1"}
    assert rows["edited"]["stored"]["values"] == {"a": "2"}
    assert rows["edited"]["clash"] is None
    assert rows["clash"]["clash"]["theirs"] == {"a": "9"}
    assert rows["clash"]["clash"]["changed_by"] == world.people.member.username
    assert rows["made"]["delete"] is True
    assert rows["deleted"]["item"] == {"a": "1"}
    assert set(rows) == {"edited", "clash", "made", "deleted"}
    assert (found["left_alone"], found["last"]) == (1, None)
    page = world.get(world.people.member, "history/undo/", by=f"k{world.key_id}", since=since)
    counts = re.findall(r'<dd class="data">([0-9,]+)</dd>', page)
    assert counts == ["2", "1", "1", "0"]
    assert "Stage 4 changes" in page
    assert "touched" in page
    assert "Nothing to undo" in world.get(world.people.member, "history/undo/", by=f"k{world.key_id}", since=moment())
    assert "Nothing is written yet" in world.get(world.people.member, "history/undo/")
    later = (clock.now() + timedelta(days=1)).isoformat()
    assert world.bring({"undo": {"by": f"k{world.key_id}", "since": later}})["rows"] == []


def test_undoing_goes_on_batch_by_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.limits.UNDO_BATCH_ITEMS", 2)
    since = moment()
    world.put(world.bot, *({"key": key} for key in "abcde"))
    seen, after = [], ""
    while after is not None:
        found = world.bring({"undo": {"by": f"k{world.key_id}", "since": since, "after": after}})
        seen.append([row["key"] for row in found["rows"]])
        after = found["last"]
    assert seen == [["a", "b"], ["c", "d"], ["e"]]
    page = world.get(world.people.member, "history/undo/", by=f"k{world.key_id}", since=since)
    assert "changed 5 items. Of these, 2 in this part" in page
    assert "after=b" in page
    monkeypatch.setattr("storage.limits.HISTORY_LOOK_MAX", 2)
    seen, after = [], ""
    while after is not None:
        found = world.bring({"undo": {"by": f"k{world.key_id}", "since": since, "after": after}})
        seen += [row["key"] for row in found["rows"]]
        after = found["last"]
    assert seen == list("abcde")


def test_owner_switches_the_history_off_and_on(world: World) -> None:
    world.put(world.member, {"key": "ada", "age": 36})
    owner = world.browser(world.people.owner)
    assert "Switch off" in owner.get(f"{world.url}history/switch/").content.decode()
    for is_on in (False, False, True):
        answer = owner.post(f"{world.url}history/switch/", {"on": "1"} if is_on else {}, follow=True)
        assert f"History is {'on' if is_on else 'off'}" in answer.content.decode()
        assert Base.objects.get(collection=world.people.collection, name="things").history_kept == is_on
    recorded = audit.list_entries(audit.Conditions(world.people.collection.id), limit=10)
    assert [entry.verb for entry in recorded if entry.verb.startswith("history.")] == [
        Verb.HISTORY_STARTED,
        Verb.HISTORY_STOPPED,
    ]
    # It begins when it was switched on: what was before is not sure to be there.
    assert world.browser(world.people.reader).get(world.url, {"as_of": world.began}).status_code == 422
    assert world.browser(world.people.reader).get(world.url, {"as_of": moment()}).status_code == 200


def test_members_choose_among_those_who_wrote_and_owners_among_all(world: World) -> None:
    world.put(world.member, {"key": "ada"})
    idle = world.people.reader.username
    for person, sees in ((world.people.owner, True), (world.people.member, False)):
        page = world.get(person)
        choices = page.split('name="by"')[1].split("</select>")[0]
        assert (idle in choices) == sees
        assert world.people.member.username in choices
