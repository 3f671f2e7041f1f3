"""What lives by the notes of each change says so where items are distributed, or rests; nothing else stops."""

import ast
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from console.cookies import PREFIX
from storage.attribute_indexes import asked, ready, tending
from storage.base import items, overviews, sorting
from storage.base.query import Predicate, parse_query
from storage.base.sql.orders import SortStep
from storage.collections import usage
from storage.errors import Forbidden, ItemsDistributed, Unauthorized
from storage.history import feed, moments, retention, switch, undo_batches, versions
from storage.history.undo_batches import Writer
from storage.models import AttributeAsk, AttributeIndex, Base, BaseFigures
from storage.postgres import clock
from storage.postgres.caller import Access
from storage.postgres.statements import Statement, Total
from tests.api.in_process import ask
from tests.people import Cast, make_cast
from tests.serving import ROOT
from tests.storage.distribution.conftest import execute, rows

Act = Callable[[Access], Any]


def _everything() -> Predicate:
    return Predicate()


REFUSED: dict[str, Act] = {
    "feed.read_changes": lambda access: feed.read_changes(access=access, base="b", since=None),
    "moments.query_items_as_of": lambda access: moments.query_items_as_of(
        access=access, base="b", predicate=_everything(), moment=clock.now(), limit=1
    ),
    "versions.list_versions": lambda access: versions.list_versions(access=access, base="b", key="k"),
    "versions.list_changes": lambda access: versions.list_changes(access=access, base="b"),
    "undo_batches.find_batch": lambda access: undo_batches.find_batch(
        access=access, base="b", writer=Writer(None, 1), since=clock.now()
    ),
    "undo_batches.count_items": lambda access: undo_batches.count_items(
        access=access, base="b", writer=Writer(None, 1), since=clock.now()
    ),
    "switch.set_history": lambda access: switch.set_history(access=access, base="b", is_kept=False),
}
# Of the same modules, with the reason.
GOES_ON = {
    "authors.author_id": "makes an id of a number",
    "authors.find_author": "makes ids of numbers",
    "beginnings.find_beginning": "says from when on something is kept",
    "beginnings.raise_beginnings": "is for what drops history",
    "dropping.drop_history_of": "deletes what there is of a collection, which is nothing",
    "feed.read_cursor": "reads a text",
    "feed.find_changed": "is asked about streams alone, and none is begun",
    "feed.find_bases": "is asked about streams alone, and none is begun",
    "horizon.find_horizon": "is asked about the feed alone",
    "retention.tidy_history": "rests",
    "retention.drop_oldest_day": "finds no day that holds anything",
    "timelines.find_timeline": "tells the Base's id, and who may ask",
    "timelines.note_turn": "is forgotten when the items come back",
    "undoing.find_step": "computes",
    "undoing.take_back": "computes",
}


def test_every_function_of_history_is_here() -> None:
    found = set()
    for path in (ROOT / "storage" / "history").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                found.add(f"{path.stem}.{node.name}")
    assert found == {*REFUSED, *GOES_ON}


@pytest.fixture
def cast(distributed: None) -> Cast:
    made = make_cast()
    items.put_items(access=Access(made.collection.id), base="b", items=[{"key": "k", "n": 1}])
    return made


@pytest.mark.parametrize("name", REFUSED)
def test_what_lives_by_notes_is_refused_by_name(cast: Cast, name: str) -> None:
    with pytest.raises(ItemsDistributed):
        REFUSED[name](Access(cast.collection.id, person_id=cast.owner.pk))


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "switch.set_history"])
def test_strangers_learn_nothing_of_it(cast: Cast, name: str) -> None:
    with pytest.raises(Unauthorized):
        REFUSED[name](Access(cast.collection.id, person_id=cast.outsider.pk))
    assert not issubclass(ItemsDistributed, Forbidden | Unauthorized)


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("GET", "b/changes", None),
        ("GET", "b/changes?since=now", None),
        ("GET", "b/history?key=k", None),
        ("POST", "b/query", {"as_of": 1_700_000_000}),
    ],
)
def test_the_api_says_so(cast: Cast, method: str, path: str, body: Any) -> None:
    answer = ask(method, cast.collection.id, path, cast.reader, body=json.dumps(body).encode() if body else b"")
    assert answer.status == 409
    assert answer.json == {
        "errors": [
            "Items are distributed",
            "They lie on several servers: there is no history of them, and no feed of their changes",
        ]
    }


def browse(person: User) -> Client:
    client = Client()
    client.force_login(person)
    client.cookies[f"{PREFIX}sessionid"] = client.cookies["sessionid"].value
    return client


def path_of(page: str, cast: Cast) -> str:
    name, mark, query = page.partition("?")
    return reverse(name, args=(cast.collection.id, "b")) + mark + query


PLAINLY = "What changes there is not noted"


