"""Limits of data keys through the real server, whose processes keep them together; and what they cost."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from storage.collections import collections, key_limits, keys
from storage.collections.key_limits import Allowance
from storage.collections.sql import key_limits as key_limits_sql
from storage.errors import Unauthorized
from storage.models import DataKeyAllowance
from storage.postgres.database import run
from tests.drives import make_drive
from tests.factories import BaseClient, RawConnection, exact_json, make_client, raw_head
from tests.serving import Server
from tests.waiting import NOTHING_SECONDS, eventually

RATE = 5


def make_allowance(**given: Any) -> tuple[Allowance, Allowance]:
    """A limited key, as two processes see it."""
    collection_id = collections.create_collection("Made by a test").id
    digest = keys.read_key(keys.create_key(collection_id=collection_id, name="app", **given).text).key_digest
    assert digest is not None
    (row,) = run(key_limits_sql.find_limits(digest))
    return Allowance(row), Allowance(row)


def test_requests_over_the_limit_are_refused_by_all_processes_together(server: Server, database: None) -> None:
    limited = make_client(server, requests_per_second=RATE)
    free = make_client(server, collection_id=limited.collection_id)
    free.put({"key": "a"})
    # A connection for each, so that they come to different processes.
    urls = [f"{server.url}{limited.path}/items/a"] * 40

    def get(url: str) -> httpx.Response:
        return httpx.get(url, headers={"X-API-Key": limited.key_text})

    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(get, urls))
    took = time.monotonic() - began

    served = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(served) + len(refused) == len(urls)
    assert RATE <= len(served) <= RATE + took * RATE + 1
    for answer in refused:
        assert exact_json(answer) == {"errors": ["Too many requests with this data key", "It may make 5 a second"]}
        assert answer.headers["Retry-After"] == "1"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert [free.get("a").status_code for _ in range(40)] == [200] * 40
    eventually(lambda: limited.get("a").status_code == 200)


def test_a_refused_write_stores_nothing(server: Server, database: None) -> None:
    limited = make_client(server, requests_per_second=1)
    free = make_client(server, collection_id=limited.collection_id)
    answers = [limited.put({"key": f"{number:02}"}) for number in range(12)]
    stored = [f"{number:02}" for number, answer in enumerate(answers) if answer.status_code == 207]
    assert {answer.status_code for answer in answers} == {207, 429}
    assert free.all_keys() == stored


def test_bytes_of_requests_and_answers_are_counted_together(server: Server, database: None) -> None:
    limited = make_client(server, bytes_per_day=50_000)
    text = {"key": "a", "text": "x" * 4_000}
    answers: list[httpx.Response] = []
    while len(answers) < 40 and (not answers or answers[-1].status_code == 207):
        answers.append(limited.put(text))  # some 4 KB each way

    refusal = answers[-1]
    assert 5 <= len(answers) <= 12
    assert exact_json(refusal) == {
        "errors": [
            "This data key has used up its bytes for today",
            "It may move 50,000 a day; a day begins at 00:00 UTC",
        ]
    }
    midnight = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    assert 0 < int(refusal.headers["Retry-After"]) <= 86_400
    assert abs(int(refusal.headers["Retry-After"]) - (midnight - datetime.now(UTC)).total_seconds()) < 300
    told = sum(len(answer.request.content) + len(answer.content) for answer in answers[:-1])
    eventually(lambda: used(limited) == told, what=(told, used(limited)))
    # And it is refused by each process.
    for url in (server.url, server.tls_url):
        with httpx.Client(verify=False) as browser:
            refused = [
                browser.get(
                    f"{url}{limited.path}/items/a", headers={"X-API-Key": limited.key_text, "Connection": "close"}
                )
                for _ in range(8)
            ]
        assert {answer.status_code for answer in refused} == {429}


def test_downloads_and_chunked_uploads_count_with_their_bytes(server: Server, database: None) -> None:
    drive = make_drive(server, bytes_per_day=100_000_000)
    assert drive.put("a.bin", b"x" * 300_000).status_code == 201
    before = used_by(drive.caller.key_id)
    for method, more in (("GET", 300_000), ("HEAD", 0)):
        assert drive.send(method, "/files/download?name=a.bin").status_code == 200
        eventually(lambda before=before, more=more: used_by(drive.caller.key_id) >= before + more)  # type: ignore[misc]
        before = used_by(drive.caller.key_id)
    assert drive.send("POST", "/files?name=b.bin", content=iter([b"y" * 200_000])).status_code == 201
    eventually(lambda: used_by(drive.caller.key_id) > before + 200_000)


def test_a_request_whose_body_comes_later_is_counted_once(server: Server, database: None) -> None:
    limited = make_client(server, requests_per_second=1)
    body = b'{"items": [{"key": "a"}]}'
    with RawConnection(server) as connection:
        connection.send(raw_head(limited, "PUT", "/items", f"Content-Length: {len(body)}"))
        time.sleep(NOTHING_SECONDS)
        connection.send(body)
        answer = connection.answer()
    assert answer is not None
    assert answer.status == 207


def test_a_body_that_was_only_announced_is_not_counted(server: Server, database: None) -> None:
    drive = make_drive(server, bytes_per_day=10_000)
    with RawConnection(server) as connection:
        connection.send(raw_head(drive.caller, "POST", "/files?name=a", "Content-Length: 999999999"))
        answer = connection.answer()
    assert answer is not None
    assert answer.status == 413
    assert {drive.get("a").status_code for _ in range(8)} == {404}


def used(client: BaseClient) -> int:
    return used_by(client.key_id)


def used_by(key_id: int) -> int:
    found = DataKeyAllowance.objects.filter(data_key_id=key_id).first()
    return found.used_bytes if found else 0


def test_changed_limits_reach_every_process(server: Server, database: None) -> None:
    client = make_client(server)
    client.put({"key": "a"})
    key: dict[str, Any] = {"collection_id": client.collection_id, "key_id": client.key_id}

    keys.set_limits(**key, requests_per_second=None, bytes_per_day=1)
    eventually(lambda: client.get("a").status_code == 429)
    eventually(lambda: {client.get("a").status_code for _ in range(20)} == {429})
    keys.set_limits(**key, requests_per_second=None, bytes_per_day=None)
    eventually(lambda: {client.get("a").status_code for _ in range(20)} == {200})


def test_revoked_limited_key_is_refused_at_once(server: Server, database: None) -> None:
    client = make_client(server, requests_per_second=1_000)
    client.put({"key": "a"})
    keys.revoke_key(collection_id=client.collection_id, key_id=client.key_id)
    assert {client.get("a").status_code for _ in range(8)} == {401}


def test_two_processes_take_from_one_bucket(database: None) -> None:
    here, there = make_allowance(requests_per_second=RATE)
    began = time.monotonic()
    taken = sum(one.take_request() == 0 for _ in range(20) for one in (here, there))
    took = time.monotonic() - began
    assert RATE <= taken <= RATE + took * RATE + 1


def test_wait_is_until_the_next_request_may_come(database: None) -> None:
    here, _ = make_allowance(requests_per_second=RATE)
    waits = [here.take_request() for _ in range(3 * RATE)]
    assert all(0 <= wait <= 1 / RATE for wait in waits)
    wait = next(filter(None, reversed(waits)))
    time.sleep(wait)
    eventually(lambda: here.take_request() == 0)


def test_bytes_of_two_processes_are_added_up(database: None) -> None:
    here, there = make_allowance(bytes_per_day=10_000)
    here.count_bytes(6_000)
    assert not here.wait_for_bytes()
    assert not there.wait_for_bytes()
    there.count_bytes(6_000)
    assert there.wait_for_bytes() > 0


def test_a_new_day_begins_with_nothing_used(database: None) -> None:
    here, _ = make_allowance(bytes_per_day=10_000)
    here.count_bytes(20_000)
    allowances = DataKeyAllowance.objects.filter(used_bytes=20_000)
    row = allowances.latest("data_key_id")
    assert here.wait_for_bytes() > 0
    DataKeyAllowance.objects.filter(pk=row.pk).update(day=datetime.now(UTC).date() - timedelta(days=1))
    (now,) = [found for found in run(key_limits_sql.list_limits()) if found.key_id == row.pk]
    here.update(now)
    assert not here.wait_for_bytes()
    here.count_bytes(500)
    assert DataKeyAllowance.objects.get(pk=row.pk).used_bytes == 500


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The statements that the limits send, while they are sent."""
    sent: list[Any] = []

    def counted(statement: Any) -> Any:
        sent.append(statement)
        return run(statement)

    monkeypatch.setattr(key_limits, "run", counted)
    monkeypatch.setattr(key_limits, "_start", lambda: None)
    return sent


