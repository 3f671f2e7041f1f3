"""What the published Python and Go clients send to a Drive (the JavaScript client itself runs in tests/sdk)."""

import http.client
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus, urlsplit

import pytest

from tests.drives import MOST, PART, DriveClient, md5, noise
from tests.factories import RawConnection, raw_head


class PythonDrive:
    """The requests of the Python client: every upload in parts, the content type with them alone."""

    def __init__(self, drive: DriveClient) -> None:
        self._drive = drive
        address = urlsplit(drive.server.url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port)

    def close(self) -> None:
        self._connection.close()

    def request(self, method: str, path: str, body: bytes | None = None, content_type: str | None = None) -> Any:
        """The answer's JSON, or its response where that is not what it has."""
        headers = {"X-Api-Key": self._drive.caller.key_text}
        if content_type:
            headers["Content-Type"] = content_type
        self._connection.request(method, self._drive.caller.path + path, headers=headers, body=body)
        response = self._connection.getresponse()
        content = response.read()
        assert response.status in (200, 201, 202), content
        return json.loads(content) if response.headers["Content-Type"] == "application/json" else content

    def put(self, name: str, data: io.BufferedIOBase, content_type: str | None = None) -> str:
        """Read until there is no more, a part for each piece: a reader may give less than a part, and at the end nothing."""
        query = f"name={quote_plus(name)}"
        upload_id = self.request("POST", f"/uploads?{query}")["upload_id"]
        part = 1
        while chunk := data.read(MOST):
            self.request("POST", f"/uploads/{upload_id}/parts?{query}&part={part}", chunk, content_type)
            part += 1
        answer: str = self.request("PATCH", f"/uploads/{upload_id}?{query}")["name"]
        return answer

    def get(self, name: str) -> Any:
        return self.request("GET", f"/files/download?name={quote_plus(name)}")

    def list_names(self, limit: int = 1000, prefix: str | None = None, last: str | None = None) -> Any:
        path = f"/files?limit={limit}"
        path += f"&prefix={prefix}" if prefix else ""
        path += f"&last={last}" if last else ""
        return self.request("GET", path)

    def delete_many(self, names: list[str]) -> Any:
        return self.request("DELETE", "/files", json.dumps({"names": names}).encode(), "application/json")


@pytest.fixture
def python(drive: DriveClient) -> Iterator[PythonDrive]:
    spoken = PythonDrive(drive)
    yield spoken
    spoken.close()


def test_the_python_clients_session(python: PythonDrive, drive: DriveClient) -> None:
    """One connection: put, get, list to the end, overwrite, delete, and what is gone."""
    name = "a folder/ü+ %&.bin"
    whole = noise(MOST + 5)

    assert python.put(name, io.BytesIO(b"small"), "text/x-own") == name
    assert python.get(name) == b"small"
    assert drive.get(name).headers["Content-Type"] == "text/x-own"
    assert python.put(name, io.BytesIO(whole)) == name
    assert md5(python.get(name)) == md5(whole)
    assert python.put("empty", io.BytesIO(b"")) == "empty"
    assert python.get("empty") == b""
    assert python.put("a+b", io.BytesIO(b"x")) == "a+b"

    assert python.list_names() == {"names": ["a folder/ü+ %&.bin", "a+b", "empty"]}
    assert python.list_names(limit=2) == {"paging": {"size": 2, "last": "a+b"}, "names": ["a folder/ü+ %&.bin", "a+b"]}
    assert python.list_names(limit=2, last="a+b") == {"names": ["empty"]}
    assert python.list_names(prefix="a+") == {"names": ["a+b"]}
    assert python.delete_many([name, "none"]) == {"deleted": [name, "none"]}
    assert python.list_names() == {"names": ["a+b", "empty"]}


class Dribble(io.BytesIO):
    """A reader that gives less than it is asked for, as sockets and pipes do."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, PART + 1))


def test_a_reader_that_gives_parts_below_10_mb(python: PythonDrive) -> None:
    whole = noise(3 * PART)

    python.put("f", Dribble(whole))

    assert md5(python.get("f")) == md5(whole)


def test_the_go_clients_requests(drive: DriveClient) -> None:
    """Go encodes every parameter as a form does, `+` for a space, prefix and last among them."""
    name = "a b/c+d é"

    def go(method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        headers = ["User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip", f"Content-Length: {len(body)}"]
        with RawConnection(drive.server) as connection:
            connection.send(raw_head(drive.caller, method, path, *headers), body)
            answer = connection.answer()
        assert answer is not None
        assert "Content-Encoding" not in answer.headers
        return answer.status, answer.body

    query = f"name={quote_plus(name)}"
    status, body = go("POST", f"/uploads?{query}")
    assert status == 202
    upload_id = json.loads(body)["upload_id"]
    assert go("POST", f"/uploads/{upload_id}/parts?{query}&part=1", b"from Go")[0] == 200
    assert go("PATCH", f"/uploads/{upload_id}?{query}")[0] == 200
    assert go("GET", f"/files/download?{query}") == (200, b"from Go")
    for listing in (f"prefix={quote_plus('a b/')}", f"last={quote_plus('a b/c+c')}&limit=10"):
        status, body = go("GET", f"/files?{listing}")
        assert (status, json.loads(body)) == (200, {"names": [name]})
    assert json.loads(go("DELETE", "/files", json.dumps({"names": [name]}).encode())[1]) == {"deleted": [name]}
