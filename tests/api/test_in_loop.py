"""Which requests the event loop answers itself: those that wait for nothing but one statement. All others are a thread's."""

import asyncio
import io
import json
from typing import Any

import pytest
import uvloop
from django.db import connection as django_connection

from console.server.threads import IN_LOOP, KEPT, KIND, AnsweredBy
from storage.base import items
from storage.base.query import parse_query
from storage.collections import collections, key_limits, keys
from storage.collections.keys import NewKey
from storage.events import recording
from storage.postgres import gathering
from storage.postgres.caller import Access
from storage.postgres.connections import pool
from storage.postgres.database import open_connection
from storage.postgres.loop_gathering import LoopGathering
from tests.waiting import MOMENT_SECONDS

ONE = b'{"items": [{"key": "k", "n": 2}]}'


@pytest.fixture
def key(server: Any, database: None, monkeypatch: pytest.MonkeyPatch) -> NewKey:
    """Of a collection whose Base `b` has the item `k`. The process has met it, and has a connection."""
    # What the server beside this process locks for a moment is no reason for a thread here.
    monkeypatch.setattr(gathering, "LOCK_TIMEOUT_MS", 5_000)
    collection_id = collections.create_collection("asked in a loop").id
    items.put_items(access=Access(collection_id), base="b", items=[{"key": "k", "n": 1}])
    made = keys.create_key(collection_id=collection_id, name="mine")
    meet(made)
    return made


def meet(made: NewKey) -> None:
    items.query_items(access=Access(made.data_key.collection_id), base="b", predicate=parse_query({"n?gt": 0}), limit=1)
    key_limits.find_allowance(bytes(made.data_key.digest))
    recording.is_recorded(made.data_key.collection_id)
    django_connection.close()
    pool.give_back(pool.take(open_connection))


def ask(method: str, path: str, text: str, *, body: bytes = b"", **headers: str) -> tuple[str, bytes] | str:
    """The status and the body of an answer in the loop, or which threads it is left to."""
    # It looks for the static files, which the server has gathered by now.
    from console.wsgi import answer

    environ: dict[str, Any] = {
        **{"REQUEST_METHOD": method, "PATH_INFO": f"/v1/{text[:10]}/{path}", "QUERY_STRING": "", "SCRIPT_NAME": ""},
        **{"HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1", "HTTP_X_API_KEY": text, "RAW_URI": ""},
        **{"CONTENT_LENGTH": str(len(body)) if body else "", "wsgi.input": io.BytesIO(body)},
        **{KIND: "items", KEPT: {}, IN_LOOP: True},
        **headers,
    }

    def work() -> tuple[str, bytes] | str:
        try:
            status, _, parts = answer(environ)
            return status[:3], b"".join(parts)
        except AnsweredBy as wish:
            return wish.kind

    async def answered() -> Any:
        loop = asyncio.get_running_loop()
        gathering, heard = LoopGathering(loop), loop.create_future()
        gathering.add(work, heard.set_result)
        found = await heard
        while pool.load()[0]:
            await asyncio.sleep(0.02)
        return found

    found: tuple[str, bytes] | str = uvloop.run(asyncio.wait_for(answered(), MOMENT_SECONDS))
    return found


@pytest.mark.parametrize(
    "method, path, more, status",
    [
        ("GET", "b/items/k", {}, "200"),
        ("GET", "b/items/none", {}, "404"),
        ("GET", "none/items/k", {}, "404"),
        ("HEAD", "b/items/k", {}, "200"),
        ("GET", "b/items/k", {"HTTP_IF_NONE_MATCH": "*"}, "304"),
        ("GET", "b/items/k", {"HTTP_X_API_KEY": ""}, "401"),
        ("GET", "b/items/k", {"HTTP_X_API_KEY": "0123456789_" + "a" * 32}, "401"),
        ("PUT", "b/items", {"body": ONE}, "207"),
        ("POST", "b/items", {"body": b'{"item": {"n": 3}}'}, "201"),
        ("POST", "b/items", {"body": b'{"item": {"key": "k"}}'}, "409"),
        ("POST", "b/query", {"body": b'{"query": {"n": 1}}'}, "200"),
        ("POST", "b/query", {"body": b'{"query": {"n?gt": 0}}'}, "200"),
        ("POST", "b/query", {"body": b'{"query": {"key?pfx": "k"}, "sort": "desc"}'}, "200"),
    ],
)
def test_single_items_and_queries_are_answered_in_the_loop(
    key: NewKey, method: str, path: str, more: dict[str, Any], status: str
) -> None:
    found = ask(method, path, key.text, **more)

    assert found[0] == status, found


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("PUT", "b/items", b'{"items": [{"key": "k"}, {"key": "l"}]}'),
        ("PUT", "new/items", ONE),
        ("PUT", "b/items", b"no JSON"),
        ("GET", ".b/items/k", b""),
        ("POST", "new/query", b"{}"),
        ("POST", "b/query", b'{"query": "no query"}'),
        ("POST", "b/query", b'{"as_of": "2020-01-01T00:00:00Z"}'),
    ],
)
def test_what_takes_more_than_one_statement_is_left_to_a_thread(
    key: NewKey, method: str, path: str, body: bytes
) -> None:
    before = items.get_item(access=Access(key.data_key.collection_id), base="b", key="k")
    django_connection.close()

    assert ask(method, path, key.text, body=body) == "items"
    assert items.get_item(access=Access(key.data_key.collection_id), base="b", key="k") == before


@pytest.mark.parametrize("requests, size", [(1_000, None), (None, 1_000_000)])
def test_key_with_limits_is_left_to_a_thread(key: NewKey, requests: int | None, size: int | None) -> None:
    limited = keys.create_key(
        collection_id=key.data_key.collection_id, name="limited", requests_per_second=requests, bytes_per_day=size
    )
    meet(limited)

    assert ask("GET", "b/items/k", limited.text) == "items"
    assert ask("GET", "b/items/k", key.text)[0] == "200"


def test_key_that_the_process_has_not_met_is_left_to_a_thread(key: NewKey) -> None:
    new = keys.create_key(collection_id=key.data_key.collection_id, name="new")
    django_connection.close()

    assert ask("GET", "b/items/k", new.text) == "items"


def test_answer_is_that_of_a_thread(key: NewKey) -> None:
    found = ask("GET", "b/items/k", key.text)

    assert json.loads(found[1]) == {"key": "k", "n": 1}
