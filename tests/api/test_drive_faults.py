"""What dies while files are written, and what is left then (promises: P1 to P6, "Faults to inject")."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from tests.api.test_concurrency import at_once
from tests.drives import PART, DriveClient, md5, noise
from tests.factories import RawConnection, raw_head
from tests.failpoints import arm, disarm_all, is_armed, once_back
from tests.serving import kill
from tests.sweeping import swept_report
from tests.waiting import PROMISED_SECONDS

pytestmark = pytest.mark.usefixtures("clean_bucket")

BEFORE, AFTER = b"before" * 1000, b"after" * 1000


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    disarm_all()


def crash(call: Callable[[], httpx.Response], place: str) -> None:
    """Make the call, and see that the process that serves it dies at this place instead of answering."""
    arm(place)
    with pytest.raises(httpx.TransportError):
        call()
    assert not is_armed(place)


def settled(drive: DriveClient, **files: bytes) -> None:
    """These files are there, whole, and no others (P2 to P4); the bucket holds what is referred to (P5)."""
    names = once_back(lambda: drive.list()).json()["names"]
    assert names == sorted(files)
    for name, content in files.items():
        response = once_back(partial(drive.get, name))
        assert response.headers["Content-Length"] == str(len(content))
        assert md5(response.content) == md5(content)
    report = swept_report()
    assert report.is_clean, report
    assert [md5(drive.content(name) or b"") for name in files] == [md5(content) for content in files.values()]


PUT = [("blob-pending", BEFORE), ("blob-put", BEFORE), ("file-before-commit", BEFORE), ("file-after-commit", AFTER)]


@pytest.mark.parametrize("place, content", PUT)
@pytest.mark.parametrize("exists", [True, False])
def test_a_crash_while_a_file_is_put(drive: DriveClient, place: str, content: bytes, exists: bool) -> None:
    if exists:
        drive.put("f", BEFORE)

    crash(lambda: drive.put("f", AFTER), place)

    settled(drive, **({"f": content} if exists or content == AFTER else {}))
    assert once_back(lambda: drive.put("f", AFTER)).status_code == 201
    settled(drive, f=AFTER)


PARTS = ["blob-pending", "blob-put", "part-before-commit", "part-after-commit"]


@pytest.mark.parametrize("place", PARTS)
def test_a_crash_while_a_part_is_put(drive: DriveClient, place: str) -> None:
    drive.put("f", BEFORE)
    upload_id = drive.begin("f", b"first version of the part")

    crash(lambda: drive.part(upload_id, "f", 1, AFTER), place)

    settled(drive, f=BEFORE)
    assert once_back(lambda: drive.end(upload_id, "f")).status_code == 200
    settled(drive, f=AFTER if place == "part-after-commit" else b"first version of the part")


ENDS = [("blob-pending", False), ("blob-put", False), ("end-before-commit", False), ("end-after-commit", True)]


@pytest.mark.parametrize("place, has_ended", ENDS)
def test_a_crash_while_an_upload_ends(drive: DriveClient, place: str, has_ended: bool) -> None:
    drive.put("f", BEFORE)
    parts = [noise(PART, 1), b"the rest"]
    upload_id = drive.begin("f", *parts)

    crash(lambda: drive.end(upload_id, "f"), place)

    settled(drive, f=b"".join(parts) if has_ended else BEFORE)
    # The client, which got no answer, ends it again.
    assert once_back(lambda: drive.end(upload_id, "f")).status_code == 200
    settled(drive, f=b"".join(parts))


def test_a_crash_while_files_are_deleted(drive: DriveClient) -> None:
    drive.put("f", BEFORE)
    drive.put("g", AFTER)

    crash(lambda: drive.delete("f", "g"), "delete-before-commit")

    settled(drive, f=BEFORE, g=AFTER)
    assert once_back(lambda: drive.delete("f", "g")).status_code == 200
    settled(drive)


def unavailable_soon(call: Callable[[], httpx.Response]) -> None:
    started = time.monotonic()
    response = call()
    assert time.monotonic() - started < PROMISED_SECONDS
    assert response.status_code == 503
    assert list(response.json()) == ["errors"]
    assert int(response.headers["Retry-After"]) > 0


def everything_else_goes_on(drive: DriveClient) -> None:
    """Bases, listings, deletes, heads and the begin of uploads: none of them asks S3."""
    calls = [
        (lambda: drive.caller.put({"key": "a"}), 207),
        (lambda: drive.caller.get("a"), 200),
        (lambda: drive.caller.query(), 200),
        (lambda: drive.list(), 200),
        (lambda: drive.list(recursive="false"), 200),
        (lambda: drive.send("HEAD", "/files/download?name=f"), 200),
        (lambda: drive.get("none"), 404),
        (lambda: drive.delete("g"), 200),
        (lambda: drive.start("h"), 202),
    ]
    for call, status in calls:
        assert call().status_code == status


@pytest.fixture
def two_files(drive: DriveClient) -> DriveClient:
    drive.put("f", BEFORE)
    drive.put("g", BEFORE)
    return drive


def check_without_s3(drive: DriveClient) -> None:
    upload_id = drive.start("p").json()["upload_id"]
    empty_id = drive.start("p").json()["upload_id"]
    failing: list[Callable[[], httpx.Response]] = [
        lambda: drive.put("f", AFTER),
        lambda: drive.get("f"),
        lambda: drive.part(upload_id, "p", 1, AFTER),
        lambda: drive.end(empty_id, "p"),
    ]
    at_once(
        [lambda call=call: unavailable_soon(call) for call in failing * 4] + [lambda: everything_else_goes_on(drive)]
    )


def test_with_s3_down_files_answer_503_and_all_else_goes_on(two_files: DriveClient, without_s3: None) -> None:
    check_without_s3(two_files)


def test_with_s3_frozen_files_answer_503_and_all_else_goes_on(two_files: DriveClient, with_frozen_s3: None) -> None:
    check_without_s3(two_files)


@pytest.mark.slow
def test_more_requests_to_a_frozen_s3_than_there_are_shares_do_not_hold_up_bases(
    two_files: DriveClient, with_frozen_s3: None
) -> None:
    waiting = [RawConnection(two_files.server) for _ in range(300)]
    try:
        started = time.monotonic()
        for connection in waiting:
            connection.send(raw_head(two_files.caller, "GET", "/files/download?name=f"))
        everything_else_goes_on(two_files)
        statuses = {answer.status for connection in waiting if (answer := connection.answer())}
        assert (
            time.monotonic() - started < PROMISED_SECONDS
        )  # from before the first was sent until the last was answered
    finally:
        for connection in waiting:
            connection.close()

    assert statuses == {503}


@pytest.mark.slow
def test_the_first_request_after_s3_is_back_succeeds(server: Any, two_files: DriveClient) -> None:
    for engine in server.children("weed"):
        kill(engine)

    time.sleep(0.6)  # `/readyz` may repeat an answer for half a second
    server.wait_ready()

    assert two_files.content("f") == BEFORE
    assert two_files.put("f", AFTER).status_code == 201
    settled(two_files, f=AFTER, g=BEFORE)
