"""Listing a Drive (contract: Drive, GET /files)."""

from typing import Any

import pytest

from tests.drives import DriveClient, make_drive
from tests.factories import RawConnection, raw_head
from tests.storage.rows import fill_drive

# In the order of their bytes, which is not the order of a directory.
NAMES = sorted(
    [
        "list-a",
        "list/a",
        "list/child/b",
        "list/child/c/d",
        "list/child",
        "list/child2/x",
        "list.txt",
        "list",
        "a b",
        "a+b",
        "a%20b",
        "a//b",
        "/lead",
        "/lead/x",
        "50%_off",
        "50%25_off",
        "Z",
        "é",
        "é/1",
        "漢字",
        "\U0001f388",
        "\uffee",
        "\ud7ff",
        "x\U0010ffff",
        "x\U0010ffffy",
        "y",
    ],
    key=str.encode,
)


@pytest.fixture(scope="module")
def filled(server: Any, django_db_blocker: Any) -> DriveClient:
    """A Drive with these names, which the tests only read."""
    with django_db_blocker.unblock():
        drive = make_drive(server)
    for name in reversed(NAMES):
        assert drive.put(name).status_code == 201
    return drive


def starting_with(prefix: str) -> list[str]:
    return [name for name in NAMES if name.startswith(prefix)]


def entries(prefix: str) -> list[str]:
    """What a listing without recursion holds, in the most obvious way."""
    cut = (
        prefix + rest.partition("/")[0] + rest.partition("/")[1]
        for rest in (n[len(prefix) :] for n in starting_with(prefix))
    )
    return sorted(set(cut), key=str.encode)


PREFIXES = [
    "",
    "list",
    "list/",
    "list/child",
    "list/child/",
    "list/child/c",
    "l",
    "a",
    "a/",
    "a//",
    "/",
    "//",
    "/lead",
    "é",
    "é/",
    "漢",
    "50%",
    "%",
    "_",
    "\ud7ff",
    "x\U0010ffff",
    "\U0010ffff",
    "none",
    "Z",
]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_all_names_with_a_prefix_by_bytes(filled: DriveClient, prefix: str) -> None:
    assert filled.list(prefix=prefix).json() == {"names": starting_with(prefix)}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_all_entries_below_a_prefix(filled: DriveClient, prefix: str) -> None:
    assert filled.list(prefix=prefix, recursive="false").json() == {"names": entries(prefix)}


@pytest.mark.parametrize("recursive", ["true", "false"])
@pytest.mark.parametrize("limit", [1, 2, 3, len(NAMES) - 1, len(NAMES), len(NAMES) + 1])
@pytest.mark.parametrize("prefix", ["", "list", "list/", "/"])
def test_pages_add_up_to_the_whole(filled: DriveClient, prefix: str, limit: int, recursive: str) -> None:
    wanted = entries(prefix) if recursive == "false" else starting_with(prefix)
    found: list[str] = []
    last = ""
    while True:
        answer = filled.list(prefix=prefix, limit=limit, recursive=recursive, last=last).json()
        found += answer["names"]
        if len(found) >= len(wanted):
            break
        assert answer["paging"] == {"size": limit, "last": answer["names"][-1]}
        assert len(answer["names"]) == limit
        last = answer["paging"]["last"]

    assert found == wanted
    assert list(answer) == ["names"]


LAST: list[tuple[dict[str, str], str, list[str]]] = [
    ({"last": "list-b"}, "a name that is not there", [n for n in NAMES if n.encode() > b"list-b"]),
    ({"last": "a", "prefix": "list"}, "before the prefix", starting_with("list")),
    ({"last": "z", "prefix": "list"}, "behind the prefix", []),
    ({"last": "list/child/b", "prefix": "list/", "recursive": "false"}, "inside a folder", ["list/child2/"]),
    ({"last": "list/child/", "prefix": "list/", "recursive": "false"}, "a folder", ["list/child2/"]),
    ({"last": "list/child", "prefix": "list/", "recursive": "false"}, "a file beside its folder",
     ["list/child/", "list/child2/"]),
    ({"last": "\U0010ffff"}, "the last character", []),
]  # fmt: skip


