"""Deleting files (contract: Drive, DELETE /files)."""

from typing import Any

import pytest

from tests.drives import DriveClient


def test_deleted_files_are_gone_and_others_stay(drive: DriveClient) -> None:
    for name in ("a", "a/b", "a//b", "b"):
        drive.put(name, b"x")

    response = drive.delete("a", "a//b")

    assert response.status_code == 200
    assert response.json() == {"deleted": ["a", "a//b"]}
    assert drive.names() == ["a/b", "b"]
    assert drive.get("a").status_code == 404


def test_a_name_that_did_not_exist_counts_as_deleted(drive: DriveClient) -> None:
    assert drive.delete("none", "a").json() == {"deleted": ["none", "a"]}
    drive.put("a")
    assert drive.delete("none", "a").json() == {"deleted": ["none", "a"]}


def test_an_invalid_name_fails_and_the_others_go(drive: DriveClient) -> None:
    drive.put("a")

    response = drive.delete("a/", "a", "", "x" * 1025, "b\nc", " ")

    assert response.status_code == 200
    assert response.json() == {
        "deleted": ["a"],
        "failed": dict.fromkeys(("a/", "", "x" * 1025, "b\nc", " "), "invalid name"),
    }
    assert drive.names() == []


def test_a_name_given_twice_is_told_once(drive: DriveClient) -> None:
    drive.put("a")

    assert drive.delete("a", "b", "a").json() == {"deleted": ["a", "b"]}


def test_1000_names_at_once(drive: DriveClient) -> None:
    drive.put("n5")

    names = [f"n{n}" for n in range(1000)]
    assert drive.delete(*names).json() == {"deleted": names}
    assert drive.names() == []


BAD: list[tuple[str, Any]] = [
    ("none", {"names": []}),
    ("1,001", {"names": [f"n{n}" for n in range(1001)]}),
    ("no names", {}),
    ("null", {"names": None}),
    ("a text", {"names": "a"}),
    ("an object", {"names": {"a": 1}}),
    ("a number among them", {"names": ["a", 1]}),
    ("null among them", {"names": ["a", None]}),
    ("a list in the list", {"names": ["a", ["b"]]}),
    ("every name invalid", {"names": ["a/", ""]}),
    ("not an object", ["a"]),
]


@pytest.mark.parametrize("body", [case[1] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_delete_changes_nothing(drive: DriveClient, body: Any) -> None:
    drive.put("a")

    response = drive.send("DELETE", "/files", body)

    assert response.status_code == 400
    assert list(response.json()) == ["errors"]
    assert drive.names() == ["a"]


BAD_BODIES = [b"", b"{", b"\xef\xbb\xbf{}", b'{"names": ["\\ud800"]}', "{}".encode("utf-16")]


@pytest.mark.parametrize("body", BAD_BODIES)
def test_a_body_that_is_no_json_changes_nothing(drive: DriveClient, body: bytes) -> None:
    drive.put("a")

    assert drive.send("DELETE", "/files", content=body).status_code == 400
    assert drive.names() == ["a"]
