"""Calls with arguments at the edges, and what the published client 1.x made of them, on which code relies."""

import copy
import datetime
import json
import pickle
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import aiohttp
import pytest
from clients.python.tests.conftest import Place
from tests.awaiting import run

from deta import Deta, FetchResponse, KeyExists, NotFound, Unauthorized
from deta.base import Base, Util

SOON = int(time.time()) + 3_600_000


def stored(db: Base) -> dict[str, Any]:
    """The item `x`, which every row writes, without its expiry's exact second."""
    item = db.get("x") or {}
    expires = item.pop("__expires", None)
    return item if expires is None else {**item, "expires in": round((expires - time.time()) / 36_000) * 36_000}


WRITES: list[tuple[str, Callable[[Base], object], dict[str, Any]]] = [
    ("no expiry by 0", lambda db: db.put({"a": 1}, "x", expire_in=0), {"a": 1, "key": "x"}),
    ("no expiry at 0", lambda db: db.put({"a": 1}, "x", expire_at=0), {"a": 1, "key": "x"}),
    (
        "0 beside a time",
        lambda db: db.put(1, "x", expire_in=0, expire_at=SOON),
        {"value": 1, "key": "x", "expires in": 3_600_000},
    ),
    (
        "a time beside 0",
        lambda db: db.put(1, "x", expire_in=3_600_000, expire_at=0),
        {"value": 1, "key": "x", "expires in": 3_600_000},
    ),
    ("a fraction", lambda db: db.put(1, "x", expire_at=SOON + 0.5), {"value": 1, "key": "x", "expires in": 3_600_000}),
    (
        "a naive moment",
        lambda db: db.insert(1, "x", expire_at=datetime.datetime.fromtimestamp(SOON)),
        {"value": 1, "key": "x", "expires in": 3_600_000},
    ),
    ("insert, no expiry", lambda db: db.insert({"a": 1}, "x", expire_in=0, expire_at=0), {"a": 1, "key": "x"}),
    ("several, no expiry", lambda db: db.put_many([{"key": "x"}], expire_in=0), {"key": "x"}),
    ("the argument's key wins", lambda db: db.put({"key": "y"}, "x"), {"key": "x"}),
    ("an empty key leaves the data's", lambda db: db.put({"key": "x"}, ""), {"key": "x"}),
    ("no key leaves the data's", lambda db: db.insert({"key": "x"}, None), {"key": "x"}),
    ("a key that is a path", lambda db: db.put(1, PurePosixPath("x")), {"value": 1, "key": "x"}),  # type: ignore[arg-type]
    ("a path", lambda db: db.put({"p": Path("/tmp/../a b")}, "x"), {"p": "/a b", "key": "x"}),
    ("a path alone", lambda db: db.put(Path("/a"), "x"), {"value": "/a", "key": "x"}),
    ("a path of another machine", lambda db: db.put({"p": [PurePosixPath("a/b")]}, "x"), {"p": ["a/b"], "key": "x"}),
    ("a tuple", lambda db: db.put({"t": (1, 2)}, "x"), {"t": [1, 2], "key": "x"}),
    (
        "names that are no texts",
        lambda db: db.put({7: 1, None: 2, True: 3}, "x"),
        {"7": 1, "null": 2, "true": 3, "key": "x"},
    ),
    ("a list", lambda db: db.put([1], "x"), {"value": [1], "key": "x"}),
    ("null", lambda db: db.put(None, "x"), {"value": None, "key": "x"}),
    ("false", lambda db: db.put(False, "x"), {"value": False, "key": "x"}),
    ("by 1", lambda db: (db.put({"n": 1}, "x"), db.update({"n": db.util.increment()}, "x")), {"n": 2, "key": "x"}),
    (
        "by nothing",
        lambda db: (db.put({"n": 1}, "x"), db.update({"n": db.util.increment("")}, "x")),  # type: ignore[arg-type]
        {"n": 2, "key": "x"},
    ),
    (
        "by none",
        lambda db: (db.put({"n": 1}, "x"), db.update({"n": db.util.increment(None)}, "x")),
        {"n": 2, "key": "x"},
    ),
    (
        "by its class",
        lambda db: (db.put({"n": 1}, "x"), db.update({"n": Util.Increment(-3)}, "x")),
        {"n": -2, "key": "x"},
    ),
    (
        "other classes",
        lambda db: (
            db.put({"l": ["b"], "m": ["b"], "t": 1}, "x"),
            db.update({"l": Util.Append("c"), "m": Util.Prepend(["a"]), "t": Util.Trim()}, "x"),
        ),
        {"l": ["b", "c"], "m": ["a", "b"], "key": "x"},
    ),
    (
        "expiry alone, which 0 leaves",
        lambda db: (db.put(1, "x"), db.update(None, "x", expire_in=3_600_000), db.update({"a": 1}, "x", expire_in=0)),
        {"value": 1, "a": 1, "key": "x", "expires in": 3_600_000},
    ),
]


def test_what_writes_leave(plain: Deta) -> None:
    found = {}
    for number, (what, write, _) in enumerate(WRITES):
        db = plain.Base(f"edges-{number}")
        write(db)
        found[what] = stored(db)
    assert found == {what: left for what, _, left in WRITES}


def test_keys_that_are_none_are_made(plain: Deta) -> None:
    db = plain.Base("made")
    made = [db.put({"a": 1}, key)["key"] for key in ("", None)] + [db.insert({"a": 1}, "")["key"]]
    assert len(set(made)) == 3
    assert {len(key) for key in made} == {12}


