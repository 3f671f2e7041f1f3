"""Whole files in and out (contract: Drive, POST /files and GET /files/download)."""

import email.utils
import time
from typing import Any

import pytest

from tests.drives import MOST, DriveClient, encoded, make_drive, md5, noise

NAMES = [
    "a",
    "a/b",
    "/lead",
    "a//b",
    "../x",
    "./x",
    ".",
    "..",
    "a\\b",
    ".uploads/x",
    " spaces around ",
    "50%",
    "%2F",
    "%FF",
    "a+b&c=d?e#f",
    "a'b\"c`d",
    "<img onerror=x>",
    "ünïcödé 漢字 🎈",
    "e\u0301 is not \u00e9",
    "right\u202eto left",
    "a\u2028b",
    "n" * 1024,
    "é" * 512,
    "\\" * 1024,
    "/".join(["s" * 255] * 4) + "x",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_opaque_and_comes_back(drive: DriveClient, name: str) -> None:
    content = name.encode() + b"\0 content"

    put = drive.put(name, content)

    assert put.status_code == 201
    assert put.headers["Content-Type"] == "application/json"
    assert put.json() == {"name": name, "project_id": drive.collection_id, "drive_name": "files"}
    assert drive.content(name) == content
    assert drive.list().json() == {"names": [name]}


def test_names_that_look_alike_are_files_of_their_own(drive: DriveClient) -> None:
    for name in NAMES:
        assert drive.put(name, name.encode()).status_code == 201

    assert [drive.content(name) for name in NAMES] == [name.encode() for name in NAMES]
    assert drive.names() == sorted(NAMES, key=str.encode)


BAD_NAMES = [
    ("none", ""),
    ("empty", "name="),
    ("blank", "name=%20%20"),
    ("no-break blank", "name=%C2%A0"),
    ("ends in a slash", "name=a/"),
    ("a slash alone", "name=/"),
    ("CR LF", "name=a%0D%0AX-Header:b"),
    ("NUL", "name=a%00b"),
    ("DEL", "name=a%7F"),
    ("C1", "name=a%C2%85b"),
    ("1,025 bytes", "name=" + "n" * 1025),
    ("1,026 bytes in 513 characters", "name=" + "%C3%A9" * 513),
    ("not UTF-8", "name=%FF"),
    ("a lone surrogate", "name=%ED%A0%80"),
    ("a broken code", "name=50%"),
    ("twice", "name=a&name=b"),
]


@pytest.mark.parametrize("query", [case[1] for case in BAD_NAMES], ids=[case[0] for case in BAD_NAMES])
@pytest.mark.parametrize(
    "method, path", [("POST", "/files"), ("GET", "/files/download"), ("POST", "/uploads"), ("PATCH", "/uploads/0")]
)
def test_a_bad_name_is_refused(drive: DriveClient, method: str, path: str, query: str) -> None:
    content = {"content": b"x"} if method == "POST" else {}

    response = drive.send(method, f"{path}?{query}", **content)

    assert response.status_code == 400
    assert list(response.json()) == ["errors"]
    assert drive.names() == []


@pytest.mark.parametrize("size", [0, 1, 262_144, 1_048_576, 1_048_577, MOST - 1, MOST])
def test_a_file_of_a_size_comes_back_whole(drive: DriveClient, size: int) -> None:
    content = noise(MOST)[:size]

    assert drive.put("f.bin", content).status_code == 201

    response = drive.get("f.bin")
    assert response.status_code == 200
    assert response.headers["Content-Length"] == str(size)
    assert md5(response.content) == md5(content)
    assert response.headers["ETag"] == f'"{md5(content)}"'


@pytest.mark.parametrize("size", [MOST + 1, 2 * MOST])
def test_a_file_over_10_mb_is_refused_in_html(drive: DriveClient, size: int) -> None:
    drive.put("f", b"before")

    response = drive.put("f", bytes(size))

    assert response.status_code == 413
    assert response.headers["Content-Type"].startswith("text/html")
    assert response.text == "<h1> 413 - Request Entity Too Large </h1>"
    assert drive.content("f") == b"before"


def test_an_overwrite_replaces_bytes_type_and_etag(drive: DriveClient) -> None:
    drive.put("f", b"first", headers={"Content-Type": "text/plain"})
    before = drive.get("f").headers
    drive.put("f", b"second one", headers={"Content-Type": "text/html"})

    response = drive.get("f")

    assert response.content == b"second one"
    assert response.headers["Content-Type"] == "text/html"
    assert response.headers["ETag"] != before["ETag"]
    assert drive.names() == ["f"]


TYPES = [
    ("declared", "f.png", "text/x-own; charset=latin-1", "text/x-own; charset=latin-1"),
    ("a form, which is not parsed", "f", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded"),
    ("a form of parts", "f", "multipart/form-data; boundary=x", "multipart/form-data; boundary=x"),
    ("255 characters", "f", "text/" + "x" * 250, "text/" + "x" * 250),
    ("guessed", "a/f.PNG", None, "image/png"),
    ("guessed from the last ending", "f.png.txt", None, "text/plain"),
    ("packed", "f.tar.gz", None, "application/gzip"),
    ("unknown ending", "f.nothing", None, "application/octet-stream"),
    ("no ending", "png", None, "application/octet-stream"),
    ("empty, so guessed", "f.css", "", "text/css"),
    ("a name like an address", "data:text/html,x", None, "application/octet-stream"),
]


@pytest.mark.parametrize("name, declared, wanted", [case[1:] for case in TYPES], ids=[case[0] for case in TYPES])
def test_the_content_type(drive: DriveClient, name: str, declared: str | None, wanted: str) -> None:
    headers = {} if declared is None else {"Content-Type": declared}

    assert drive.put(name, b"a=1&b=2", headers=headers).status_code == 201

    response = drive.get(name)
    assert (response.content, response.headers["Content-Type"]) == (b"a=1&b=2", wanted)


@pytest.mark.parametrize("declared", ["x" * 256, "x" * 10_000, "a\tb"])
def test_a_bad_content_type_is_refused(drive: DriveClient, declared: Any) -> None:
    assert drive.put("f", b"x", headers={"Content-Type": declared}).status_code == 400
    assert drive.names() == []


def test_the_headers_of_a_download(drive: DriveClient) -> None:
    started = int(time.time())
    drive.put("page.html", b"<script>alert(1)</script>")

    headers = drive.get("page.html").headers

    assert headers["Content-Type"] == "text/html"
    assert headers["Content-Length"] == "25"
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox"
    assert headers["Access-Control-Allow-Origin"] == "*"
    modified = email.utils.parsedate_to_datetime(headers["Last-Modified"]).timestamp()
    assert started - 2 <= modified <= time.time() + 2
    assert "Content-Encoding" not in headers


def test_head_says_what_get_would_without_the_bytes(drive: DriveClient) -> None:
    drive.put("f.txt", b"0123456789")
    get = drive.get("f.txt")

    head = drive.send("HEAD", "/files/download?name=f.txt")

    assert (head.status_code, head.content) == (200, b"")
    varying = {"date", "x-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in varying} == {
        k: v for k, v in get.headers.items() if k not in varying
    }
    assert drive.send("HEAD", "/files/download?name=none").status_code == 404


@pytest.mark.parametrize("exists", [False, True])
def test_a_file_that_does_not_exist(drive: DriveClient, exists: bool) -> None:
    if exists:
        drive.put("other")

    response = drive.get("f")

    assert (response.status_code, response.json()) == (404, {"errors": ["File not found"]})


def test_the_same_name_in_other_drives_and_collections(drive: DriveClient) -> None:
    other_drive = make_drive(drive.server, "other", collection_id=drive.collection_id)
    other_collection = make_drive(drive.server)
    for number, each in enumerate((drive, other_drive, other_collection)):
        each.put("f", b"%d" % number)

    assert [each.content("f") for each in (drive, other_drive, other_collection)] == [b"0", b"1", b"2"]
    drive.delete("f")
    assert [each.content("f") for each in (drive, other_drive, other_collection)] == [None, b"1", b"2"]


def test_a_base_and_a_drive_of_one_name_do_not_meet(drive: DriveClient) -> None:
    drive.caller.put({"key": "f", "n": 1})
    drive.put("f", b"file")

    assert drive.caller.stored("f") == {"key": "f", "n": 1}
    assert drive.send("GET", f"/files/download?name={encoded('f')}").content == b"file"
