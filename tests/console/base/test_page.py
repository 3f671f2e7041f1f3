"""One Base's page, its rows, items, counts, and who may see them."""

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from storage.base import bases, items
from storage.collections import keys
from storage.collections.keys import read_key
from storage.models import Base, BaseFigures
from storage.postgres.caller import Access
from tests.console.conftest import Browser
from tests.people import Cast

ITEMS = [
    {
        "key": f"k{n:03}",
        "age": n if n % 5 else str(n),
        "name": f"Name {n}",
        **({"tags": ["new", "Straße"]} if n % 3 else {}),
    }
    for n in range(250)
]


@pytest.fixture
def url(people: Cast) -> str:
    """The address of the Base `things`, with 250 items in it."""
    put(people, *ITEMS)
    return f"/collections/{people.collection.id}/base/things/"


@pytest.fixture
def reader(people: Cast, browser: Browser) -> Client:
    return browser(people.reader)


def put(people: Cast, *documents: dict[str, Any], access: Access | None = None) -> None:
    for start in range(0, len(documents), 25):
        items.put_items(
            access=access or Access(people.collection.id), base="things", items=list(documents[start : start + 25])
        )


def keys_in(answer: Any) -> list[str]:
    return [html.unescape(key) for key in re.findall(r'class="grid-row" data-key="([^"]*)"', answer.content.decode())]


def root_of(answer: Any) -> dict[str, str]:
    """The data attributes of the partial's root element."""
    root = re.search(r'<div id="rows-page"[^>]*>', answer.content.decode())
    assert root is not None
    return {name: html.unescape(value) for name, value in re.findall(r'data-([\w-]+)="([^"]*)"', root.group())}


def test_page_has_the_first_rows_in_it(url: str, reader: Client) -> None:
    answer = reader.get(url)
    assert answer.status_code == 200
    assert keys_in(answer) == [f"k{n:03}" for n in range(100)]
    assert "no-store" in answer["Cache-Control"]
    assert answer.content.decode().count("<html") == 1


def test_rows_go_on_from_where_they_stopped_to_the_end(url: str, reader: Client) -> None:
    seen, last = [], ""
    for expected in (100, 100, 50):
        answer = reader.get(url + "rows/", {"last": last})
        assert root_of(answer)["fetched"] == str(expected)
        seen += keys_in(answer)
        last = root_of(answer).get("last", "")
    assert last == ""
    assert seen == [item["key"] for item in ITEMS]
    assert "<html" not in answer.content.decode()


def test_rows_know_their_columns(url: str, reader: Client) -> None:
    answer = reader.get(url + "rows/", {"columns": ["tags", "none"], "limit": "10"})
    columns = json.loads(root_of(answer)["columns"])
    assert [column["name"] for column in columns] == ["tags", "none", "age", "name"]
    assert columns[2]["types"] == {"number": 8, "string": 2}
    assert json.loads(root_of(answer)["new-columns"]) == ["age", "name"]


@pytest.mark.parametrize(
    "parameters, first",
    [
        ({"q": "{age: 7}"}, ["k007"]),
        ({"q": "{'age': '10'}"}, ["k010"]),
        ({"q": "name 249"}, ["k249"]),
        ({"q": "straße", "limit": 2}, ["k001", "k002"]),
        ({"q": "stra"}, []),
        ({"sort": "-key", "limit": 2}, ["k249", "k248"]),
        ({"sort": "age", "limit": 2}, ["k000", "k010"]),
        ({"sort": "-age", "limit": 2}, ["k249", "k248"]),
        ({"sort": "age", "limit": 2, "last": "2"}, ["k100", "k105"]),
        ({"sort": "-tags", "limit": 2, "last": "999"}, []),
        ({"q": "{age?gt: 5}", "sort": "-name", "limit": 1}, ["k099"]),
        ({"q": "name 3", "sort": "age"}, ["k003"]),
    ],
)
def test_rows_of_queries_searches_and_orders(url: str, reader: Client, parameters: Any, first: list[str]) -> None:
    assert keys_in(reader.get(url + "rows/", parameters)) == first


