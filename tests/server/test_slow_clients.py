"""Nobody is held up by those who are slow, silent or half gone, and what they take is bounded."""

import json
import socket
import time
from contextlib import suppress

import pytest

from tests.server.conftest import PATIENCE_SECONDS
from tests.server.slow import App, make_app, many_connections, memory_of_workers, others_are_served, read_answers
from tests.serving import Server
from tests.waiting import PROMISED_SECONDS

MB = 1_048_576
WRONG_KEY = "abcdefghij_" + "x" * 32


@pytest.fixture(scope="module")
def app(brisk_server: Server) -> App:
    return make_app(brisk_server)


def test_a_thousand_half_requests_of_strangers_are_answered_at_once_and_hold_up_nobody(app: App) -> None:
    """600 of these were enough to stop every page and the API, when a thread waited for each body."""
    head = app.head("PUT", "/items", "Content-Length: 1000", key=WRONG_KEY)
    with many_connections(app.server.url, 1000) as idle, many_connections(app.server.url, 1000, sending=head) as slow:
        others_are_served(app)
        answers = read_answers(slow, seconds=PROMISED_SECONDS)
        others_are_served(app)
        assert len(idle) == 1000

    assert {answer.split()[1] for answer in answers} <= {b"401", b"429"}
    assert all(b"Connection: close" in answer for answer in answers)


def test_a_thousand_half_heads_hold_up_nobody_and_are_given_up(app: App) -> None:
    with many_connections(app.server.url, 1000, sending=b"GET /v1/abc/things/items/a HTTP/1.1\r\nHost: a\r\n") as slow:
        others_are_served(app)
        answers = read_answers(slow, seconds=PATIENCE_SECONDS + PROMISED_SECONDS)

    assert {answer.split()[1] for answer in answers} == {b"408"}
    assert json.loads(answers[0].partition(b"\r\n\r\n")[2]) == {"errors": ["The request did not arrive in time"]}


@pytest.mark.slow
def test_a_thousand_half_bodies_of_a_good_key_hold_up_nobody_and_are_given_up(app: App) -> None:
    head = app.head("PUT", "/items", "Content-Length: 1000") + b'{"items": ['
    with many_connections(app.server.url, 1000, sending=head) as slow:
        others_are_served(app)
        answers = read_answers(slow, seconds=PATIENCE_SECONDS + PROMISED_SECONDS)

    assert {answer.split()[1] for answer in answers} == {b"408"}


@pytest.mark.parametrize(
    "method, path, headers, key, status",
    [
        ("PUT", "/items", [], WRONG_KEY, 401),
        ("POST", "/files?name=a", [], WRONG_KEY, 401),
        ("PUT", "/nowhere", [], None, 404),
        ("PUT", "/items/a", [], None, 405),
        ("POST", "/files?name=a", ["Content-Length: 20000000"], None, 413),
        ("PUT", "/items", ["Content-Length: 20000000"], None, 400),
        ("PUT", "/items", ["Content-Encoding: gzip"], None, 415),
        ("PUT", "/items", ["Expect: 100-continue"], WRONG_KEY, 401),
        ("PUT", "/items", ["Transfer-Encoding: chunked"], WRONG_KEY, 401),
    ],
)
def test_what_is_refused_is_answered_before_its_body_has_come(
    app: App, method: str, path: str, headers: list[str], key: str | None, status: int
) -> None:
    announces = any(header.startswith(("Content-Length", "Transfer")) for header in headers)
    head = app.head(method, path, *headers, *([] if announces else ["Content-Length: 1000"]), key=key)
    with many_connections(app.server.url, 1, sending=head) as connections:
        (answer,) = read_answers(connections, seconds=PROMISED_SECONDS)

    # Of so many strangers with wrong keys some have been told to wait.
    assert int(answer.split()[1]) in ((401, 429) if status == 401 else (status,))
    assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.parametrize("path", ["/sign-in/", "/collections/", "/collections/new/"])
