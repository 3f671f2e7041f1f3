"""Many requests at once to one file or upload (promises: "Faults to inject")."""

import hashlib
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from storage.models import Blob, File, Part, Upload
from tests.api.test_concurrency import at_once
from tests.drives import PART, DriveClient, encoded, md5, noise
from tests.factories import RawConnection, raw_head
from tests.waiting import PROMISED_SECONDS


def bodies(count: int, size: int) -> list[bytes]:
    """Bodies of one size that differ from their first byte to their last."""
    return [bytes([65 + number]) * size for number in range(count)]


def test_10_writers_and_10_readers_of_one_file(drive: DriveClient) -> None:
    written = bodies(10, 1_500_000)
    drive.put("f", written[0])

    def write(body: bytes) -> set[int]:
        return {drive.put("f", body).status_code for _ in range(5)}

    def read() -> set[bytes]:
        found = set()
        for _ in range(8):
            response = drive.get("f")
            assert response.status_code == 200
            assert len(response.content) == 1_500_000
            assert response.headers["ETag"] == f'"{md5(response.content)}"'
            found.add(response.content[:1])
        return found

    results = at_once([partial(write, body) for body in written] + [read] * 10)

    assert results[:10] == [{201}] * 10
    assert drive.content("f") in written
    assert drive.names() == ["f"]


def test_first_files_of_a_new_drive_at_once(drive: DriveClient) -> None:
    answers = at_once(partial(drive.put, f"f{n:02}", b"%d" % n) for n in range(20))

    assert {answer.status_code for answer in answers} == {201}
    assert drive.names() == [f"f{n:02}" for n in range(20)]


def test_of_puts_and_deletes_at_once_each_is_whole(drive: DriveClient) -> None:
    def put() -> set[int]:
        return {drive.put("f", b"x" * 1000).status_code for _ in range(20)}

    def delete() -> set[int]:
        return {drive.delete("f", "g").status_code for _ in range(20)}

    def read() -> None:
        for _ in range(20):
            assert drive.content("f") in (None, b"x" * 1000)

    at_once([put, put, delete, delete, read])

    assert drive.put("f", b"last").status_code == 201
    assert drive.content("f") == b"last"
    live = {blob for file in File.objects.filter(name="f") for blob in file.blob_ids}
    assert Blob.objects.filter(id__in=live, state="live").count() == len(live)


def test_deletes_of_the_same_files_in_opposite_orders_never_deadlock(drive: DriveClient) -> None:
    names = [f"f{n}" for n in range(20)]

    def put() -> set[int]:
        return {drive.put(name, b"x").status_code for name in names * 2}

    def delete(order: list[str]) -> set[int]:
        return {drive.delete(*order).status_code for _ in range(10)}

    results = at_once([put, put, partial(delete, names), partial(delete, names[::-1])])

    assert results == [{201}, {201}, {200}, {200}]


def test_a_part_sent_by_many_at_once_is_one_of_theirs(drive: DriveClient) -> None:
    sent = bodies(8, 300_000)
    upload_id = drive.begin("f")

    answers = at_once(partial(drive.part, upload_id, "f", 1, body) for body in sent)
    final = noise(PART)
    drive.part(upload_id, "f", 1, final)  # the last acknowledged counts, whatever came before
    drive.end(upload_id, "f")

    assert {answer.status_code for answer in answers} == {200}
    assert md5(drive.content("f") or b"") == md5(final)


def test_parts_in_parallel(drive: DriveClient) -> None:
    parts = [noise(PART, seed) for seed in range(6)]
    upload_id = drive.begin("f")

    answers = at_once(partial(drive.part, upload_id, "f", n, part) for n, part in enumerate(parts, start=1))
    assert {answer.status_code for answer in answers} == {200}
    assert drive.end(upload_id, "f").status_code == 200
    assert md5(drive.content("f") or b"") == md5(b"".join(parts))


