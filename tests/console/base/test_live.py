"""What keeps an open table up to date: which items change, as a stream, and their rows as they are now."""

import html
import json
import re
from typing import Any

from django.test import Client

from storage import limits
from storage.base import items
from storage.collections import keys
from storage.postgres.caller import Access
from tests.console.conftest import Browser
from tests.people import Cast

KEY = "Olá ?&/ü"


def rows_of(answer: Any) -> dict[str, dict[str, Any]]:
    """What is told about each row, by its key."""
    text = answer.content.decode()
    found = re.search(r'data-about="([^"]*)"', text)
    assert found is not None
    shown = [html.unescape(key) for key in re.findall(r'class="grid-row" data-key="([^"]*)"', text)]
    return dict(zip(shown, json.loads(html.unescape(found[1])), strict=True))


def ask(client: Client, people: Cast, *wanted: str, **more: str) -> Any:
    return client.get(f"/collections/{people.collection.id}/base/things/live/rows/", {"keys": wanted, **more})


def fill(people: Cast) -> None:
    created = keys.create_key(collection_id=people.collection.id, name="web app")
    items.put_items(access=keys.read_key(created.text), base="things", items=[{"key": KEY, "age": 1, "text": "<b>"}])
    mine = Access(people.collection.id, person_id=people.owner.pk)
    items.put_items(access=mine, base="things", items=[{"key": "b", "age": 2, "text": "a needle"}])


def test_rows_are_those_asked_for_with_who_changed_them(people: Cast, browser: Browser) -> None:
    fill(people)
    found = ask(browser(people.member), people, "b", KEY, "nothing")
    assert rows_of(found).keys() == {"b", KEY}
    assert rows_of(found)["b"] == {"by": people.owner.username, "matches": True}
    assert rows_of(found)[KEY]["by"].startswith("data key “web app”")
    assert "&lt;b&gt;" in found.content.decode()
    assert rows_of(ask(browser(people.reader), people, KEY))[KEY]["by"] == "a data key"


def test_rows_say_whether_the_query_finds_them(people: Cast, browser: Browser) -> None:
    fill(people)
    reader = browser(people.reader)
    for query, matching in (
        ('{"age?gt": 1}', {"b"}),
        ('[{"age": 1}, {"key": "b"}]', {KEY, "b"}),
        ('{"key?pfx": "Ol", "age": 1}', {KEY}),
        ("needle", {"b"}),
        ('{"age": 9}', set()),
    ):
        found = rows_of(ask(reader, people, KEY, "b", q=query))
        assert {key for key, about in found.items() if about["matches"]} == matching, query


def test_what_is_wrong_is_refused(people: Cast, browser: Browser) -> None:
    fill(people)
    reader = browser(people.reader)
    assert ask(reader, people, "b", q="{").status_code == 422
    assert ask(reader, people, *(str(number) for number in range(limits.LIVE_ROWS_MAX + 1))).status_code == 400
    assert ask(reader, people, "x" * 2000).status_code == 400
    assert rows_of(ask(reader, people)) == {}


def test_a_stream_is_for_who_asks_for_one(people: Cast, browser: Browser) -> None:
    fill(people)
    reader = browser(people.reader)
    url = f"/collections/{people.collection.id}/base/things/live/"
    assert reader.get(url).json()["errors"][0] == "This is a stream"
    wrong = reader.get(f"{url}?since=x", headers={"Accept": "text/event-stream"})
    assert (wrong.status_code, wrong.json()["errors"][0]) == (400, "Bad since")
    assert browser(people.outsider).get(url).status_code == 404