def test_the_body_of_a_strangers_form_is_waited_for_no_longer_than_patience_lasts(app: App, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n".encode()
    with many_connections(app.server.url, 1, sending=head) as connections:
        (answer,) = read_answers(connections, seconds=PATIENCE_SECONDS + PROMISED_SECONDS)

    assert 300 <= int(answer.split()[1]) < 500


def test_the_deadline_of_a_body_grows_with_what_arrives(app: App) -> None:
    body = json.dumps({"items": [{"key": "slow", "text": "x" * 60_000}]}).encode()
    began = time.monotonic()
    with many_connections(app.server.url, 1, sending=app.head("PUT", "/items", f"Content-Length: {len(body)}")) as (
        only,
    ):
        for start in range(0, len(body), 6_000):
            only.sendall(body[start : start + 6_000])
            time.sleep(PATIENCE_SECONDS / 6)
        (answer,) = read_answers([only], seconds=PROMISED_SECONDS)

    assert time.monotonic() - began > PATIENCE_SECONDS
    assert answer.startswith(b"HTTP/1.1 207 ")


def test_half_sent_bodies_take_a_bounded_amount_of_memory(app: App) -> None:
    """60 of them took 1.3 GB in one worker. What they may take together is 64 MB in each of two; Python needs some room too."""
    before = memory_of_workers(app.server)
    head = app.head("POST", "/files?name=a", "Content-Length: 10000000")
    with many_connections(app.server.url, 60, sending=head) as connections:
        for connection in connections:
            connection.sendall(b"x" * 5 * MB)
        others_are_served(app)
        grown = memory_of_workers(app.server) - before

    assert grown < 2 * 64 * MB + 100 * MB


@pytest.mark.slow
def test_slow_downloads_take_a_bounded_amount_of_memory(app: App) -> None:
    """60 of them held 430 MB in one worker."""
    assert app.call("POST", "/files?name=large", content=b"x" * 10_000_000).status_code == 201
    before = memory_of_workers(app.server)
    with many_connections(app.server.url, 60, sending=app.head("GET", "/files/download?name=large")) as connections:
        for _ in range(3):
            others_are_served(app)
            time.sleep(1)
            for connection in connections:
                assert connection.recv(1)
        grown = memory_of_workers(app.server) - before

    assert grown < 150 * MB


@pytest.mark.slow
def test_answers_that_nobody_takes_are_bounded_too(app: App) -> None:
    items = [{"key": f"k{number:02}", "text": "x" * 39_000} for number in range(25)]
    assert app.call("PUT", "/items", json={"items": items}).status_code == 207
    before = memory_of_workers(app.server)
    query = app.head("POST", "/query", "Content-Length: 2") + b"{}"
    # Each asks for ten answers of 1 MB ahead of taking the first.
    with many_connections(app.server.url, 200, sending=query * 10):
        others_are_served(app)
        grown = memory_of_workers(app.server) - before

    assert grown < 2 * 64 * MB + 150 * MB


# What comes behind a request is held to the same bound in the same place, and takes four times as long.
@pytest.mark.parametrize(
    "what",
    [
        pytest.param("half a head", marks=pytest.mark.slow),
        "a head whose body never comes",
        pytest.param("what comes behind a request", marks=pytest.mark.slow),
    ],
)
@pytest.mark.alone
def test_what_clients_send_ahead_takes_a_bounded_amount_of_memory(app: App, what: str) -> None:
    """A client may send nearly 100 KB of a head; thousands of them had no bound together."""
    padding = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 8_000) for number in range(11))
    form = b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    query = app.head("POST", "/query", "Content-Length: 2") + b"{}"
    sent = {
        "half a head": form + padding,
        "a head whose body never comes": form + padding + b"\r\n",
        "what comes behind a request": query + b"GET /healthz HTTP/1.1\r\n" + padding,
    }[what]
    before = memory_of_workers(app.server)
    with many_connections(app.server.url, 3_000) as connections:
        for connection in connections:
            with suppress(ConnectionError):  # some are given up before all of them have sent theirs
                connection.sendall(sent)
        grown = memory_of_workers(app.server) - before
        others_are_served(app)

    assert grown < 2 * 64 * MB + 50 * MB


def test_a_client_that_has_ended_sending_gets_all_of_its_download_and_then_the_end(app: App) -> None:
    assert app.call("POST", "/files?name=ended", content=b"x" * 5_000_000).status_code == 201
    with many_connections(app.server.url, 1, sending=app.head("GET", "/files/download?name=ended")) as (only,):
        assert only.recv(1) == b"H"
        only.shutdown(socket.SHUT_WR)
        received = 1
        while piece := only.recv(1_000_000):
            received += len(piece)

    assert received > 5_000_000