def test_items_without_the_attribute_come_last_in_either_order(url: str, reader: Client, people: Cast) -> None:
    put(people, {"key": "a", "rank": 2}, {"key": "b", "rank": None}, {"key": "c", "rank": "x"})
    assert keys_in(reader.get(url + "rows/", {"sort": "rank", "limit": "4"})) == ["b", "c", "a", "k000"]
    assert keys_in(reader.get(url + "rows/", {"sort": "-rank", "limit": "4"})) == ["a", "c", "b", "k249"]


@pytest.mark.parametrize("path", ["", "rows/", "export/"])
def test_wrong_query_is_told_and_leads_nowhere(url: str, reader: Client, path: str) -> None:
    answer = reader.get(url + path, {"q": '{"age?gtt": 1}'})
    assert answer.status_code == 422
    assert "Unknown operator `?gtt` on &quot;age&quot;. Did you mean `?gt`?" in answer.content.decode()
    assert 'data-offset="2"' in answer.content.decode()
    assert keys_in(answer) == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "x"}, {"limit": "-1"}, {"limit": "9" * 30}, {"last": "%00"}, {"last": "\x00"}, {"sort": "a\x00"}, {"sort": "-"},
        {"sort": "age", "last": "-5"}, {"sort": "a'b\"--"}, {"columns": ["", "\x00"]}, {"q": "{'a\x00': 1}"}, {"q": "\x00"},
    ],
)  # fmt: skip
def test_odd_addresses_are_answered_all_the_same(url: str, reader: Client, parameters: dict[str, Any]) -> None:
    assert reader.get(url + "rows/", parameters).status_code in (200, 400, 422)


def test_scan_stops_when_it_has_looked_at_enough_and_says_so(url: str, reader: Client, people: Cast) -> None:
    put(people, *({"key": f"z{n:03}", "text": "x" * 50_000} for n in range(50)))
    answer = reader.get(url + "rows/", {"q": '{"text?contains": "never"}'})
    assert keys_in(answer) == []
    assert 0 < int(root_of(answer)["scanned"]) < 300
    assert root_of(answer)["last"].startswith("z")


def test_item_is_whole_and_says_who_changed_it(url: str, reader: Client, people: Cast, browser: Browser) -> None:
    data_key, text = keys.create_key(collection_id=people.collection.id, name="web")
    put(people, {"key": "a/b ü", "n": 1}, access=read_key(text))
    answer = reader.get(url + "item/", {"key": "a/b ü"}).json()
    assert answer["json"] == '{"key":"a/b ü","n": 1}'
    assert answer["changed_by"] == "a data key"
    told = browser(people.member).get(url + "item/", {"key": "a/b ü"}).json()
    assert told["changed_by"] == f"data key “web” ({data_key.secret_start}…{data_key.secret_end})"
    assert answer["revision"].isdigit()
    put(people, {"key": "a/b ü"}, access=Access(people.collection.id, person_id=people.member.pk))
    assert reader.get(url + "item/", {"key": "a/b ü"}).json()["changed_by"] == people.member.username
    people.member.delete()
    assert reader.get(url + "item/", {"key": "a/b ü"}).json()["changed_by"] == "a removed account"


def test_item_that_is_not_there(url: str, reader: Client) -> None:
    answer = reader.get(url + "item/", {"key": "none"})
    assert (answer.status_code, answer.json()) == (404, {"errors": ["Key not found"]})
    assert reader.get(url + "item/").status_code == 400
    assert reader.get(url + "item/", {"key": "\x00"}).status_code == 400


@pytest.mark.parametrize("path", ["", "rows/", "item/?key=a", "understand/", "count/", "usage/", "export/"])
@pytest.mark.parametrize("name", ["nothing", "%00", ".x", "a%2Fb"])
def test_base_that_is_not_there(url: str, reader: Client, path: str, name: str) -> None:
    assert reader.get(url.replace("things", name) + path).status_code == 404


@pytest.mark.parametrize("query, matched", [("", 250), ("{age: 7}", 1), ("{age?gt: 7}", 194)])
def test_count(url: str, reader: Client, query: str, matched: int) -> None:
    told: dict[str, Any] = {
        "total": 250,
        "exact": True,
        "held": None,
        "matched": matched,
        "scanned": 250,
        "whole": True,
        "index": "answered by the index of equality" if query == "{age: 7}" else "",
        "wants_index": query == "{age?gt: 7}",
        "clauses": [],
    }
    assert reader.get(url + "count/", {"q": query}).json() == told


