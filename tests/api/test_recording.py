"""What is recorded of requests to the public API: each of them, whole or described, by nobody's leave."""

import contextlib
import hashlib
import time
from typing import Any

import pytest

from storage.events import recording
from tests.drives import DriveClient, noise
from tests.factories import BaseClient, RawConnection, make_client, raw_head, shared_http
from tests.visor import make_recorded, record, recorded
from tests.waiting import SWITCH_SECONDS


@pytest.fixture
def client(server: Any, database: None) -> BaseClient:
    """A client of a collection that is recorded, from an address of its own as some of its keys are wrong."""
    return make_recorded(server, source_address="127.0.7.8")


def test_request_and_answer_are_recorded(client: BaseClient) -> None:
    client.send("PUT", "/items?why=not", {"items": [{"key": "a", "n": 1}]}, headers={"X-Hint": "h"})

    (event,) = recorded(client.collection_id, 1)

    line, content = event.line, event.content
    assert content.request.text
    assert content.response.text
    assert (line.method, line.path, line.query, line.status) == ("PUT", "things/items", "why=not", 207)
    assert line.key_id == client.key_id
    assert line.key_name == "Made by a test"
    assert (line.origin, line.replay_of, line.is_pinned) == ("app", "", False)
    assert content.request.text == '{"items":[{"key":"a","n":1}]}' or '"n": 1' in content.request.text
    assert content.response.text == '{"processed":{"items":[{"key":"a","n":1}]}}'
    assert (line.bytes_in, line.bytes_out) == (len(content.request.text), len(content.response.text))
    assert dict(event.request_headers)["X-Hint"] == "h"
    assert dict(event.request_headers)["X-API-Key"] == "[redacted]"
    assert dict(content.response_headers)["Content-Type"] == "application/json"
    assert 0 < line.duration_us < 60_000_000
    assert abs(line.at.timestamp() - time.time()) < 60


def test_a_data_key_that_comes_as_a_token_is_known_and_masked(client: BaseClient) -> None:
    authorization = f"Token {client.key_text}"
    path = f"{client.server.url}{client.path}/items"
    shared_http().put(path, headers={"Authorization": authorization}, content=b'{"items":[{"key":"a"}]}')

    (event,) = recorded(client.collection_id, 1)

    assert (event.line.status, event.line.key_id) == (200, client.key_id)
    assert dict(event.request_headers)["Authorization"] == "[redacted]"
    assert client.key_text not in repr(event)


def test_variables_of_the_server_are_no_headers(client: BaseClient) -> None:
    client.get("a")

    (event,) = recorded(client.collection_id, 1)

    assert "of the server" not in str(event.request_headers)
    assert "Of-The-Server" not in dict(event.request_headers)


def test_refused_requests_are_recorded_with_what_they_were_told(client: BaseClient) -> None:
    client.get("missing")
    client.query([{"a?bad": 1}])
    client.send("POST", "/items/a/b")
    client.send("GET", "/items/a", headers={"X-API-Key": "nobody's"})
    client.send("GET", "/nowhere")
    client.insert({"key": "a"})
    client.insert({"key": "a"})

    found = recorded(client.collection_id, 7)

    assert [event.line.status for event in found] == [404, 400, 405, 401, 404, 201, 409]
    assert "unknown operator" in str(found[1].content.response.text)
    assert [event.line.key_id is None for event in found] == [False, False, False, True, False, False, False]


def test_other_collections_and_unknown_ones_are_not_recorded(client: BaseClient, server: Any) -> None:
    other = make_client(server)
    other.put({"key": "a"})
    client.put({"key": "a"})

    assert len(recorded(client.collection_id, 1)) == 1
    assert recorded(other.collection_id, 0) == []


def test_switch_takes_effect_within_two_seconds(client: BaseClient) -> None:
    client.put({"key": "a"})
    recording.stop_recording(client.collection_id)
    time.sleep(SWITCH_SECONDS)
    client.put({"key": "b"})
    record(client.collection_id)
    client.put({"key": "c"})

    found = recorded(client.collection_id, 2)

    assert ['"a"' in str(found[0].content.request.text), '"c"' in str(found[1].content.request.text)] == [True, True]


def test_long_bodies_are_cut_at_64_kb_with_their_length(client: BaseClient) -> None:
    client.put({"key": "long", "text": "é" * 100_000})

    (event,) = recorded(client.collection_id, 1)

    for body, length in ((event.content.request, event.line.bytes_in), (event.content.response, event.line.bytes_out)):
        assert body.size_bytes == length > 200_000
        assert body.is_cut
        assert 65_000 < len(str(body.text).encode()) <= 65_536


def test_long_path_is_cut_with_its_length(client: BaseClient) -> None:
    client.send("GET", "/items/" + "a" * 6_000)

    (event,) = recorded(client.collection_id, 1)

    assert event.line.path.endswith("… (6,013 characters)")
    assert len(event.line.path) < 4_200


def test_secret_is_found_behind_the_plus_signs_of_a_query(client: BaseClient) -> None:
    client.send("GET", "/items/a?like=my+pass+word", headers={"X-API-Key": "my pass word"})

    (event,) = recorded(client.collection_id, 1)

    assert "like=" in event.line.query
    assert "pass" not in event.line.query


