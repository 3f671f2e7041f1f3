"""Who may do what with a Drive (contract: Everywhere)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storage.collections import keys
from storage.models import Drive
from tests.drives import MOST, DriveClient, make_drive
from tests.factories import RawConnection, raw_head, shared_http

Call = Callable[[DriveClient], Any]

READS: list[tuple[str, Call]] = [
    ("download", lambda drive: drive.get("f")),
    ("head", lambda drive: drive.send("HEAD", "/files/download?name=f")),
    ("list", lambda drive: drive.list()),
    ("list folders", lambda drive: drive.list(recursive="false")),
    ("bad list", lambda drive: drive.list(limit="x")),
    ("bad download", lambda drive: drive.get("")),
]
WRITES: list[tuple[str, Call]] = [
    ("put", lambda drive: drive.put("f", b"other")),
    ("put of too much", lambda drive: drive.put("f", bytes(MOST + 1))),
    ("bad put", lambda drive: drive.put("", b"x")),
    ("delete", lambda drive: drive.delete("f")),
    ("bad delete", lambda drive: drive.delete()),
    ("start", lambda drive: drive.start("f")),
    ("part", lambda drive: drive.part("0" * 32, "f", 1, b"x")),
    ("part of what is no upload", lambda drive: drive.part("x", "f", 1, b"x")),
    ("part of too much", lambda drive: drive.part("0" * 32, "f", 1, bytes(MOST + 1))),
    ("bad part", lambda drive: drive.part("0" * 32, "f", 0, b"x")),
    ("end", lambda drive: drive.end("0" * 32, "f")),
    ("end of what is no upload", lambda drive: drive.end("x", "f")),
    ("abort", lambda drive: drive.abort("0" * 32, "f")),
    ("abort of what is no upload", lambda drive: drive.abort("x", "f")),
]


def ids(cases: list[tuple[str, Call]]) -> list[str]:
    return [case[0] for case in cases]


@pytest.fixture
def kept(drive: DriveClient) -> Iterator[DriveClient]:
    """A Drive with a file that has to be there, unchanged, at the end."""
    drive.put("f", b"kept")
    yield drive
    assert (drive.names(), drive.content("f")) == (["f"], b"kept")


@pytest.mark.parametrize("call", [case[1] for case in READS + WRITES], ids=ids(READS + WRITES))
def test_a_revoked_key_is_told_nothing(kept: DriveClient, call: Call) -> None:
    revoked = make_drive(kept.server, collection_id=kept.collection_id, source_address="127.0.0.21")
    keys.revoke_key(collection_id=kept.collection_id, key_id=revoked.caller.key_id)

    response = call(revoked)

    assert response.status_code == 401
    assert response.request.method == "HEAD" or response.json() == {"errors": ["Unauthorized"]}


@pytest.mark.parametrize("call", [case[1] for case in WRITES], ids=ids(WRITES))
def test_a_read_only_key_does_not_write(kept: DriveClient, call: Call) -> None:
    reader = make_drive(kept.server, collection_id=kept.collection_id, can_write=False)

    response = call(reader)

    assert (response.status_code, response.json()) == (403, {"errors": ["Forbidden"]})


@pytest.mark.parametrize("call", [case[1] for case in READS], ids=ids(READS))
def test_a_read_only_key_reads(kept: DriveClient, call: Call) -> None:
    reader = make_drive(kept.server, collection_id=kept.collection_id, can_write=False)

    assert call(reader).status_code == call(kept).status_code in (200, 400)


@pytest.mark.parametrize("call", [case[1] for case in READS + WRITES], ids=ids(READS + WRITES))
def test_a_key_for_other_drives_does_nothing(kept: DriveClient, call: Call) -> None:
    limited = make_drive(kept.server, collection_id=kept.collection_id, drive_names=["other"])

    response = call(limited)

    assert response.status_code == 403
    assert response.request.method == "HEAD" or response.json() == {"errors": ["Forbidden"]}


def test_a_key_for_this_drive_does_everything(drive: DriveClient) -> None:
    limited = make_drive(drive.server, collection_id=drive.collection_id, drive_names=["files"], base_names=[])

    assert limited.put("f", b"x").status_code == 201
    assert limited.get("f").status_code == 200
    assert limited.end(limited.begin("g", b"x"), "g").status_code == 200
    assert limited.delete("f").json() == {"deleted": ["f"]}
    assert limited.caller.query().status_code == 403


def test_a_key_of_another_collection_is_unauthorized(kept: DriveClient) -> None:
    stranger = make_drive(kept.server, source_address="127.0.0.22")
    path = f"/v1/{kept.collection_id}/files/files/download?name=f"

    with RawConnection(kept.server) as connection:
        connection.send(f"GET {path} HTTP/1.1\r\nHost: a\r\nX-API-Key: {stranger.caller.key_text}\r\n\r\n".encode())
        answer = connection.answer()

    assert answer is not None
    assert (answer.status, answer.json) == (401, {"errors": ["Unauthorized"]})


def test_the_right_is_checked_before_the_body_is_read(kept: DriveClient) -> None:
    """A caller without the right need not send what it announces to be told so; nothing is stored, nor begun."""
    reader = make_drive(kept.server, collection_id=kept.collection_id, can_write=False)
    head = raw_head(reader.caller, "POST", "/files?name=f", "Content-Length: 5", "Expect: 100-continue")

    with RawConnection(kept.server) as connection:
        connection.send(head, b"other")
        answer = connection.answer()

    assert answer is not None
    assert answer.status == 403


@pytest.mark.parametrize("name", [".hidden", "a b", "x" * 129, "ä"])
def test_a_drives_name_that_is_none(kept: DriveClient, name: str) -> None:
    url = f"{kept.server.url}/v1/{kept.collection_id}/{name}/files"

    response = shared_http().get(url, headers={"X-API-Key": kept.caller.key_text})

    assert (response.status_code, list(response.json())) == (400, ["errors"])


def test_reading_does_not_make_a_drive_and_a_failed_write_neither(drive: DriveClient) -> None:
    drive.get("f")
    drive.list()
    drive.delete("f")
    drive.put("bad/", b"x")
    drive.abort(drive.begin("f", b"x"), "f")

    assert not Drive.objects.filter(collection_id=drive.collection_id).exists()
    drive.put("f", b"x")
    assert Drive.objects.filter(collection_id=drive.collection_id).count() == 1


METHODS = [
    ("/files", "POST, GET, DELETE, HEAD, OPTIONS"),
    ("/files/download?name=f", "GET, HEAD, OPTIONS"),
    ("/uploads?name=f", "POST, OPTIONS"),
    ("/uploads/0?name=f", "PATCH, DELETE, OPTIONS"),
    ("/uploads/0/parts?name=f&part=1", "POST, OPTIONS"),
]


@pytest.mark.parametrize("path, allowed", METHODS)
def test_methods(drive: DriveClient, path: str, allowed: str) -> None:
    refused = drive.send("PUT", path, content=b"x")
    assert (refused.status_code, refused.headers["Allow"]) == (405, allowed)
    assert list(refused.json()) == ["errors"]

    preflight = drive.send("OPTIONS", path)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert preflight.headers["Access-Control-Allow-Methods"] == allowed
    assert preflight.headers["Access-Control-Allow-Headers"].startswith("X-API-Key, Content-Type, ")


@pytest.mark.parametrize(
    "path", ["/files/", "/files/x", "/files/download/x", "/uploads/", "/uploads/0/parts/1", "/uploads/0/x"]
)
def test_an_unknown_path(drive: DriveClient, path: str) -> None:
    response = drive.send("POST", path, content=b"x")

    assert (response.status_code, list(response.json())) == (404, ["errors"])
