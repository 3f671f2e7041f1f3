"""Bodies of files and parts arrive whole or not at all (contract: Everywhere)."""

import time
from collections.abc import Callable

import pytest

from tests.drives import MOST, DriveClient, noise
from tests.factories import RawAnswer, RawConnection, raw_head
from tests.waiting import NOTHING_SECONDS

Place = Callable[[DriveClient], str]


def _part(drive: DriveClient) -> str:
    return f"/uploads/{drive.begin('f')}/parts?name=f&part=1"


@pytest.fixture(params=["file", "part"])
def path(request: pytest.FixtureRequest, drive: DriveClient) -> str:
    """Where bytes go to: a file that is there already, or a part of an upload."""
    drive.put("f", b"before")
    return "/files?name=f" if request.param == "file" else _part(drive)


def stored(drive: DriveClient, path: str) -> bytes | None:
    """What became of the bytes sent to `path`; None when nothing did."""
    if path.startswith("/uploads"):
        assert drive.end(path.split("/")[2], "f").status_code == 200
        return drive.content("f") or None
    content = drive.content("f")
    return None if content == b"before" else content


def send(drive: DriveClient, path: str, header: str, *body: bytes, cut: bool = False) -> RawAnswer | None:
    with RawConnection(drive.server) as connection:
        connection.send(raw_head(drive.caller, "POST", path, *header.split("\n")))
        for piece in body:
            connection.send(piece)
        if cut:
            connection.end_sending()
        return connection.answer()


@pytest.mark.parametrize("sent", [0, 1, 99, 50_000])
def test_a_body_shorter_than_announced_stores_nothing(drive: DriveClient, path: str, sent: int) -> None:
    answer = send(drive, path, "Content-Length: 100000", noise(100_000)[:sent], cut=True)

    assert answer is None or answer.status == 400
    assert stored(drive, path) is None


def test_a_connection_that_breaks_in_the_body_stores_nothing(drive: DriveClient, path: str) -> None:
    connection = RawConnection(drive.server)
    connection.send(raw_head(drive.caller, "POST", path, "Content-Length: 5000000"), noise(1_000_000))
    connection.close()
    time.sleep(NOTHING_SECONDS)

    assert stored(drive, path) is None


def chunked(content: bytes, size: int) -> list[bytes]:
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    return [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]


@pytest.mark.parametrize("total, size", [(1, 1), (100_000, 7_000), (MOST, 1_048_576)])
def test_a_chunked_body_is_stored_whole(drive: DriveClient, path: str, total: int, size: int) -> None:
    content = noise(MOST)[:total]

    answer = send(drive, path, "Transfer-Encoding: chunked", *chunked(content, size), b"0\r\n\r\n")

    assert answer is not None
    assert answer.status in (200, 201)
    assert stored(drive, path) == content


@pytest.mark.parametrize("total", [1, 100_000])
def test_a_chunked_body_that_is_cut_stores_nothing(drive: DriveClient, path: str, total: int) -> None:
    content = noise(total)

    answer = send(drive, path, "Transfer-Encoding: chunked", *chunked(content, 7_000), cut=True)

    assert answer is None or answer.status == 400
    assert stored(drive, path) is None


def test_a_chunked_body_over_10_mb_is_too_large(drive: DriveClient, path: str) -> None:
    content = noise(MOST) + b"x"

    answer = send(drive, path, "Transfer-Encoding: chunked", *chunked(content, 1_048_576), b"0\r\n\r\n")

    assert answer is not None
    assert (answer.status, answer.body) == (413, b"<h1> 413 - Request Entity Too Large </h1>")
    assert stored(drive, path) is None


def test_an_encoded_body_is_not_accepted(drive: DriveClient, path: str) -> None:
    answer = send(drive, path, "Content-Encoding: gzip\nContent-Length: 4", b"1234")

    assert answer is not None
    assert answer.status == 415
    assert list(answer.json) == ["errors"]
    assert stored(drive, path) is None


def test_a_body_may_take_its_time(drive: DriveClient, path: str) -> None:
    """Longer than S3 is given to answer: the wait for a client is not a wait for S3."""
    with RawConnection(drive.server) as connection:
        connection.send(raw_head(drive.caller, "POST", path, "Content-Length: 14"), b"slowly")
        for piece in (b" b", b"ut", b" s", b"ur"):
            time.sleep(1.2)
            connection.send(piece)
        answer = connection.answer()

    assert answer is not None
    assert answer.status in (200, 201)
    assert stored(drive, path) == b"slowly but sur"


def test_a_connection_goes_on_after_a_body_that_was_refused(drive: DriveClient) -> None:
    with RawConnection(drive.server) as connection:
        connection.send(raw_head(drive.caller, "POST", "/files?name=a/", "Content-Length: 300000"), noise(300_000))
        refused = connection.answer()
        connection.send(raw_head(drive.caller, "POST", "/files?name=a", "Content-Length: 3"), b"abc")
        stored_now = connection.answer()

    assert refused is not None
    assert stored_now is not None
    assert (refused.status, stored_now.status) == (400, 201)
    assert drive.content("a") == b"abc"


def test_connection_close_is_answered_with_it(drive: DriveClient) -> None:
    drive.put("f", noise(2_000_000))
    for path in ("/files", "/files/download?name=f"):
        with RawConnection(drive.server) as connection:
            connection.send(raw_head(drive.caller, "GET", path, "Connection: close"))
            answer = connection.answer()
            assert answer is not None
            assert answer.headers["Connection"] == "close"
            assert connection.is_closed_by_server()