@pytest.mark.parametrize("size", [20, 200_000, 3_000_000])
def test_binary_bodies_are_described(client: BaseClient, size: int) -> None:
    drive, content = DriveClient(client), b"\x00" + noise(size)
    drive.put("a.png", content, headers={"Content-Type": "image/png"})
    drive.get("a.png")

    put, got = recorded(client.collection_id, 2)

    digest = hashlib.sha256(content).hexdigest()
    assert put.content.request.text is None
    assert put.content.request.content_type == dict(put.request_headers)["Content-Type"] == "image/png"
    assert (put.content.request.digest, put.line.bytes_in) == (f"SHA-256 {digest}", len(content))
    assert (got.content.response.text, got.line.bytes_out) == (None, len(content))
    # What is sent in pieces is described by its file's ETag, which is known without reading it.
    assert got.content.response.digest in (f"SHA-256 {digest}", f"ETag {dict(got.content.response_headers)['ETag']}")


def test_text_files_are_kept_as_text(client: BaseClient) -> None:
    drive = DriveClient(client)
    drive.put("a.txt", "grün\n".encode())
    drive.put("b.txt", b"")
    drive.get("a.txt")

    put, empty, got = recorded(client.collection_id, 3)

    assert [put.content.request.text, empty.content.request.text] == ["grün\n", ""]
    assert got.content.response.text == "grün\n"


def test_streamed_download_is_recorded_when_the_client_leaves(client: BaseClient) -> None:
    drive = DriveClient(client)
    drive.put("big", noise(8_000_000))
    with RawConnection(client.server) as raw:
        raw.send(raw_head(client, "GET", "/files/download?name=big"))
        raw.socket.recv(1000)

    _, got = recorded(client.collection_id, 2)

    assert (got.line.method, got.line.status) == ("GET", 200)
    assert got.line.bytes_out <= 8_000_000


def test_body_in_chunks_and_cut_body_are_recorded(client: BaseClient) -> None:
    with RawConnection(client.server) as raw:
        raw.send(
            raw_head(client, "PUT", "/items", "Transfer-Encoding: chunked"),
            b'1c\r\n{"items": [{"key": "chunk"}]}\r\n0\r\n\r\n',
        )
        raw.answer("PUT")
    with RawConnection(client.server) as raw:
        raw.send(raw_head(client, "PUT", "/items", "Content-Length: 100"), b'{"items"')
        raw.end_sending()
        raw.answer("PUT")

    found = recorded(client.collection_id, 2)

    assert found[0].line.method == "PUT"
    assert found[1].line.status == 400
    assert found[1].content.request.text == '{"items"'


def test_stranger_without_a_key_leaves_no_body_and_another_collections_key_no_name(
    client: BaseClient, server: Any
) -> None:
    other = make_client(server)
    for key in ("x" * 43, f"{client.collection_id}_{'x' * 32}", other.key_text):
        client.send("PUT", "/items", {"items": [{"flood": "flood"}]}, headers={"X-API-Key": key})

    for event in recorded(client.collection_id, 3):
        assert (event.line.status, event.line.key_id, event.line.key_name) == (401, None, "")
        assert event.content.request.text is None
        assert event.line.bytes_in > 10
        assert "not kept" in event.content.request.digest


def test_hostile_requests_are_recorded_as_text(client: BaseClient) -> None:
    sent = [
        (b"GET", b"/items/%00", b""),
        (b"GET", b"/items/%FF%C3", b""),
        (b"GET", b"/items/%1b%5b31m", b""),
        (b"GET", b"/items/refused", b"X-Escape: \x1b[31mred"),
        (b"GET", b"/items/a%0d%0aSet-Cookie:%20a=b", b"X-Latin: \xff\xfe\xe9"),
        (b"GET", b"/items/%E2%80%AE", b"X-Utf8: \xe2\x80\xaegnp.exe"),
        (b"GET", b"/items/%3Cscript%3E?a=%3Cimg%20src=x%3E", b"X-Long: " + b"y" * 20_000),
        (b"G<b>T", b"/items/a", b""),
    ]
    answered = 0
    for method, path, header in sent:
        with RawConnection(client.server, client.source_address) as raw:
            head = b"%s %s%s HTTP/1.1\r\nHost: a\r\nX-API-Key: %s\r\n" % (
                method,
                client.path.encode(),
                path,
                client.key_text.encode(),
            )
            raw.send(head, header + b"\r\n\r\n" if header else b"\r\n")
            answer = raw.answer()
            # What the web server itself refuses never gets as far as the API.
            answered += answer is not None and b"can't be read" not in answer.body
    with RawConnection(client.server, client.source_address) as raw:
        with contextlib.suppress(ConnectionError):
            raw.send(raw_head(client, "GET", "/items/a", "X-Huge: " + "z" * 1_048_576))
        raw.answer()
    client.send("PUT", "/items", content=b'{"items": [{"key": "a", "t": "\xff\x00"}]}')
    client.send("PUT", "/items", content=b'{"items": [{"key": "a\x1b[31m"}]}')

    found = recorded(client.collection_id, answered + 2)

    assert answered >= 5
    for event in found:
        everything = repr((event.line, event.request_headers, event.content))
        assert "\\x00" not in everything
        assert all(len(value) < 5_000 for _, value in event.request_headers)
    assert found[-2].content.request.text is None
    assert found[-2].content.request.digest.startswith("SHA-256 ")
    assert {"things/items/%00", "things/items/%FF%C3", "things/items/%1B%5B31m"} <= {event.line.path for event in found}
