"""The id of a request: in every answer, whoever makes it, and in every entry of the log that is made for it."""

import asyncio
import json
import logging
import re
import socket
from collections.abc import Iterator
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from procrastinate import App
from procrastinate.contrib.django import app as queue
from procrastinate.testing import InMemoryConnector

from console.logs import JsonLine, TextLine
from console.server.threads import Job, Threads
from storage import request_ids
from storage.postgres.queue_connections import name_job
from tests.factories import BaseClient, RawConnection
from tests.waiting import MOMENT_SECONDS

MADE = re.compile(r"[0-9a-f]{32}")
HOST = b" HTTP/1.1\r\nHost: localhost\r\n"

# What is asked for, and the status. The head of each goes on with `HOST` and ends with an empty line.
REFUSED_UNREAD: dict[str, tuple[bytes, int]] = {
    "no http": (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
    "bare lf": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "no host": (b"GET /v1/x HTTP/1.1\r\n\r\n", 400),
    "long address": (b"GET /" + b"a" * 70_000 + HOST + b"\r\n", 414),
    "many headers": (b"GET /" + HOST + b"X: a\r\n" * 200 + b"\r\n", 431),
    "transfer coding": (b"PUT /" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    "version": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
}
ANSWERED: dict[str, tuple[bytes, int]] = {
    "a page": (b"GET /sign-in/", 200),
    "a page's head": (b"HEAD /sign-in/", 200),
    "a way elsewhere": (b"GET /", 302),
    "no page": (b"GET /nothing/of-the-kind", 404),
    "a file": (b"GET /static/icon.svg", 200),
    "no file": (b"GET /static/none.svg", 404),
    "liveness": (b"GET /healthz", 200),
    "readiness": (b"GET /readyz", 200),
    "no key": (b"GET /v1/abcdefghij/things/items/a", 401),
    "no path": (b"GET /v1/nothing", 404),
    "leave": (b"OPTIONS /v1/abcdefghij/things/items/a", 204),
    "the command": (b"GET /cli/nothing", 404),
}


def only_id(headers: Any) -> str:
    (told,) = headers.get_all("X-Request-ID")
    assert MADE.fullmatch(told)
    return str(told)


def test_every_answer_has_an_id_of_its_own(server: Any, client: BaseClient) -> None:
    """Whoever it is made by, and whatever the client calls its request."""
    ids = []
    own = b"X-Request-ID: the-clients\r\n"
    key = f"X-API-Key: {client.key_text}\r\n".encode()
    path = client.path.encode()
    large = b"PUT " + path + b"/items" + HOST + key + b"Content-Length: 900000000\r\n\r\n"
    for asked, status in (*REFUSED_UNREAD.values(), (large, 400)):
        with RawConnection(server) as connection:
            connection.send(asked)
            answer = connection.answer()
            assert answer is not None
            assert answer.status == status
            ids.append(only_id(answer.headers))
    with_key = {
        "an item": (b"PUT " + path + b"/items", key, b'{"items": [{"key": "a"}]}', 207),
        "the item": (b"GET " + path + b"/items/a", key, b"", 200),
        "no item": (b"GET " + path + b"/items/b", key, b"", 404),
        "no json": (b"PUT " + path + b"/items", key, b"{", 400),
        "a method": (b"BREW " + path + b"/items", key, b"", 405),
    }
    without = {name: (asked, b"", b"", status) for name, (asked, status) in ANSWERED.items()}
    with RawConnection(server) as connection:  # one connection: an id is a request's, not a client's
        for asked, headers, body, status in (without | with_key).values():
            length = b"Content-Length: %d\r\n" % len(body)
            connection.send(asked + HOST + headers + own + length + b"\r\n" + body)
            answer = connection.answer(asked.partition(b" ")[0].decode())
            assert answer is not None
            assert (asked, answer.status) == (asked, status)
            ids.append(only_id(answer.headers))
        connection.send(b"GET " + path + b"/changes" + HOST + key + b"Accept: text/event-stream\r\n\r\n")
        connection.wait_for_answer()
        head = connection.socket.recv(4_096).partition(b"\r\n\r\n")[0]
        ids += re.findall(rb"(?m)^X-Request-ID: ([0-9a-f]{32})\r$", head)
    assert len(ids) == len(set(ids)) == len(REFUSED_UNREAD) + len(without) + len(with_key) + 2


def test_plain_http_on_the_https_port_has_an_id(server: Any) -> None:
    with socket.create_connection(("localhost", urlsplit(server.tls_url).port), MOMENT_SECONDS) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert re.search(rb"\r\nX-Request-ID: [0-9a-f]{32}\r\n", connection.recv(4_096))


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What a logger of its own writes, as JSON and then as text."""
    log = logging.getLogger("asked.for")
    out = StringIO()
    for formatter in (JsonLine("%(message)s"), TextLine("%(message)s")):
        handler = logging.StreamHandler(out)
        handler.setFormatter(formatter)
        log.addHandler(handler)
    log.propagate = False
    yield out
    log.handlers.clear()


def test_what_is_logged_for_a_request_names_it(written: StringIO) -> None:
    """In its thread, in the event loop that hears of the result, and nowhere else."""
    log = logging.getLogger("asked.for")

    async def answer() -> None:
        loop = asyncio.get_running_loop()
        threads = Threads("any", most=1, loop=loop)
        for number in range(2):
            heard = loop.create_future()

            def hear(_: object, heard: "asyncio.Future[None]" = heard) -> None:
                log.warning("heard of")
                heard.set_result(None)

            threads.add(Job(lambda: log.warning("answered"), hear, lambda: None, f"r-{number}"))
            await heard
        await threads.run(lambda: log.warning("went on"), "r-2")
        log.warning("nobody's")

    asyncio.run(answer())
    lines = written.getvalue().splitlines()
    named = [("answered", "r-0"), ("heard of", "r-0"), ("answered", "r-1"), ("heard of", "r-1"), ("went on", "r-2")]
    assert [json.loads(line) for line in lines[::2]] == [
        *({"message": message, "request_id": request_id} for message, request_id in named),
        {"message": "nobody's"},
    ]
    assert lines[1::2] == [*(f"{message} (request {request_id})" for message, request_id in named), "nobody's"]


def test_what_a_job_logs_names_the_job(written: StringIO) -> None:
    log = logging.getLogger("asked.for")
    app = App(connector=InMemoryConnector(), worker_defaults={"worker_middleware": [name_job]})

    @app.task(name="tidy")
    def tidy() -> None:
        log.warning("tidied")

    async def work() -> None:
        async with app.open_async():
            await tidy.defer_async()
            await tidy.defer_async()
            await app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)

    asyncio.run(work())
    lines = written.getvalue().splitlines()
    jobs = [json.loads(line)["job"] for line in lines[::2]]
    assert len(set(jobs)) == 2
    assert all(re.fullmatch(r"tidy \d+", job) for job in jobs)
    assert lines[1] == f"tidied (job {jobs[0]})"
    assert request_ids.job.get() == ""
    assert name_job in queue.worker_defaults["worker_middleware"]
