"""Files sent in parts (contract: Drive, uploads)."""

import re
from typing import Any

import pytest

from tests.drives import MOST, PART, DriveClient, encoded, make_drive, md5, noise


def told(drive: DriveClient, name: str, upload_id: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "upload_id": upload_id, **more, "project_id": drive.collection_id, "drive_name": "files"}


def test_an_upload_in_two_parts(drive: DriveClient) -> None:
    name = "a/ü %.bin"
    whole = noise(2 * PART)[: PART + 3]

    started = drive.start(name)
    upload_id = started.json()["upload_id"]
    assert (started.status_code, started.json()) == (202, told(drive, name, upload_id))
    assert re.fullmatch("[0-9a-f]{32}", upload_id)
    for number, content in enumerate((whole[:PART], whole[PART:]), start=1):
        part = drive.part(upload_id, name, number, content)
        assert (part.status_code, part.json()) == (200, told(drive, name, upload_id, part=number))
        assert drive.list().json() == {"names": []}
        assert drive.get(name).status_code == 404
    ended = drive.end(upload_id, name)

    assert (ended.status_code, ended.json()) == (200, told(drive, name, upload_id))
    response = drive.get(name)
    assert md5(response.content) == md5(whole)
    assert response.headers["Content-Length"] == str(len(whole))
    assert re.fullmatch('"[0-9a-f]{32}-2"', response.headers["ETag"])
    assert drive.names() == [name]


def test_an_upload_of_one_part_is_as_a_whole_file(drive: DriveClient) -> None:
    drive.end(drive.begin("f", b"content"), "f")

    response = drive.get("f")

    assert (response.content, response.headers["ETag"]) == (b"content", f'"{md5(b"content")}"')


def test_an_upload_of_no_part_is_an_empty_file(drive: DriveClient) -> None:
    assert drive.end(drive.begin("f.txt"), "f.txt").status_code == 200

    response = drive.get("f.txt")
    assert (response.status_code, response.content, response.headers["Content-Type"]) == (200, b"", "text/plain")


def test_an_upload_of_an_empty_part(drive: DriveClient) -> None:
    assert drive.end(drive.begin("f", b""), "f").status_code == 200
    assert drive.content("f") == b""

    assert drive.end(drive.begin("f", noise(PART), b""), "f").status_code == 200
    assert md5(drive.content("f") or b"") == md5(noise(PART))


def test_parts_in_any_order_and_again(drive: DriveClient) -> None:
    first, second, last = noise(PART, 1), noise(PART, 2), b"the end"
    upload_id = drive.begin("f")
    for number, content in ((3, b"early"), (2, noise(PART, 3)), (1, first), (2, second), (3, last)):
        assert drive.part(upload_id, "f", number, content).status_code == 200

    assert drive.end(upload_id, "f").status_code == 200
    assert md5(drive.content("f") or b"") == md5(first + second + last)


def test_what_was_there_before_is_read_until_the_upload_ends(drive: DriveClient) -> None:
    drive.put("f", b"before")
    upload_id = drive.begin("f", b"after")

    assert drive.content("f") == b"before"
    drive.end(upload_id, "f")
    assert drive.content("f") == b"after"


def test_two_uploads_of_one_name_do_not_meet(drive: DriveClient) -> None:
    first, second = drive.begin("f", b"first"), drive.begin("f", b"second")

    drive.end(second, "f")
    assert drive.content("f") == b"second"
    drive.end(first, "f")
    assert drive.content("f") == b"first"


def test_ending_again_answers_the_same_and_changes_nothing(drive: DriveClient) -> None:
    upload_id = drive.begin("f", b"upload")
    first = drive.end(upload_id, "f")
    drive.put("f", b"later")

    again = drive.end(upload_id, "f")

    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert drive.content("f") == b"later"
    drive.delete("f")
    assert drive.end(upload_id, "f").status_code == 200
    assert drive.names() == []


def test_an_aborted_upload_leaves_nothing(drive: DriveClient) -> None:
    drive.put("f", b"before")
    upload_id = drive.begin("f", b"upload")

    aborted = drive.abort(upload_id, "f")

    assert (aborted.status_code, aborted.json()) == (200, told(drive, "f", upload_id))
    assert drive.content("f") == b"before"
    assert drive.abort(upload_id, "f").status_code == 404
    assert drive.end(upload_id, "f").status_code == 404
    assert drive.part(upload_id, "f", 1, b"x").status_code == 404


def test_an_ended_upload_takes_no_part_and_no_abort(drive: DriveClient) -> None:
    upload_id = drive.begin("f", b"upload")
    drive.end(upload_id, "f")

    assert drive.part(upload_id, "f", 2, b"x").status_code == 404
    assert drive.abort(upload_id, "f").status_code == 404
    assert drive.content("f") == b"upload"


BAD_ENDS: list[tuple[str, list[tuple[int, bytes]], str]] = [
    ("a gap", [(1, noise(PART)), (3, b"x")], "Part 2 is missing"),
    ("no first part", [(2, b"x")], "Part 1 is missing"),
    ("only the last possible part", [(10_000, b"x")], "Part 1 is missing"),
    ("a short part", [(1, noise(PART)[:-1]), (2, b"x")], "Part 1 has 5242879 bytes"),
    ("an empty part in the middle", [(1, noise(PART)), (2, b""), (3, b"x")], "Part 2 has 0 bytes"),
]