def test_reads(plain: Deta) -> None:
    db = plain.Base("reads")
    db.put_many([{"key": key, "n": n} for n, key in enumerate("abc")])
    pages: list[Any] = []
    last: Any = True
    while last:
        page = db.fetch({}, limit=2, last=last)
        last = page.last
        pages.append([item["key"] for item in page.items])
    assert pages == [["a", "b"], ["c"]]
    assert [[item["key"] for item in each] for each in db.fetch(limit=2)] == pages
    assert next(db.fetch({"n": 1}))[0]["key"] == "b"
    kept = copy.deepcopy(pickle.loads(pickle.dumps(db.fetch(limit=2))))
    assert (kept, next(kept)) == (FetchResponse(2, "b", kept.items), kept.items)
    assert db.fetch([], last="").count == db.fetch(None, last=None).count == db.fetch(False).count == 3  # type: ignore[arg-type]
    assert db.get(b"a") == {"key": "a", "n": 0}  # type: ignore[arg-type]
    assert db.get("none") is None
    assert db.delete("none") is None


def test_files_at_the_edges(plain: Deta, tmp_path: Path) -> None:
    drive = plain.Drive("edges")
    source = tmp_path / "source"
    source.write_bytes(b"of the disk")
    assert drive.put("a", "", path=source) == "a"
    assert drive.put("b", b"of the memory", path="") == "b"
    body = drive.get("a")
    assert body
    assert body.read(2) == b"of"
    body.close()
    assert (body.closed, body.read(), body.read(5), list(body.iter_chunks()), list(body.iter_lines())) == (
        True,
        b"",
        b"",
        [],
        [],
    )
    assert drive.put("1", "x") == "1"
    assert drive.list(prefix=1)["names"] == ["1"]  # type: ignore[arg-type]
    assert drive.delete_many(["", "1"]) == {"deleted": ["1"], "failed": {"": "invalid name"}}
    whole = drive.get("a")
    assert whole
    assert list(whole.iter_chunks(None)) == [b"of the disk"]
    assert list(plain.Drive(5).list_all()) == []  # type: ignore[arg-type]
    other = drive.get("b")
    assert other
    assert other.read() == b"of the memory"
    assert not other.closed
    assert other.read() == b""


def test_the_key_of_the_environment_stands_in_for_an_empty_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETA_PROJECT_KEY", place.key)
    assert Deta("").project_id == Deta(None).project_id == place.collection_id
    with pytest.raises(AssertionError, match="Bad project key provided"):
        Deta("nounderscore")


def test_the_other_scheme_is_told(place: Place) -> None:
    with Deta(place.key) as deta:
        with pytest.raises(ConnectionError, match="does not speak https there; is it http://"):
            deta.Base("b", place.server.url.replace("http:", "https:")).get("x")
        with pytest.raises(urllib.error.HTTPError, match="This port speaks https: write https://") as caught:
            deta.Base("b", place.server.tls_url.replace("https:", "http:")).get("x")
        assert caught.value.code == 400


def refused(call: Callable[[], object]) -> Any:
    with pytest.raises(urllib.error.HTTPError) as caught:
        call()
    return caught.value


def test_what_the_server_refuses_is_urllibs_error_too(plain: Deta, place: Place) -> None:
    db = plain.Base("errors")
    db.put(1, "x")
    taken = refused(lambda: db.insert(1, "x"))
    assert isinstance(taken, KeyExists)
    assert (taken.code, taken.status, taken.msg, taken.reason) == (409, 409, "Conflict", "Conflict")
    assert taken.errors == ("Key already exists",)
    assert json.loads(taken.read()) == {"errors": ["Key already exists"]}
    assert "json" in taken.headers["Content-Type"]

    missing = refused(lambda: db.update({"a": 1}, "not there"))
    assert isinstance(missing, NotFound)
    assert (str(missing), missing.code, missing.errors) == ("Key 'not there' not found", 404, ("Key not found",))

    assert refused(lambda: db.fetch({"a?b": 1})).code == 400
    with Deta(f"{place.collection_id}_{'0' * 32}") as stranger:
        unknown = refused(lambda: stranger.Base("errors", place.server.url).get("x"))
        assert (type(unknown), unknown.code, unknown.msg) == (Unauthorized, 401, "Unauthorized")
        assert refused(lambda: stranger.Drive("errors", place.server.url).put("a", "b")).code == 401
        with pytest.raises(OSError, match="Unauthorized"):
            stranger.Base("errors", place.server.url).delete("x")


def test_what_the_server_refuses_is_aiohttps_error_too(plain: Deta) -> None:
    async def main() -> None:
        async with plain.AsyncBase("errors") as db:
            await db.put(1, "x")
            with pytest.raises(aiohttp.ClientResponseError) as taken:
                await db.insert(1, "x")
            assert isinstance(taken.value, KeyExists)
            assert isinstance(taken.value, urllib.error.HTTPError)
            assert (taken.value.status, taken.value.message, taken.value.history) == (409, "Conflict", ())
            assert taken.value.request_info.method == "POST"
            assert str(taken.value.request_info.real_url).endswith("/errors/items")
            with pytest.raises(aiohttp.ClientError, match=r"^Key 'none' not found$") as missing:
                await db.update({"a": 1}, "none")
            assert isinstance(missing.value, NotFound)
            with pytest.raises(aiohttp.ClientResponseError):
                await db.fetch({"a?b": 1})

    run(main())
