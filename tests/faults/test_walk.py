"""The connection to an engine breaks at any byte of a request: the answer is right or a 503, and the next request is served."""

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import get_args

import httpx
import pytest

from storage import engine_waits, limits
from storage.base import bases, edits
from storage.base.merging import Add, Change
from storage.collections import collections
from storage.postgres.caller import Access
from tests.drives import noise
from tests.faults.conftest import Node
from tests.faults.operations import Asked, Attempt
from tests.faults.proxy import Direction, FaultProxy, Kind
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS, PROMISED_SECONDS

Operation = Callable[[Asked], Attempt]

READS: list[Operation] = [Asked.get_item, Asked.query, Asked.list_files, Asked.download]
WRITES: list[Operation] = [
    Asked.put_items,
    Asked.put_in_new_base,
    Asked.insert_item,
    Asked.update_item,
    Asked.delete_item,
    Asked.put_file,
    Asked.delete_file,
    Asked.start_upload,
    Asked.send_part,
    Asked.end_upload,
    Asked.abort_upload,
]
PAGES: list[Operation] = [
    Asked.collections_page,
    Asked.base_page,
    Asked.drive_page,
    Asked.visor_page,
    Asked.save_in_table,
    Asked.new_collection,
    Asked.sign_in,
]
BREAKS: tuple[Kind, Kind] = ("cut", "reset")
# Places in a request's bytes that are tried in either direction. All of them, one after the other, take an hour.
PLACES = 12


@pytest.fixture(scope="module")
def asked(node: Node, server: Server) -> Iterator[Asked]:
    made = Asked(node.server, server)
    yield made
    made.http.close()


@pytest.fixture(autouse=True)
def _at_rest(asked: Asked) -> Iterator[None]:
    """Each begins and ends with a server that answers."""
    _is_served(asked)
    yield
    _is_served(asked)


def _is_served(asked: Asked) -> None:
    answer = asked.base.get("there")
    assert answer.status_code == 200, answer.text