def test_of_many_endings_at_once_one_commits_and_all_say_so(drive: DriveClient) -> None:
    for parts in ([b"one"], [noise(PART), b"two"], []):
        upload_id = drive.begin("f", *parts)

        answers = at_once([partial(drive.end, upload_id, "f")] * 10)

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        assert md5(drive.content("f") or b"") == md5(b"".join(parts))


def test_endings_and_an_abort_at_once_agree(drive: DriveClient) -> None:
    for _ in range(5):
        drive.put("f", b"before")
        upload_id = drive.begin("f", b"after")

        calls = [partial(drive.end, upload_id, "f")] * 3 + [partial(drive.abort, upload_id, "f")]
        *ends, abort = [response.status_code for response in at_once(calls)]

        if abort == 200:
            assert (set(ends), drive.content("f")) == ({404}, b"before")
        else:
            assert (abort, set(ends), drive.content("f")) == (404, {200}, b"after")


def test_a_part_that_races_the_ending_is_in_the_file_or_refused(drive: DriveClient) -> None:
    outcomes: Counter[int] = Counter()
    for _ in range(8):
        upload_id = drive.begin("f", b"first")
        part, end = at_once([partial(drive.part, upload_id, "f", 1, b"again"), partial(drive.end, upload_id, "f")])

        outcomes[part.status_code] += 1
        assert end.status_code == 200
        # Acknowledged before the ending committed, it is in the file; else it was told there is no upload any more.
        assert (part.status_code, drive.content("f")) in ((200, b"again"), (404, b"first"))
    assert set(outcomes) <= {200, 404}


def test_a_part_that_races_an_abort_leaves_nothing(drive: DriveClient) -> None:
    for _ in range(8):
        upload_id = drive.begin("f")
        part, abort = at_once(
            [partial(drive.part, upload_id, "f", 1, b"x" * 500_000), partial(drive.abort, upload_id, "f")]
        )

        assert abort.status_code == 200
        assert part.status_code in (200, 404)
        assert not Upload.objects.filter(id=upload_id).exists()
        assert not Part.objects.filter(upload_id=upload_id).exists()
    assert drive.names() == []


def test_an_overwrite_or_delete_does_not_touch_a_download_that_has_begun(drive: DriveClient) -> None:
    whole = noise(PART * 4)
    upload_id = drive.begin("f", *(whole[at : at + PART] for at in range(0, len(whole), PART)))
    drive.end(upload_id, "f")

    with RawConnection(drive.server) as first, RawConnection(drive.server) as second:
        for connection in (first, second):
            connection.send(raw_head(drive.caller, "GET", f"/files/download?name={encoded('f')}"))
        for connection in (first, second):
            connection.wait_for_answer()  # it has begun, and most bytes are still in S3: the sockets' buffers hold fewer
        drive.put("f", b"other")
        answer = first.answer()
        drive.delete("f")
        later = second.answer()

    assert answer is not None
    assert later is not None
    assert md5(answer.body) == md5(later.body) == md5(whole)
    assert drive.get("f").status_code == 404


def test_a_hundred_slow_clients_do_not_hold_up_the_others(drive: DriveClient) -> None:
    drive.put("f", noise(MOST_SLOW))
    slow = [RawConnection(drive.server) for _ in range(100)]
    try:
        for number, connection in enumerate(slow):
            if number % 2:
                connection.send(raw_head(drive.caller, "POST", f"/files?name=s{number}", "Content-Length: 1000"), b"x")
            else:
                connection.send(raw_head(drive.caller, "GET", "/files/download?name=f"))
        for connection in slow[::2]:
            connection.wait_for_answer()
        started = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda n: drive.put(f"q{n}", b"x").status_code, range(50)))
            digests = set(pool.map(lambda _: hashlib.md5(drive.get("f").content).hexdigest(), range(4)))
        assert drive.caller.put({"key": "a"}).status_code == 207
        assert time.monotonic() - started < 2 * PROMISED_SECONDS
    finally:
        for connection in slow:
            connection.close()

    assert set(statuses) == {201}
    assert digests == {md5(noise(MOST_SLOW))}


MOST_SLOW = 8_000_000  # more than the sockets' buffers hold