@pytest.mark.parametrize(
    "query, reasons",
    [
        ("{age: '7'}", ['`age` is a number in 200 items and a string in 50 items, none of them equal to "7"']),
        ("{age?gt: 900}", ["`age` is a number in 200 items and a string in 50 items, none of them greater than 900"]),
        ("{name: 7}", ["`name` is a string in 250 items; you wrote a number"]),
        ("{name?r: [1, 2]}", ["`name` is a string in 250 items; you wrote a number"]),
        ("{nmae: 7}", ["`nmae` is missing in every item: did you mean `name`?"]),
        (
            "{age: 7, name: 'Name 8'}",
            ["`age` equal to 7: 1 item on its own", '`name` equal to "Name 8": 1 item on its own'],
        ),
        ("{tags: null}", ["`tags` is a list in 166 items; you wrote null"]),
        ("{tags?contains: 'old'}", ['`tags` is a list in 166 items, none of them containing "old"']),
        ("{'key?pfx': 'q'}", ['`key` is a string in 250 items, none of them starting with "q"']),
        ("nowhere", ["no key or value contains “nowhere” as whole words"]),
    ],
)
def test_no_match_says_why(url: str, reader: Client, query: str, reasons: list[str]) -> None:
    answer = reader.get(url + "count/", {"q": query}).json()
    assert answer["matched"] == 0
    assert [clause["text"] for clause in answer["clauses"]] == reasons


def test_count_beyond_ten_thousand_is_not_exact(url: str, reader: Client, people: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr("storage.limits.COUNT_EXACT_MAX", 200)
    answer = reader.get(url + "count/").json()
    assert (answer["total"], answer["exact"], answer["held"]) == (200, False, None)
    # What the figures of all Bases say is not exact, and better than nothing: unless they are older than what is known here.
    base = Base.objects.get(collection=people.collection, name="things")
    for held, told in ((250, 250), (7, None)):
        BaseFigures.objects.update_or_create(base=base, defaults={"items": held, "size_bytes": 1})
        assert reader.get(url + "count/", {"q": "{age: 7}"}).json()["held"] == told


def test_operators_come_with_examples_that_run(url: str, reader: Client) -> None:
    page = reader.get(url + "usage/").content.decode()
    examples = [html.unescape(query) for query in re.findall(r'data-query="([^"]*)"', page)]
    assert len(examples) == 14
    assert any('"tags?contains"' in query for query in examples)
    for query in examples:
        answer = reader.get(url + "understand/", {"q": query}).json()
        assert answer["error"] is None, query
        assert reader.get(url + "rows/", {"q": query}).status_code == 200


def test_understand_says_what_was_read_and_how_an_app_would_ask_it(url: str, reader: Client) -> None:
    answer = reader.get(url + "understand/", {"q": "{'age?gt': 3, }"}).json()
    assert (answer["kind"], answer["query"], answer["changed"], answer["error"]) == (
        "query",
        '{"age?gt":3}',
        True,
        None,
    )
    assert set(answer["code"]) == {"python", "javascript", "go", "curl"}
    assert "http://testserver/v1/" in answer["code"]["curl"]
    wrong = reader.get(url + "understand/", {"q": "{'age?gtt': 3}"}).json()
    assert wrong["error"] == {
        "message": 'Unknown operator `?gtt` on "age". Did you mean `?gt`?',
        "at": {"line": 1, "column": 3, "offset": 2},
    }
    assert wrong["code"] is None
    assert reader.get(url + "understand/", {"q": "words"}).json()["code"] is None


def test_scripts_are_told_that_the_session_ended(url: str, browser: Browser) -> None:
    answer = browser(None).get(url + "rows/", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()) == (
        401,
        {"errors": ["You are signed out. Sign in again in another tab."]},
    )
    assert browser(None).get(url + "rows/")["Location"].startswith("/sign-in/")


def test_base_called_new_has_a_page(people: Cast, browser: Browser) -> None:
    bases.ensure_base(collection_id=people.collection.id, name="new")
    page = browser(people.reader).get(f"/collections/{people.collection.id}/base/new/")
    assert page.context["base"].name == "new"


def test_bases_and_palette_lead_to_the_table(url: str, reader: Client, people: Cast) -> None:
    assert f'href="{url}"' in reader.get(f"/collections/{people.collection.id}/base/").content.decode()
    assert reader.get("/jump/", {"q": "things"}).context["found"][0].url == url
