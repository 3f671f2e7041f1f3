"""Parts of files, and files that the client has already (contract: Drive, GET /files/download)."""

from typing import Any

import pytest

from tests.drives import PART, DriveClient, noise

TEN = b"0123456789"

RANGES: list[tuple[str, str, int, bytes, str | None]] = [
    # range, on 10 bytes: status, body, Content-Range
    ("bytes=0-0", "the first byte", 206, b"0", "bytes 0-0/10"),
    ("bytes=0-9", "all of it", 206, TEN, "bytes 0-9/10"),
    ("bytes=5-100", "past the end", 206, b"56789", "bytes 5-9/10"),
    ("bytes=5-", "to the end", 206, b"56789", "bytes 5-9/10"),
    ("bytes=-3", "the last three", 206, b"789", "bytes 7-9/10"),
    ("bytes=-100", "more than there are", 206, TEN, "bytes 0-9/10"),
    ("bytes= 2-3", "with a blank", 206, b"23", "bytes 2-3/10"),
    ("BYTES=2-3", "in capitals", 206, b"23", "bytes 2-3/10"),
    ("bytes=10-", "behind the end", 416, b"", "bytes */10"),
    ("bytes=10-20", "behind the end, with an end", 416, b"", "bytes */10"),
    ("bytes=-0", "the last none", 416, b"", "bytes */10"),
    ("bytes=0-1,4-5", "several", 200, TEN, None),
    ("bytes=5-2", "backwards", 200, TEN, None),
    ("bytes=-", "nothing", 200, TEN, None),
    ("bytes=a-b", "letters", 200, TEN, None),
    ("bytes=--1", "a negative one", 200, TEN, None),
    ("items=0-1", "another unit", 200, TEN, None),
    ("0-1", "no unit", 200, TEN, None),
    ("bytes=0-" + "9" * 5000, "an end of 5,000 digits", 200, TEN, None),
]


@pytest.mark.parametrize(
    "wanted, status, body, content_range", [(c[0], *c[2:]) for c in RANGES], ids=[c[1] for c in RANGES]
)
def test_a_range_of_ten_bytes(
    drive: DriveClient, wanted: str, status: int, body: bytes, content_range: str | None
) -> None:
    drive.put("f", TEN)

    response = drive.get("f", headers={"Range": wanted})

    assert response.status_code == status
    assert response.headers.get("Content-Range") == content_range
    if status == 416:
        assert list(response.json()) == ["errors"]
    else:
        assert response.content == body
        assert response.headers["Content-Length"] == str(len(body))
        assert response.headers["ETag"]


@pytest.mark.parametrize("wanted", ["bytes=0-0", "bytes=0-", "bytes=-1"])
def test_no_range_fits_an_empty_file(drive: DriveClient, wanted: str) -> None:
    drive.put("f")

    response = drive.get("f", headers={"Range": wanted})

    assert (response.status_code, response.headers["Content-Range"]) == (416, "bytes */0")


ACROSS = [
    (0, 10),
    (PART - 1, PART),
    (PART, PART),
    (PART - 5, 2 * PART + 5),
    (3, 3 * PART - 1),
    (2 * PART, 3 * PART + 6),
]


def test_ranges_across_the_parts_of_a_file(drive: DriveClient) -> None:
    whole = noise(3 * PART + 7)
    upload_id = drive.begin("f", *(whole[at : at + PART] for at in range(0, len(whole), PART)))
    drive.end(upload_id, "f")

    for first, last in ACROSS:
        response = drive.get("f", headers={"Range": f"bytes={first}-{last}"})

        assert response.status_code == 206
        assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
        assert response.content == whole[first : last + 1]


def test_if_range_takes_the_part_of_the_same_file_alone(drive: DriveClient) -> None:
    drive.put("f", TEN)
    headers = drive.get("f").headers

    def status(if_range: str) -> int:
        return drive.get("f", headers={"Range": "bytes=0-1", "If-Range": if_range}).status_code

    assert status(headers["ETag"]) == 206
    assert status(headers["Last-Modified"]) == 206
    assert status("W/" + headers["ETag"]) == 200
    assert status('"other"') == 200
    assert status("Thu, 01 Jan 1970 00:00:00 GMT") == 200
    # A range that does not fit is no error of a file that is another one by now.
    past = {"Range": "bytes=100-", "If-Range": '"other"'}
    assert drive.get("f", headers=past).status_code == 200


KNOWN: list[tuple[str, Any]] = [
    ("{etag}", 304),
    ("W/{etag}", 304),
    ('"other", {etag}', 304),
    ("*", 304),
    ('"other"', 200),
    ("nonsense", 200),
]


@pytest.mark.parametrize("if_none_match, status", KNOWN)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_if_none_match(drive: DriveClient, method: str, if_none_match: str, status: int) -> None:
    drive.put("f", TEN)
    etag = drive.get("f").headers["ETag"]

    known = {"If-None-Match": if_none_match.format(etag=etag)}
    response = drive.send(method, "/files/download?name=f", headers=known)

    assert response.status_code == status
    assert response.headers["ETag"] == etag
    assert response.content == (TEN if status == 200 and method == "GET" else b"")


def test_a_304_comes_before_a_range(drive: DriveClient) -> None:
    drive.put("f", TEN)
    headers = {"If-None-Match": drive.get("f").headers["ETag"], "Range": "bytes=100-"}

    assert drive.get("f", headers=headers).status_code == 304
