"""Uploads by session: the parts arrive, a forged request does not, and an upload is its person's own."""

import json
from collections.abc import Iterator

import pytest

from storage import limits
from storage.models import Blob, Drive, File, Part, Upload
from tests.console.drive.visitor import Visitor, visiting
from tests.drives import md5, noise
from tests.factories import RawConnection
from tests.serving import Server


@pytest.fixture(scope="module")
def team(server: Server) -> Iterator[list[Visitor]]:
    with visiting(server, "member", "owner", "reader", "outsider") as visitors:
        yield visitors


@pytest.fixture
def visitor(team: list[Visitor]) -> Visitor:
    return team[0]


def start(visitor: Visitor, name: str, size: int, **more: object) -> str:
    answer = visitor.ask("uploads/", **({"name": name, "size": size} | more))
    assert answer.status_code == 201, answer.text
    upload_id: str = answer.json()["id"]
    return upload_id


def test_an_upload_in_parts(visitor: Visitor) -> None:
    content = noise(limits.FILE_BODY_MAX_BYTES + 5)
    asked = {"name": "in/large.bin", "size": len(content), "content_type": "video/mp4", "fingerprint": "1"}
    started = visitor.ask("uploads/", **asked).json()
    assert (started["name"], started["part_size"], started["parts_there"]) == ("in/large.bin", 10_485_760, [])
    path = f"uploads/{started['id']}/"
    first = visitor.send("PUT", f"{path}parts/1/", content[: limits.FILE_BODY_MAX_BYTES])
    assert first.json() == {"number": 1, "size": limits.FILE_BODY_MAX_BYTES}
    assert visitor.ask("uploads/", **asked).json() == started | {"parts_there": [1]}
    visitor.send("PUT", f"{path}parts/2/", content[limits.FILE_BODY_MAX_BYTES :])
    assert visitor.get(path).json() == {
        "id": started["id"],
        "name": "in/large.bin",
        "size": len(content),
        "parts": [{"number": 1, "size": limits.FILE_BODY_MAX_BYTES}, {"number": 2, "size": 5}],
        "ended": False,
    }
    for _ in range(2):
        ended = visitor.send("POST", f"{path}end/")
        assert (ended.status_code, ended.json()["name"], ended.json()["size"]) == (200, "in/large.bin", len(content))
    assert visitor.get(path).json()["ended"]
    assert md5(visitor.file("in/large.bin").content) == md5(content)
    drive_id = Drive.objects.get(collection_id=visitor.path.split("/")[2]).pk
    assert File.objects.get(drive_id=drive_id, name="in/large.bin").content_type == "video/mp4"


def test_taken_names_are_asked_about_first(visitor: Visitor) -> None:
    visitor.put("taken.txt", b"old")
    asked = visitor.ask("clashes/", names=["taken.txt", "free.txt"])
    assert asked.json() == {"taken": ["taken.txt"]}
    refused = visitor.ask("uploads/", name="taken.txt", size=1)
    assert (refused.status_code, refused.json()["exists"]) == (409, True)
    both = visitor.ask("uploads/", name="taken.txt", size=1, if_exists="keep-both").json()
    assert both["name"] == "taken (2).txt"
    visitor.send("PUT", f"uploads/{both['id']}/parts/1/", b"n")
    assert visitor.send("POST", f"uploads/{both['id']}/end/").json()["name"] == "taken (2).txt"
    assert visitor.file("taken.txt").content == b"old"


def test_another_size_than_was_said_is_told(visitor: Visitor) -> None:
    upload_id = start(visitor, "short", 5)
    visitor.send("PUT", f"uploads/{upload_id}/parts/1/", b"1234")
    assert visitor.send("POST", f"uploads/{upload_id}/end/").status_code == 422
    assert visitor.file("short").status_code == 404


def test_a_cancelled_upload_is_gone(visitor: Visitor) -> None:
    upload_id = start(visitor, "cancelled", 4)
    visitor.send("PUT", f"uploads/{upload_id}/parts/1/", b"1234")
    blob_id = Part.objects.get(upload_id=upload_id).blob_id
    assert visitor.send("DELETE", f"uploads/{upload_id}/").status_code == 200
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "end/"), ("PUT", "parts/1/")):
        assert visitor.send(method, f"uploads/{upload_id}/{path}", b"x").status_code == 404
    assert Blob.objects.get(id=blob_id).state == "garbage"


@pytest.mark.parametrize("number, status", [(0, 422), (1, 200), (10_000, 200), (10_001, 422)])
def test_numbers_of_parts(visitor: Visitor, number: int, status: int) -> None:
    upload_id = start(visitor, f"part-{number}", 1)
    assert visitor.send("PUT", f"uploads/{upload_id}/parts/{number}/", b"x").status_code == status


