"""The table's requests against the real server: connections that break, bodies of many megabytes, exports that stream."""

import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from storage.base import bases
from storage.exact_json import parse
from storage.models import Base
from storage.postgres.caller import Access
from tests.people import Cast, make_cast, make_session
from tests.serving import Server
from tests.storage.rows import fill_base
from tests.waiting import MOMENT_SECONDS


class Table:
    """The Base `things` of a collection, in the browser of one of its members."""

    def __init__(self, server: Server, people: Cast) -> None:
        self.http = httpx.Client(
            base_url=server.url, cookies={"sessionid": make_session(people.member)}, timeout=MOMENT_SECONDS
        )
        self.access = Access(people.collection.id)
        self.path = f"/collections/{people.collection.id}/base/things/"
        self.http.get(self.path).raise_for_status()  # brings the CSRF cookie

    def body(self, count: int, save_id: str, *, text: str = "x") -> bytes:
        changes = [{"id": str(n), "kind": "add", "key": None, "item": {"t": json.dumps(text)}} for n in range(count)]
        return json.dumps({"save": save_id, "changes": changes}).encode()

    def save(self, body: bytes) -> httpx.Response:
        headers = {"X-CSRFToken": self.http.cookies["csrftoken"], "Content-Type": "application/json"}
        return self.http.post(f"{self.path}save/", content=body, headers=headers)

    def send_and_hang_up(self, body: bytes, *, wait_seconds: float) -> None:
        """The same request over a connection that the client closes before it has read the answer."""
        host = urlsplit(str(self.http.base_url))
        head = (
            f"POST {self.path}save/ HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Type: application/json\r\n"
            f"Cookie: sessionid={self.http.cookies['sessionid']}; csrftoken={self.http.cookies['csrftoken']}\r\n"
            f"X-CSRFToken: {self.http.cookies['csrftoken']}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection((host.hostname, host.port), timeout=MOMENT_SECONDS) as connection:
            connection.sendall(head.encode() + body)
            time.sleep(wait_seconds)

    def total(self) -> int:
        counted: dict[str, Any] = self.http.get(f"{self.path}count/").json()
        return int(counted["total"])


@pytest.fixture
def table(server: Server, database: None) -> Iterator[Table]:
    people = make_cast()
    bases.ensure_base(collection_id=people.collection.id, name="things")
    made = Table(server, people)
    yield made
    made.http.close()


@pytest.mark.parametrize("wait_seconds", [0.0, 0.02, 0.2])
def test_save_whose_answer_was_lost_is_applied_once(table: Table, wait_seconds: float) -> None:
    body = table.body(60, str(uuid.uuid4()))
    for _ in range(3):
        table.send_and_hang_up(body, wait_seconds=wait_seconds)
    answer = table.save(body)
    assert answer.status_code == 200
    assert {result["outcome"] for result in answer.json()["results"]} == {"saved"}
    assert table.total() == 60
    assert {result["key"] for result in answer.json()["results"]} == set(keys_of(table))


def test_double_click_and_retries_at_once_save_once(table: Table) -> None:
    body = table.body(30, str(uuid.uuid4()))
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(table.save(body))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 6
    assert len({answer.text for answer in answers}) == 1
    assert table.total() == 30


def test_body_cut_on_the_way_saves_nothing(table: Table) -> None:
    body = table.body(3, str(uuid.uuid4()))
    host = urlsplit(str(table.http.base_url))
    head = (
        f"POST {table.path}save/ HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Type: application/json\r\n"
        f"Cookie: sessionid={table.http.cookies['sessionid']}; csrftoken={table.http.cookies['csrftoken']}\r\n"
        f"X-CSRFToken: {table.http.cookies['csrftoken']}\r\nContent-Length: {len(body) + 10}\r\n\r\n"
    )
    with socket.create_connection((host.hostname, host.port), timeout=MOMENT_SECONDS) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(10_000)
    assert table.total() == 0


def test_save_of_megabytes_arrives_whole(table: Table) -> None:
    answer = table.save(table.body(14, str(uuid.uuid4()), text="x" * 380_000))
    assert answer.status_code == 200, answer.text[:300]
    assert {result["outcome"] for result in answer.json()["results"]} == {"saved"}
    items = [json.loads(result["item"]) for result in answer.json()["results"]]
    assert {len(item["t"]) for item in items} == {380_000}


def test_export_streams_everything_and_lets_go_of_clients_that_leave(table: Table) -> None:
    base_id = Base.objects.get(collection_id=table.access.collection_id, name="things").pk
    fill_base(base_id, ({"key": f"k{n:05}", "n": n, "t": "x" * 500} for n in range(6_000)))
    whole = table.http.get(f"{table.path}export/")
    assert [item["n"] for item in parse(whole.content)] == list(range(6_000))
    for _ in range(20):
        with table.http.stream("GET", f"{table.path}export/", params={"format": "csv"}) as answer:
            next(answer.iter_bytes())
    assert table.total() == 6_000
    assert len(table.http.get(f"{table.path}export/", params={"format": "csv"}).text.splitlines()) == 6_001


def test_session_that_ended_is_told_apart_from_an_empty_answer(table: Table) -> None:
    body = table.body(1, str(uuid.uuid4()))
    token = table.http.cookies["csrftoken"]
    table.http.cookies.delete("sessionid")
    headers = {"X-CSRFToken": token, "Content-Type": "application/json", "Accept": "application/json"}
    answer = table.http.post(f"{table.path}save/", content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (
        401,
        {"errors": ["You are signed out. Sign in again in another tab."]},
    )


def keys_of(table: Table) -> list[str]:
    exported = table.http.get(f"{table.path}export/", params={"format": "ndjson"}).text
    return [json.loads(line)["key"] for line in exported.splitlines()]