@pytest.mark.parametrize(
    "page",
    [
        "base-history",
        "item-history?of=k",
        "undo-writer",
        "undo-writer?by=p1&since=2026-11-29T10:00",
        "switch-history",
    ],
)
def test_pages_of_history_say_plainly_that_there_is_none(cast: Cast, page: str) -> None:
    client, path = browse(cast.owner), path_of(page, cast)
    whole = client.get(path)
    assert whole.status_code == 200
    assert PLAINLY in whole.content.decode()
    assert "<title>History of b" in whole.content.decode()
    part = client.get(path, headers={"X-Requested-With": "fetch"})
    assert PLAINLY in part.content.decode()
    assert "<title>" not in part.content.decode()
    assert browse(cast.outsider).get(path).status_code == 404


def test_the_switch_of_history_changes_nothing(cast: Cast) -> None:
    done = browse(cast.owner).post(path_of("switch-history", cast), {})
    assert PLAINLY in done.content.decode()
    assert Base.objects.get(collection=cast.collection, name="b").history_kept


def test_nothing_is_brought_back_and_no_stream_begins(cast: Cast) -> None:
    client = browse(cast.owner)
    for asked_for in (
        {"versions": [{"key": "k", "id": "1", "side": "before"}]},
        {"moment": {"as_of": "2026-11-29T10:00:00", "keys": ["k"]}},
        {"undo": {"by": "p1", "since": "2026-11-29T10:00:00"}},
    ):
        answer = client.post(path_of("bring-back", cast), json.dumps(asked_for), content_type="application/json")
        assert answer.status_code == 409, answer.content
    stream = client.get(path_of("base-live?since=now", cast), headers={"Accept": "text/event-stream"})
    assert stream.status_code == 409


def test_the_table_of_a_base_follows_nothing_and_offers_no_moment(cast: Cast) -> None:
    client, path = browse(cast.owner), path_of("base", cast)
    page = client.get(path).content.decode()
    assert 'data-cursor=""' in " ".join(page.split())
    assert 'data-command="ask-moment"' not in page
    then = client.get(f"{path}?as_of=2026-11-29T10:00:00")
    assert then.status_code == 422
    assert "there is no history of them" in then.content.decode()
    assert client.get(path_of("base-export?format=json&as_of=2026-11-29T10:00:00", cast)).status_code == 422


def test_the_page_of_indexes_says_that_there_are_none(cast: Cast) -> None:
    page = browse(cast.owner).get(path_of("base-indexes", cast))
    assert "there are no indexes of attributes there" in " ".join(page.content.decode().split())


def test_indexes_of_attributes_are_neither_used_nor_wanted_nor_built(cast: Cast) -> None:
    access = Access(cast.collection.id)
    base_id = Base.objects.get(collection=cast.collection, name="b").pk
    AttributeIndex.objects.create(base_id=base_id, path=["n"], state=AttributeIndex.State.READY)
    waiting = AttributeIndex.objects.create(base_id=base_id, path=["m"])
    execute("INSERT INTO storage_attributeentry VALUES ((SELECT min(id) FROM storage_attributeindex), 2, 5, '', 'k')")
    assert ready.find_ready(base_id) == {}
    predicate = parse_query([{"n?gte": 0}])
    assert len(items.query_items(access=access, base="b", predicate=predicate, limit=10).items) == 1
    assert overviews.count_items(access=access, base="b", predicate=predicate).matched == 1
    assert len(sorting.sort_items(access=access, base="b", predicate=predicate, order=[SortStep("n")]).items) == 1
    asked.note_asks(base_id, [("n",)])
    asked.flush()
    assert not AttributeAsk.objects.exists()
    assert not tending.tend_indexes()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.wait_for) == (AttributeIndex.State.WAITING, None)


def test_jobs_of_history_rest(cast: Cast) -> None:
    execute("TRUNCATE storage_historyday")
    retention.tidy_history(clock.now() + timedelta(days=400))
    assert rows("SELECT count(*) FROM storage_historyday") == [(0,)]
    assert not retention.drop_oldest_day()


def test_items_are_counted_although_their_server_does_not_tell(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """A count that took long is done again only when something was written, where that is known."""
    monkeypatch.setattr(usage, "_CHEAP_MS", -1)
    monkeypatch.setattr(usage, "is_count_due", lambda: True)
    assert usage.count_everything()
    execute("UPDATE storage_basefigures SET items = 7")
    monkeypatch.setattr(usage.usage_sql, "count_writes", _no_writes)
    usage.count_everything()
    execute("UPDATE storage_basefigures SET items = 7")
    usage.count_everything()
    assert BaseFigures.objects.get(base__collection=cast.collection, base__name="b").items == 1


def _no_writes() -> Statement[Total]:
    return Statement("SELECT 42::bigint", [], Total)