def test_a_part_that_is_too_large_is_refused(visitor: Visitor) -> None:
    upload_id = start(visitor, "too-large", 20_000_000)
    answer = visitor.send("PUT", f"uploads/{upload_id}/parts/1/", noise(limits.FILE_BODY_MAX_BYTES + 1))
    assert answer.status_code == 413
    assert visitor.get(f"uploads/{upload_id}/").json()["parts"] == []


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"name": "a"},
        {"name": 1, "size": 1},
        {"name": "a", "size": "1"},
        {"name": "a", "size": True},
        {"name": "a", "size": -1},
        {"name": "a/", "size": 1},
        {"name": "", "size": 1},
        {"name": "\ud800", "size": 1},
        {"name": "x" * 1025, "size": 1},
        {"name": "a", "size": 1, "if_exists": "maybe"},
        {"name": "a", "size": 1, "fingerprint": 7},
    ],
)
def test_bad_starts_change_nothing(visitor: Visitor, asked: dict[str, object]) -> None:
    before = Upload.objects.count()
    answer = visitor.ask("uploads/", **asked)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert Upload.objects.count() == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"name": NaN}'])
def test_bodies_that_are_no_objects(visitor: Visitor, body: bytes) -> None:
    answer = visitor.send("POST", "uploads/", body, **{"Content-Type": "application/json"})
    assert answer.status_code == 422


def test_a_strange_content_type_is_not_kept(visitor: Visitor) -> None:
    upload_id = start(visitor, "typed.txt", 1, content_type="text/html\r\nX-Evil: 1")
    assert Upload.objects.get(id=upload_id).content_type is None


def test_uploads_of_others_are_not_there(team: list[Visitor]) -> None:
    member, owner, reader, outsider = team
    upload_id = start(member, "mine", 1)
    for method, path in (("GET", ""), ("PUT", "parts/1/"), ("POST", "end/"), ("DELETE", "")):
        assert owner.send(method, f"uploads/{upload_id}/{path}", b"x").status_code == 404
        assert outsider.send(method, f"uploads/{upload_id}/{path}", b"x").status_code == 404
        assert reader.send(method, f"uploads/{upload_id}/{path}", b"x").status_code == 403
    assert member.get(f"uploads/{upload_id}/").json()["parts"] == []


def test_without_the_token_nothing_is_written(visitor: Visitor) -> None:
    upload_id = start(visitor, "forged", 1)
    before = File.objects.count()
    for method, path in (
        ("POST", "uploads/"),
        ("PUT", f"uploads/{upload_id}/parts/1/"),
        ("POST", f"uploads/{upload_id}/end/"),
        ("DELETE", f"uploads/{upload_id}/"),
        ("PUT", "file/?name=forged"),
        ("POST", "delete/"),
        ("POST", "move/"),
        ("POST", "rename/"),
        ("POST", "folders/"),
        ("POST", "zip/"),
    ):
        answer = visitor.http.request(method, visitor.path + path, content=b"{}")
        assert answer.status_code == 403, path
    assert visitor.get(f"uploads/{upload_id}/").json()["parts"] == []
    assert File.objects.count() == before


def test_who_is_signed_out_is_told(visitor: Visitor) -> None:
    session = visitor.http.cookies.pop("sessionid")
    try:
        answer = visitor.ask("uploads/", name="a", size=1)
        assert (answer.status_code, list(answer.json())) == (401, ["errors"])
        assert visitor.get().status_code == 302
    finally:
        visitor.http.cookies["sessionid"] = session


def test_a_part_that_breaks_off_is_not_there(visitor: Visitor, server: Server) -> None:
    upload_id = start(visitor, "broken", 1_000_000)
    head = [
        f"PUT {visitor.path}uploads/{upload_id}/parts/1/ HTTP/1.1",
        "Host: localhost",
        f"Cookie: sessionid={visitor.http.cookies['sessionid']}; csrftoken={visitor.token}",
        f"X-CSRFToken: {visitor.token}",
        "Content-Length: 1000000",
    ]
    with RawConnection(server) as connection:
        connection.send("\r\n".join(head).encode() + b"\r\n\r\n" + b"x" * 500_000)
        connection.end_sending()
        answer = connection.answer("PUT")
    assert answer is None or answer.status >= 400
    assert visitor.get(f"uploads/{upload_id}/").json()["parts"] == []


def test_thousands_of_names_fit_one_question(visitor: Visitor) -> None:
    names = [f"photos/{'x' * 400}/{number}.jpg" for number in range(10_000)]
    answer = visitor.ask("clashes/", names=names)
    assert answer.json() == {"taken": []}
    assert len(json.dumps(names)) > 4_000_000
    assert visitor.ask("clashes/", names=[*names, "more"]).status_code == 422