def test_key_without_limits_costs_one_statement_in_all(database: None, statements: list[Any]) -> None:
    collection_id = collections.create_collection("Made by a test").id
    digest = keys.read_key(keys.create_key(collection_id=collection_id, name="app").text).key_digest
    assert digest is not None
    assert [key_limits.find_allowance(digest) for _ in range(1_000)] == [None] * 1_000
    assert len(statements) == 1


def test_wrong_key_costs_one_statement_and_is_not_remembered(database: None, statements: list[Any]) -> None:
    known = len(key_limits._known)
    for number in range(3):
        with pytest.raises(Unauthorized):
            key_limits.find_allowance(bytes([number]) * 32)
    assert len(statements) == 3
    assert len(key_limits._known) == known


def test_high_limit_costs_a_few_statements(database: None, statements: list[Any]) -> None:
    here, _ = make_allowance(requests_per_second=1_000)
    assert [here.take_request() for _ in range(500)] == [0.0] * 500
    # A lease is given up after a second, which a busy machine may let pass in between.
    assert len(statements) <= 50


@pytest.mark.parametrize("wrong", [{"requests_per_second": 0}, {"requests_per_second": 100_001}, {"bytes_per_day": -1}])
def test_limits_that_are_none_are_refused(database: None, wrong: dict[str, Any]) -> None:
    collection_id = collections.create_collection("Made by a test").id
    with pytest.raises(keys.InvalidInput):
        keys.create_key(collection_id=collection_id, name="app", **wrong)
