"""HTTP below the API, on the server that ships: bodies in chunks and cut ones, closing and reuse of connections."""

import json
from dataclasses import replace

import pytest

from tests.factories import BaseClient, RawAnswer, RawConnection, exact_json, raw_head
from tests.waiting import PROMISED_SECONDS

BODY = json.dumps({"items": [{"key": "new", "text": "x" * 1000}]}).encode()
CHUNKED = "Transfer-Encoding: chunked"


def chunks(body: bytes, size: int) -> bytes:
    """The body in chunks of that size, without the last, empty one."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def exchange(client: BaseClient, *parts: bytes, end: bool = False) -> RawAnswer | None:
    with RawConnection(client.server) as connection:
        connection.send(*parts)
        if end:
            connection.end_sending()
        return connection.answer()


@pytest.mark.parametrize("size", [1, 7, 1024, 100_000])
def test_a_chunked_body_is_read_fully(client: BaseClient, size: int) -> None:
    answer = exchange(client, raw_head(client, "PUT", "/items", CHUNKED), chunks(BODY, size), b"0\r\n\r\n")

    assert answer is not None
    assert (answer.status, answer.json) == (207, {"processed": json.loads(BODY)})
    assert client.stored("new") == {"key": "new", "text": "x" * 1000}


def test_a_chunked_body_that_arrives_slowly_is_read_fully(client: BaseClient) -> None:
    with RawConnection(client.server) as connection:
        connection.send(raw_head(client, "PUT", "/items", CHUNKED))
        for start in range(0, len(BODY), 300):
            connection.send(chunks(BODY[start : start + 300], 100))
        connection.send(b"0\r\n\r\n")
        answer = connection.answer()

    assert answer is not None
    assert answer.status == 207


def test_a_large_chunked_body_is_read_fully(client: BaseClient) -> None:
    items = [{"key": f"k{n}", "text": "x" * 400_000} for n in range(20)]
    body = json.dumps({"items": items}).encode()

    answer = exchange(client, raw_head(client, "PUT", "/items", CHUNKED), chunks(body, 65_536), b"0\r\n\r\n")

    assert answer is not None
    assert answer.status == 207
    assert client.stored("k19") == items[19]


def test_chunks_with_extensions_and_trailers_are_read(client: BaseClient) -> None:
    framed = b"%x;name=value\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(BODY), BODY)

    answer = exchange(client, raw_head(client, "PUT", "/items", CHUNKED), framed)

    assert answer is not None
    assert answer.status == 207


def test_a_chunked_body_over_16_mb_is_400(client: BaseClient) -> None:
    body = BODY + b" " * (16_777_217 - len(BODY))

    with RawConnection(client.server) as connection:
        connection.send(raw_head(client, "PUT", "/items", CHUNKED), chunks(body, 1_048_576), b"0\r\n\r\n")
        answer = connection.answer()

    assert answer is not None
    assert (answer.status, list(answer.json)) == (400, ["errors"])
    assert client.all_keys() == []


def test_an_empty_chunked_body_is_400(client: BaseClient) -> None:
    answer = exchange(client, raw_head(client, "PUT", "/items", CHUNKED), b"0\r\n\r\n")

    assert answer is not None
    assert (answer.status, list(answer.json)) == (400, ["errors"])


FRAMED = chunks(BODY, 100)
# What is sent before the connection breaks; in each case all of the JSON may have arrived, but not the end.
CUT: list[tuple[str, list[str], bytes]] = [
    ("chunked, before the first chunk", [CHUNKED], b""),
    ("chunked, in a chunk", [CHUNKED], FRAMED[:-50]),
    ("chunked, in a chunk's size", [CHUNKED], b"4"),
    ("chunked, between chunks", [CHUNKED], chunks(BODY[:500], 100)),
    ("chunked, before the last, empty chunk", [CHUNKED], FRAMED),
    ("chunked, in the last, empty chunk", [CHUNKED], FRAMED + b"0\r\n"),
    ("chunked, a chunk's size that is none", [CHUNKED], FRAMED + b"zz\r\n"),
    ("a length, nothing sent", [f"Content-Length: {len(BODY)}"], b""),
    ("a length, a byte missing", [f"Content-Length: {len(BODY)}"], BODY[:-1]),
    ("a length above that of a whole JSON text", [f"Content-Length: {len(BODY) + 1}"], BODY),
    ("a length far above", [f"Content-Length: {10 * len(BODY)}"], BODY),
]


@pytest.mark.parametrize("headers, sent", [case[1:] for case in CUT], ids=[case[0] for case in CUT])
@pytest.mark.parametrize("half", [True, False], ids=["half closed", "closed"])
def test_a_cut_body_stores_nothing_and_never_gets_a_2xx(
    client: BaseClient, headers: list[str], sent: bytes, half: bool
) -> None:
    with RawConnection(client.server) as connection:
        connection.send(raw_head(client, "PUT", "/items", *headers), sent)
        if half:
            connection.end_sending()
            answer = connection.answer()
            assert answer is None or 400 <= answer.status < 500

    # Requests take turns on a worker, so whatever the cut one did is done when these are answered.
    assert [client.all_keys() for _ in range(20)] == [[]] * 20


def test_a_cut_update_changes_nothing(client: BaseClient) -> None:
    client.put({"key": "a", "n": 1})

    exchange(client, raw_head(client, "PATCH", "/items/a", "Content-Length: 100"), b'{"increment":{"n":1}}', end=True)

    assert [client.stored("a") for _ in range(20)] == [{"key": "a", "n": 1}] * 20


def test_a_body_longer_than_announced_ends_where_announced(client: BaseClient) -> None:
    head = raw_head(client, "PUT", "/items", f"Content-Length: {len(BODY)}", "Connection: close")

    answer = exchange(client, head, BODY, b"and more")

    assert answer is not None
    assert answer.status == 207
    assert client.all_keys() == ["new"]


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "0x10", "99999999999999999999999999"])
def test_a_content_length_that_is_none_is_refused(client: BaseClient, length: str) -> None:
    answer = exchange(client, raw_head(client, "PUT", "/items", f"Content-Length: {length}"), BODY, end=True)

    assert answer is None or 400 <= answer.status < 500
    assert client.all_keys() == []


def test_two_lengths_that_differ_are_refused(client: BaseClient) -> None:
    head = raw_head(client, "PUT", "/items", f"Content-Length: {len(BODY)}", "Content-Length: 5")

    answer = exchange(client, head, BODY, end=True)

    assert answer is None or 400 <= answer.status < 500
    assert client.all_keys() == []


def test_a_client_that_expects_100_continue_gets_it_and_its_answer(client: BaseClient) -> None:
    with RawConnection(client.server) as connection:
        connection.send(raw_head(client, "PUT", "/items", f"Content-Length: {len(BODY)}", "Expect: 100-continue"))
        assert connection.socket.recv(1024).startswith(b"HTTP/1.1 100 ")
        connection.send(BODY)
        answer = connection.answer()

    assert answer is not None
    assert answer.status == 207


# method, path, body, status: one request for every kind of answer
ANSWERS: list[tuple[str, str, bytes, int]] = [
    ("GET", "/items/a", b"", 200),
    ("HEAD", "/items/a", b"", 200),
    ("PUT", "/items", b'{"items":[{"key":"b"}]}', 207),
    ("POST", "/items", b'{"item":{"n":1}}', 201),
    ("POST", "/items", b'{"item":{"key":"a"}}', 409),
    ("PATCH", "/items/a", b'{"set":{"n":2}}', 200),
    ("PATCH", "/items/none", b'{"set":{"n":2}}', 404),
    ("DELETE", "/items/b", b"", 200),
    ("POST", "/query", b"{}", 200),
    ("GET", "/items/none", b"", 404),
    ("GET", "/nowhere", b"", 404),
    ("POST", "/nowhere", b"{}", 404),
    ("PUT", "/items/a", b"{}", 405),
    ("GET", "/items", b"", 405),
    ("PUT", "/items", b"no json", 400),
    ("POST", "/query", b'{"query":1}', 400),
    ("OPTIONS", "/items", b"", 204),
]


def _request(client: BaseClient, method: str, path: str, body: bytes, *headers: str) -> bytes:
    return raw_head(client, method, path, f"Content-Length: {len(body)}", *headers) + body


@pytest.mark.parametrize("method, path, body, status", ANSWERS)
@pytest.mark.parametrize("header", ["Connection: close", "connection: Close"])
def test_a_request_to_close_gets_an_answer_that_says_so(
    client: BaseClient, method: str, path: str, body: bytes, status: int, header: str
) -> None:
    client.put({"key": "a", "n": 1})

    with RawConnection(client.server) as connection:
        connection.send(_request(client, method, path, body, header))
        answer = connection.answer(method)
        closed = connection.is_closed_by_server()

    assert answer is not None
    assert (answer.status // 100, answer.headers["Connection"].lower()) == (status // 100, "close")
    assert status == 204 or answer.status == status
    assert closed


def test_one_connection_serves_every_kind_of_answer_in_turn(client: BaseClient) -> None:
    client.put({"key": "a", "n": 1})

    with RawConnection(client.server) as connection:
        for method, path, body, status in ANSWERS * 2:
            connection.send(_request(client, method, path, body))
            answer = connection.answer(method)
            assert answer is not None, (method, path)
            assert answer.status == status or status == 204, (method, path, answer.body)
            assert (answer.headers["Connection"] or "keep-alive").lower() == "keep-alive"


REFUSED_UNREAD: list[tuple[str, str, list[str], int]] = [
    ("PUT", "/nowhere", [], 404),
    ("PUT", "/items/a", [], 405),
    ("PUT", "/items", ["Content-Encoding: gzip"], 415),
    ("DELETE", "/items/a", [], 200),
]


@pytest.mark.parametrize("size_bytes", [100, 100_000, 5_000_000])
@pytest.mark.parametrize("method, path, headers, status", REFUSED_UNREAD)
def test_the_answer_to_a_body_that_nobody_wants_reaches_the_client(
    client: BaseClient, method: str, path: str, headers: list[str], status: int, size_bytes: int
) -> None:
    with RawConnection(client.server) as connection:
        connection.send(_request(client, method, path, b" " * size_bytes, *headers))
        answer = connection.answer()
        assert answer is not None
        assert answer.status == status
        if answer.headers["Connection"] != "close":
            connection.send(_request(client, "GET", "/items/none", b""))
            answer = connection.answer()
            assert answer is not None
            assert (answer.status, answer.json) == (404, {"key": "none"})


def test_the_answer_to_a_large_body_with_a_wrong_key_reaches_the_client(client: BaseClient) -> None:
    wrong = replace(client, key_text=f"{client.collection_id}_{'A' * 32}")

    with RawConnection(client.server, "127.0.0.8") as connection:
        connection.send(_request(wrong, "PUT", "/items", b" " * 5_000_000))
        answer = connection.answer()

    assert answer is not None
    assert (answer.status, answer.json) == (401, {"errors": ["Unauthorized"]})


def test_requests_sent_ahead_are_answered_in_turn(client: BaseClient) -> None:
    requests = [_request(client, "PUT", "/items", b'{"items":[{"key":"k%d"}]}' % n) for n in range(5)]

    with RawConnection(client.server) as connection:
        connection.send(*requests)
        answers = [connection.answer() for _ in requests]

    assert [answer and answer.json["processed"]["items"][0]["key"] for answer in answers] == [f"k{n}" for n in range(5)]


def test_idle_and_slow_connections_leave_the_others_served(client: BaseClient) -> None:
    client.put({"key": "a"})
    idle = [RawConnection(client.server) for _ in range(100)]
    try:
        for connection in idle[:50]:
            connection.send(raw_head(client, "PUT", "/items", "Content-Length: 100"), b"{")

        assert [client.get("a", timeout=PROMISED_SECONDS).status_code for _ in range(20)] == [200] * 20
        assert exact_json(client.query([]))["paging"] == {"size": 1}
    finally:
        for connection in idle:
            connection.close()