def places(proxy: FaultProxy, asked: Asked, operation: Operation, direction: Direction) -> list[int]:
    """Bytes at which to break, from the first to the last of what a good request takes."""
    attempt = operation(asked)
    with proxy.counting() as passed:
        answer = attempt.send()
    assert answer.status_code in attempt.statuses, answer.text
    attempt.check(answer)
    total = passed.to_engine if direction == "to the engine" else passed.from_engine
    assert total
    return sorted({1, total, *range(1, total, max(1, total // PLACES))})


def break_at(
    proxy: FaultProxy, asked: Asked, operation: Operation, kind: Kind, direction: Direction, place: int
) -> None:
    attempt = operation(asked)
    with proxy.fault(kind, direction, place, seconds=1.0):
        began = time.monotonic()
        answer = attempt.send()
        took = time.monotonic() - began
    attempt.check(answer)
    assert took < PROMISED_SECONDS
    _is_served(asked)


@pytest.mark.slow
@pytest.mark.parametrize("direction", get_args(Direction))
@pytest.mark.parametrize("operation", READS + WRITES + PAGES, ids=lambda operation: operation.__name__)
def test_postgres_is_lost_at_any_byte(node: Node, asked: Asked, operation: Operation, direction: Direction) -> None:
    for place in places(node.postgres, asked, operation, direction):
        for kind in BREAKS:
            break_at(node.postgres, asked, operation, kind, direction, place)


@pytest.mark.parametrize("direction", get_args(Direction))
def test_postgres_is_lost_in_the_middle(node: Node, asked: Asked, direction: Direction) -> None:
    """The same for every operation, at one place each."""
    for operation in READS + WRITES + PAGES:
        found = places(node.postgres, asked, operation, direction)
        break_at(node.postgres, asked, operation, "reset", direction, found[len(found) // 2])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hold", "delay"])
@pytest.mark.parametrize("operation", READS + WRITES + PAGES, ids=lambda operation: operation.__name__)
def test_postgres_says_nothing_more(node: Node, asked: Asked, operation: Operation, kind: Kind) -> None:
    found = places(node.postgres, asked, operation, "from the engine")
    for place in {found[0], found[len(found) // 2]}:
        break_at(node.postgres, asked, operation, kind, "from the engine", place)


@pytest.mark.slow
@pytest.mark.parametrize("direction", get_args(Direction))
@pytest.mark.parametrize(
    "operation", [Asked.get_item, Asked.put_items, Asked.base_page], ids=lambda operation: operation.__name__
)
def test_postgres_is_lost_while_a_connection_is_made(
    node: Node, asked: Asked, operation: Operation, direction: Direction
) -> None:
    def anew(asked: Asked) -> Attempt:
        attempt = operation(asked)
        node.postgres.end_connections()
        return attempt

    found = places(node.postgres, asked, anew, direction)
    for place in found:
        for kind in BREAKS:
            break_at(node.postgres, asked, anew, kind, direction, place)
    break_at(node.postgres, asked, anew, "hold", direction, found[len(found) // 2])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["postgres", "s3"])
def test_an_engine_that_takes_connections_and_says_nothing_is_told_in_time(
    node: Node, asked: Asked, engine: str
) -> None:
    """As behind a wall that lets nothing through: what needs it is refused, and the next request after it is served."""
    proxy = node.postgres if engine == "postgres" else node.s3
    attempts = [operation(asked) for operation in (OF_S3 if engine == "s3" else [*READS, *WRITES])]
    proxy.end_connections()
    proxy.hold()
    try:
        with ThreadPoolExecutor(len(attempts)) as threads:
            began = time.monotonic()
            answers = list(threads.map(lambda attempt: attempt.send(), attempts))
            assert time.monotonic() - began < PROMISED_SECONDS
        if engine == "s3":
            assert asked.base.get("there").status_code == asked.drive.list().status_code == 200
    finally:
        proxy.release()
    assert {answer.status_code for answer in answers} == {503}
    _is_served(asked)
    for attempt, answer in zip(attempts, answers, strict=True):
        attempt.check(answer)


@pytest.mark.parametrize("bytes_per_second", [pytest.param(500, marks=pytest.mark.slow), 50_000])
def test_postgres_that_is_reached_slowly_answers_right_or_too_late(
    node: Node, asked: Asked, bytes_per_second: int
) -> None:
    operations = [Asked.get_item, Asked.put_items, Asked.update_item, Asked.put_file, Asked.base_page]
    attempts = [operation(asked) for operation in operations]
    with node.postgres.throttled(bytes_per_second), ThreadPoolExecutor(len(attempts)) as threads:
        began = time.monotonic()
        answers = list(threads.map(lambda attempt: attempt.send(), attempts))
        assert time.monotonic() - began < PROMISED_SECONDS
    for attempt, answer in zip(attempts, answers, strict=True):
        attempt.check(answer)


@pytest.mark.slow
def test_file_comes_whole_however_slowly_and_goes_whole_or_not_at_all(node: Node, asked: Asked) -> None:
    """What comes is waited for as long as it goes on coming. What was sent is waited for until S3 says that it has it, for so
    long as a request waits for an engine. What has nothing to do with S3 is answered meanwhile.
    """
    content = noise(1_500_000, 2)
    assert asked.drive_beside.put("slow", content).status_code == 201
    put = asked.put_file()
    with node.s3.throttled(150_000), ThreadPoolExecutor(3) as threads:
        download = threads.submit(asked.drive.get, "slow")
        large, small = threads.submit(asked.drive.put, "slow-too", content), threads.submit(put.send)
        assert asked.base.get("there").status_code == 200
        assert download.result().content == content
        put.check(small.result())
    assert large.result().status_code in (201, 503)
    assert asked.drive.content("slow-too") in ((content,) if large.result().status_code == 201 else (content, None))


def test_connections_that_were_ended_while_idle_fail_nobody(node: Node, asked: Asked) -> None:
    for operation in (Asked.get_item, Asked.put_items, Asked.update_item, Asked.base_page, Asked.save_in_table):
        attempt = operation(asked)
        node.postgres.end_connections()
        answer = attempt.send()
        assert answer.status_code in attempt.statuses, answer.text
        attempt.check(answer)


def test_answers_that_are_each_in_time_are_too_late_together(node: Node, asked: Asked) -> None:
    """All at once, as each takes nearly five seconds. What asks the database once is answered meanwhile."""
    operations = [Asked.update_item, Asked.base_page, Asked.visor_page, Asked.save_in_table, Asked.new_collection]
    attempts = [operation(asked) for operation in (Asked.get_item, *operations)]
    for attempt in attempts:
        attempt.send()
    attempts = [operation(asked) for operation in (Asked.get_item, *operations)]
    with node.postgres.slow(1.5), ThreadPoolExecutor(len(attempts)) as threads:
        began = time.monotonic()
        answers = list(threads.map(lambda attempt: attempt.send(), attempts))
        assert time.monotonic() - began < PROMISED_SECONDS
    assert [answer.status_code for answer in answers] == [200] + [503] * len(operations)
    for attempt, answer in zip(attempts, answers, strict=True):
        attempt.check(answer)


def test_a_save_of_more_than_one_transaction_has_a_time_of_its_own(postgres_proxy: FaultProxy) -> None:
    collection = collections.create_collection("Made by a test")
    bases.ensure_base(collection_id=collection.id, name="b")
    changes: list[Change] = [Add(str(number), f"k{number}", {}) for number in range(limits.CHANGES_PER_BATCH + 1)]
    engine_waits.begin(engine_waits.Budget(limits.ENGINE_MIN_SECONDS + 0.3))
    try:
        with postgres_proxy.slow(0.1):
            saved = edits.save_changes(access=Access(collection.id), base="b", save_id=uuid.uuid4(), changes=changes)
    finally:
        engine_waits.end()
    assert {result.outcome for result in saved} == {"saved"}


@pytest.mark.slow
def test_a_save_of_hundreds_of_changes_is_let_wait_longer(node: Node, asked: Asked) -> None:
    """Each of its transactions is as quick as ever; all of them together take longer than one request may."""
    save = partial(asked.http.post, f"{asked.page}base/things/save/")
    changes = [{"id": str(number), "kind": "add", "key": f"many-{number}", "item": {}} for number in range(500)]
    with node.postgres.slow(0.05):
        began = time.monotonic()
        answer = save(json={"save": str(uuid.uuid4()), "changes": changes})
        took = time.monotonic() - began
    assert (answer.status_code, took > limits.ENGINE_ANSWER_SECONDS) == (200, True), answer.text
    assert {each["outcome"] for each in answer.json()["results"]} == {"saved"}


def test_a_request_whose_body_comes_later_waits_no_longer_for_that(node: Node, asked: Asked) -> None:
    """It asks whether the key is good before, and again with the body."""
    attempt = asked.put_items()
    sent = attempt.send().request
    body = sent.read()

    def send_late() -> Iterator[bytes]:
        yield body[:1]
        time.sleep(0.5)
        yield body[1:]

    def put() -> int:
        headers = {"X-API-Key": sent.headers["X-API-Key"], "Content-Length": str(len(body))}
        return httpx.put(sent.url, content=send_late(), headers=headers, timeout=MOMENT_SECONDS).status_code

    assert put() == 207
    with node.postgres.slow(3.0):
        assert put() == 503


OF_S3: list[Operation] = [Asked.download, Asked.put_file, Asked.send_part]


@pytest.mark.slow
@pytest.mark.parametrize("direction", get_args(Direction))
@pytest.mark.parametrize("operation", OF_S3, ids=lambda operation: operation.__name__)
def test_s3_is_lost_at_any_byte(node: Node, asked: Asked, operation: Operation, direction: Direction) -> None:
    for place in places(node.s3, asked, operation, direction):
        for kind in BREAKS:
            break_at(node.s3, asked, operation, kind, direction, place)


@pytest.mark.parametrize("kind", ["reset", pytest.param("hold", marks=pytest.mark.slow), "delay"])
@pytest.mark.parametrize("operation", OF_S3, ids=lambda operation: operation.__name__)
def test_s3_is_lost_before_its_first_word(node: Node, asked: Asked, operation: Operation, kind: Kind) -> None:
    break_at(node.s3, asked, operation, kind, "from the engine", 1)


@pytest.mark.parametrize("kind", BREAKS)
def test_large_file_is_whole_or_its_download_breaks(node: Node, asked: Asked, kind: Kind) -> None:
    """It is sent while it is read."""
    content = noise(3_000_000, 1)
    asked.drive_beside.put("large", content)
    for place in (1, 300, 2_000, 500_000, 1_500_000, 2_900_000):
        with node.s3.fault(kind, "from the engine", place):
            try:
                answer = asked.drive.get("large")
            except httpx.TransportError:
                continue
        assert answer.status_code == 503 or (answer.status_code, answer.content) == (200, content), answer.text[:200]
    assert asked.drive.get("large").content == content