@pytest.mark.parametrize("parts, wrong", [case[1:] for case in BAD_ENDS], ids=[case[0] for case in BAD_ENDS])
def test_an_upload_that_cannot_end_stays_open(drive: DriveClient, parts: list[tuple[int, bytes]], wrong: str) -> None:
    drive.put("f", b"before")
    upload_id = drive.begin("f")
    for number, content in parts:
        assert drive.part(upload_id, "f", number, content).status_code == 200

    response = drive.end(upload_id, "f")

    assert response.status_code == 400
    assert wrong in response.json()["errors"][1]
    assert drive.content("f") == b"before"
    for number in range(1, 4):
        assert drive.part(upload_id, "f", number, noise(PART, number)).status_code == 200
    if not any(number == 10_000 for number, _ in parts):
        assert drive.end(upload_id, "f").status_code == 200
        assert md5(drive.content("f") or b"") == md5(b"".join(noise(PART, number) for number in range(1, 4)))


@pytest.mark.parametrize("part", ["0", "-1", "x", "10001", "", "1.0", "01", " 1", "1" * 400, "²"])
def test_a_bad_part_number_is_refused(drive: DriveClient, part: str) -> None:
    upload_id = drive.begin("f")

    response = drive.part(upload_id, "f", part, b"x")

    assert (response.status_code, list(response.json())) == (400, ["errors"])
    assert drive.end(upload_id, "f").status_code == 200
    assert drive.content("f") == b""


@pytest.mark.parametrize("size, status", [(0, 200), (1, 200), (MOST - 1, 200), (MOST, 200), (MOST + 1, 413)])
def test_the_size_of_a_part(drive: DriveClient, size: int, status: int) -> None:
    upload_id = drive.begin("f")

    response = drive.part(upload_id, "f", 1, noise(MOST + 1)[:size])

    assert response.status_code == status
    if status == 413:
        assert response.text == "<h1> 413 - Request Entity Too Large </h1>"
    assert drive.end(upload_id, "f").status_code == 200
    assert len(drive.content("f") or b"") == (size if status == 200 else 0)


@pytest.mark.parametrize("upload_id", ["0" * 32, "x", "A" * 32, "%00", "%2e%2e", "%FF%FE", "é", "1" * 5000])
def test_an_unknown_upload(drive: DriveClient, upload_id: str) -> None:
    wanted = 400 if upload_id == "%FF%FE" else 404  # which is no text at all
    assert drive.part(upload_id, "f", 1, b"x").status_code == wanted
    assert drive.end(upload_id, "f").status_code == wanted
    assert drive.abort(upload_id, "f").status_code == wanted


def test_an_upload_is_another_drives_collections_or_names(drive: DriveClient) -> None:
    upload_id = drive.begin("f", b"mine")
    other_drive = make_drive(drive.server, "other", collection_id=drive.collection_id)
    other_collection = make_drive(drive.server)

    for caller, name in ((drive, "g"), (other_drive, "f"), (other_collection, "f")):
        answers = [
            caller.part(upload_id, name, 1, b"theirs"),
            caller.end(upload_id, name),
            caller.abort(upload_id, name),
        ]
        assert [(a.status_code, a.json()) for a in answers] == [(404, {"errors": ["Upload not found"]})] * 3
    assert drive.end(upload_id, "f").status_code == 200
    assert drive.content("f") == b"mine"
    assert other_drive.names() == other_collection.names() == []


TYPES: list[tuple[str, str | None, list[str | None], str]] = [
    # where the content type is declared: at the start, with the parts; what the file has
    ("at the start", "text/a", [None], "text/a"),
    ("with a part", None, ["text/b"], "text/b"),
    ("in both, where the start counts", "text/a", ["text/b"], "text/a"),
    ("with the second part", None, [None, "text/c"], "text/c"),
    ("with two parts, where the first counts", None, ["text/b", "text/c"], "text/b"),
    ("nowhere, so guessed", None, [None], "image/png"),
]


@pytest.mark.parametrize("start, parts, wanted", [case[1:] for case in TYPES], ids=[case[0] for case in TYPES])
def test_the_content_type(drive: DriveClient, start: str | None, parts: list[str | None], wanted: str) -> None:
    def headers(declared: str | None) -> dict[str, str]:
        return {"Content-Type": declared} if declared else {}

    upload_id = drive.start("f.png", headers=headers(start)).json()["upload_id"]
    for number, declared in enumerate(parts, start=1):
        drive.part(upload_id, "f.png", number, noise(PART), headers=headers(declared))
    drive.end(upload_id, "f.png")

    assert drive.get("f.png").headers["Content-Type"] == wanted


def test_a_body_of_start_or_end_is_not_looked_at(drive: DriveClient) -> None:
    started = drive.send("POST", "/uploads?name=f", content=b"{}", headers={"Content-Type": "application/json"})
    upload_id = started.json()["upload_id"]

    assert drive.part(upload_id, "f", 1, b"x").status_code == 200
    ended = drive.send("PATCH", f"/uploads/{upload_id}?name={encoded('f')}", content=b"anything")
    assert (ended.status_code, drive.content("f")) == (200, b"x")