@pytest.mark.parametrize("options, wanted", [(c[0], c[2]) for c in LAST], ids=[c[1] for c in LAST])
def test_a_listing_goes_on_behind_last(filled: DriveClient, options: dict[str, str], wanted: list[str]) -> None:
    assert filled.list(**options).json() == {"names": wanted}


def test_a_drive_that_does_not_exist_is_empty(drive: DriveClient) -> None:
    assert drive.list().json() == {"names": []}
    assert drive.list(recursive="false", prefix="a/").json() == {"names": []}


def test_what_the_javascript_client_sends_without_options(filled: DriveClient) -> None:
    response = filled.send("GET", "/files?prefix=&recursive=true&limit=1000&last=")

    assert response.json() == {"names": NAMES}


BAD = [
    "limit=0",
    "limit=-1",
    "limit=x",
    "limit=1.5",
    "limit=",
    "limit=%C2%B2",
    "limit=%2B1",
    "recursive=maybe",
    "prefix=%00",
    "prefix=a%0Ab",
    "prefix=%FF",
    "last=%00",
    "last=%FF",
    "prefix=" + "x" * 1025,
    "last=" + "x" * 1025,
    "prefix=a&prefix=b",
]


@pytest.mark.parametrize("query", BAD)
def test_a_bad_listing_is_refused(filled: DriveClient, query: str) -> None:
    response = filled.send("GET", f"/files?{query}")

    assert response.status_code == 400
    assert list(response.json()) == ["errors"]


@pytest.mark.parametrize("limit", ["1000", "1001", "00001000", "9" * 400])
def test_a_high_limit_means_1000(filled: DriveClient, limit: str) -> None:
    assert filled.list(limit=limit).json() == {"names": NAMES}


def test_more_than_1000_names_come_in_pages(drive: DriveClient) -> None:
    drive.put("n00000")
    fill_drive(drive.collection_id, "files", (f"n{n:05}" for n in range(1, 2001)))

    first = drive.list(limit=5000).json()

    assert first["paging"] == {"size": 1000, "last": "n00999"}
    assert drive.names() == [f"n{n:05}" for n in range(2001)]


RAW: list[tuple[str, bytes, str, list[str]]] = [
    # How a client writes prefix or last without encoding them: what follows `prefix=`, its user agent, what is found.
    ("Python's and JavaScript's plus", b"a+", "node-fetch", ["a+b"]),
    ("Go's plus", b"a+", "Go-http-client/1.1", ["a b"]),
    ("raw UTF-8", "漢".encode(), "Python-urllib", ["漢字"]),
    ("encoded UTF-8", b"%E6%BC%A2", "node-fetch", ["漢字"]),
    ("a percent sign of its own", b"50%", "node-fetch", ["50%25_off", "50%_off"]),
    ("a percent sign before no code", b"50%_", "node-fetch", ["50%_off"]),
    ("an encoded blank", b"a%20", "node-fetch", ["a b"]),
    ("an encoded percent sign", b"a%25", "node-fetch", ["a%20b"]),
]


@pytest.mark.parametrize("prefix, agent, names", [c[1:] for c in RAW], ids=[c[0] for c in RAW])
def test_a_prefix_as_clients_write_it(filled: DriveClient, prefix: bytes, agent: str, names: list[str]) -> None:
    head = raw_head(filled.caller, "GET", "/files?limit=1000&prefix=PREFIX&last=", f"User-Agent: {agent}")

    with RawConnection(filled.server) as connection:
        connection.send(head.replace(b"PREFIX", prefix))
        answer = connection.answer()

    assert answer is not None
    assert (answer.status, answer.json) == (200, {"names": names})
