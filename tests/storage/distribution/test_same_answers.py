"""The API over distributed items: the answers are those of items in one place, and each statement names the Base by its id."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from console.api.handler import answer
from storage.base import base_ids
from storage.base import items as storage_items
from storage.collections import collections, keys
from storage.distribution import distributing
from storage.postgres import database
from storage.postgres.caller import Access
from tests.storage.distribution.conftest import forget_all, rows, run_elsewhere

_NAMED = re.compile(r"(i\.|\b)base_id = \$\d+")
_FOUND = re.compile(r"\b[a-z]\.base_id = [a-z]\.base_id\b|SELECT a\.base_id, n\.item")
# Revisions, and what is drawn.
_DRAWN = re.compile(r'"revision": ?\d+|"key": ?"[0-9a-z]{12}"')


class Asker:
    """The holder of a data key, asking in this process."""

    def __init__(self, **limits: Any) -> None:
        self.collection_id = collections.create_collection("Made by a test").id
        issued = keys.create_key(collection_id=self.collection_id, name="bot", **limits)
        self.key_id, self.secret = issued.data_key.pk, issued.text

    @property
    def server(self) -> Access:
        return Access(self.collection_id)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, str | None]:
        sent = b"" if body is None else json.dumps(body).encode()
        path, _, query = path.partition("?")
        status, found, parts = answer(
            {
                "REQUEST_METHOD": method,
                "PATH_INFO": f"/v1/{self.collection_id}/b/{path}",
                "QUERY_STRING": query,
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "80",
                "REMOTE_ADDR": "127.0.0.1",
                "CONTENT_LENGTH": str(len(sent)) if sent else "",
                "CONTENT_TYPE": "application/json",
                "wsgi.input": io.BytesIO(sent),
                "HTTP_X_API_KEY": self.secret,
                **headers,
            }
        )
        text = b"".join(parts).decode()
        return int(status[:3]), json.loads(text) if text else None, dict(found).get("ETag")


def many(number: int) -> list[dict[str, Any]]:
    return [{"key": f"k{n:02}", "n": n, "even": n % 2 == 0, "name": f"name {n}"} for n in range(number)]


def whole_life(asker: Asker) -> Iterator[Any]:
    """Every kind of request on items, each met in all its ways; what each was answered."""
    ask = asker.ask
    yield ask("GET", "items/none")
    yield ask("POST", "query", {})
    yield ask("DELETE", "items/none")
    yield ask("PATCH", "items/none", {"set": {"a": 1}})
    yield ask("PUT", "items", {"items": [{"key": "none", "n": 0}]}, HTTP_IF_MATCH='"1"')
    yield ask("PUT", "items", {"items": many(20)})
    yield ask("PUT", "items", {"items": many(3)})
    yield ask("POST", "items", {"item": {"key": "k00"}})
    yield ask("POST", "items", {"item": {"key": "new", "n": 100}})
    yield ask("POST", "items", {"item": {"n": 100}})
    _, _, tag = ask("GET", "items/k01")
    yield ask("PUT", "items", {"items": [{"key": "k01", "n": -1}]}, HTTP_IF_MATCH='"1"')
    yield ask("PUT", "items", {"items": [{"key": "k01", "n": -1}]}, HTTP_IF_MATCH=str(tag))
    yield ask("PATCH", "items/k02", {"increment": {"n": 5}, "set": {"a": {"b": [1]}}})
    yield ask("PATCH", "items/k02", {"increment": {"name": 5}})
    yield ask("DELETE", "items/k03", HTTP_IF_MATCH='"1"')
    yield ask("DELETE", "items/k03")
    for query in (
        {"even": True},
        [{"n": 4}, {"n": 5, "even": False}],
        {"n?gte": 15},
        {"n?gte": 15, "even": True},
        [{"n?lt": 2}, {"name": "name 7"}],
        {"key?pfx": "k1"},
        {"name?contains": "1"},
        {"n?r": [3, 6]},
    ):
        yield ask("POST", "query", {"query": query})
        yield ask("POST", "query", {"query": query, "limit": 2, "sort": "desc"})
    yield ask("POST", "query", {"limit": 5, "last": "k05"})
    yield ask("PUT", "items", {"items": [{"key": "gone", "__expires": 1}]})
    yield ask("GET", "items/gone")
    yield ask("POST", "items", {"item": {"key": "gone"}})
    yield ask("PUT", "items", {"items": [{"": 1, "key": "bad"}]})
    yield from (ask("GET", f"items/{key}") for key in ("k01", "k02", "k03", "new"))


def told(answers: Iterator[Any]) -> list[Any]:
    """Without revisions and drawn keys, which differ."""
    return [(status, _DRAWN.sub("", json.dumps(body)), tag is None) for status, body, tag in answers]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements on items that this process sends from here on."""
    seen: list[str] = []
    send = database.send

    def note(connection: Any, statement: Any) -> Any:
        if "storage_item " in statement.text:
            seen.append(" ".join(statement.text.split()))
        return send(connection, statement)

    monkeypatch.setattr(database, "send", note)
    return seen


def test_every_answer_is_that_of_items_in_one_place(alone: None, sent: list[str]) -> None:
    expected = told(whole_life(Asker()))
    assert any(map(_FOUND.search, sent))
    assert {status for status, *_ in expected} == {200, 201, 207, 400, 404, 409, 412}
    distributing.distribute(print)
    forget_all()
    sent.clear()
    assert told(whole_life(Asker())) == expected
    assert len(sent) > 40
    for text in sent:
        assert _NAMED.search(text) or "VALUES" in text or re.search(r"SELECT \$\d+::bigint, ", text), text
        assert not _FOUND.search(text), text
        assert "set_config(" not in text, text


class Turn(NamedTuple):
    """What becomes of the Base `b` in another process, and what each request is answered after it."""

    code: str
    get: int
    items: int
    put: int


_IN_BASE = """
from storage.base import items
from storage.collections import collections, keys, stores
from storage.postgres.caller import Access
access = Access({collection_id!r})
"""
TURNS = {
    "emptied": Turn("stores.empty_store(access=access, kind='base', name='b')", 404, 0, 207),
    "emptied and filled": Turn(
        "stores.empty_store(access=access, kind='base', name='b')\n"
        "items.put_items(access=access, base='b', items=[{'key': 'k'}])",
        200,
        1,
        207,
    ),
    "renamed": Turn("stores.rename_store(access=access, kind='base', name='b', new_name='c')", 404, 0, 207),
    "deleted": Turn("stores.delete_store(access=access, kind='base', name='b', typed_name='b')", 404, 0, 207),
    "key revoked": Turn(
        "keys.revoke_key(collection_id=access.collection_id, key_id=keys.list_keys(access.collection_id)[0].pk)",
        401,
        -1,
        401,
    ),
    "collection deleted": Turn(
        "from storage.collections import deletion\n"
        "deletion.delete_collection(collection_id=access.collection_id, typed_name='Made by a test', asked_by=None)",
        401,
        -1,
        401,
    ),
}


@pytest.mark.parametrize("name", list(TURNS))
def test_what_another_process_does_to_a_base_is_met_by_the_next_request(distributed: None, name: str) -> None:
    turn = TURNS[name]
    askers = [Asker() for _ in range(4)]
    for asker in askers:
        assert asker.ask("PUT", "items", {"items": [{"key": "k", "n": 1}, {"key": "l", "n": 1}]})[0] == 207
        assert asker.ask("GET", "items/k")[0] == 200
    old = [base_ids._ids[asker.collection_id, "b"] for asker in askers]
    run_elsewhere("\n".join(_IN_BASE.format(collection_id=asker.collection_id) + turn.code for asker in askers))
    getting, querying, putting, deleting = askers
    assert [base_ids._ids[asker.collection_id, "b"] for asker in askers] == old
    assert getting.ask("GET", "items/k")[0] == turn.get
    status, found, _ = querying.ask("POST", "query", {})
    assert (found["paging"]["size"] if status == 200 else -1) == turn.items
    assert putting.ask("PUT", "items", {"items": [{"key": "m"}]})[0] == turn.put
    assert putting.ask("GET", "items/m")[0] == (200 if turn.put == 207 else 401)
    # What the Base was is not touched by what is asked of the one of its name.
    assert deleting.ask("DELETE", "items/l")[0] == (200 if turn.put == 207 else 401)
    for base_id in old:
        kept = {key for (key,) in rows(f"SELECT key FROM storage_item WHERE base_id = {base_id}")}
        assert kept in ({"k", "l"}, set())
        if turn.put == 207:
            assert kept == {"k", "l"}
    assert deleting.ask("PATCH", "items/l", {"set": {"a": 1}})[0] == (404 if turn.put == 207 else 401)


@pytest.mark.parametrize(
    "limits, get, put",
    [({"can_write": False}, 404, 403), ({"base_names": ["other"]}, 403, 403)],
    ids=["read-only", "other"],
)
def test_a_key_without_the_right_is_refused(distributed: None, limits: dict[str, Any], get: int, put: int) -> None:
    asker = Asker(**limits)
    assert asker.ask("GET", "items/k")[0] == get
    assert asker.ask("PUT", "items", {"items": [{"key": "k"}]})[0] == put
    assert asker.ask("POST", "items", {"item": {"key": "k"}})[0] == put
    assert asker.ask("DELETE", "items/k")[0] == put
    storage_items.put_items(access=asker.server, base="b", items=[{"key": "k"}])
    assert asker.ask("GET", "items/k")[0] == (403 if get == 403 else 200)
    assert asker.ask("PATCH", "items/k", {"set": {"a": 1}})[0] == put
    assert asker.ask("DELETE", "items/k")[0] == put
    assert rows(f"SELECT count(*) FROM storage_item WHERE base_id = {base_ids._ids[asker.collection_id, 'b']}") == [
        (1,)
    ]
