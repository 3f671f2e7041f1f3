"""Builders of what tests start from: a collection of their own, a data key, and a client that speaks for it."""

import http.client
import io
import json
import socket
import threading
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import httpx

from storage.collections import collections, keys
from tests.waiting import MOMENT_SECONDS

_UNSET = object()


class Server(Protocol):
    """What these builders need to know of the fixture `server`."""

    url: str


@dataclass(frozen=True)
class BaseClient:
    """One Base over HTTP with one data key; every method returns the response, whatever its status."""

    server: Server
    collection_id: str
    name: str
    key_id: int
    key_text: str
    source_address: str | None = None

    @property
    def path(self) -> str:
        return f"/v1/{self.collection_id}/{self.name}"

    def send(self, method: str, path: str, value: Any = _UNSET, **options: Any) -> httpx.Response:
        """A request to `path` below this Base; `value` goes as JSON, `content` and `headers` as they are."""
        headers = {"X-API-Key": self.key_text} | options.pop("headers", {})
        if value is not _UNSET:
            options["content"] = exact_dump(value)
        http = shared_http(self.source_address)
        return http.request(method, self.server.url + self.path + path, headers=headers, **options)

    def put(self, *items: Any) -> httpx.Response:
        return self.send("PUT", "/items", {"items": list(items)})

    def insert(self, item: Any) -> httpx.Response:
        return self.send("POST", "/items", {"item": item})

    def get(self, key: str, **options: Any) -> httpx.Response:
        return self.send("GET", item_path(key), **options)

    def delete(self, key: str) -> httpx.Response:
        return self.send("DELETE", item_path(key))

    def update(self, key: str, patch: Any) -> httpx.Response:
        return self.send("PATCH", item_path(key), patch)

    def query(self, query: Any = _UNSET, **options: Any) -> httpx.Response:
        return self.send("POST", "/query", ({} if query is _UNSET else {"query": query}) | options)

    def all_keys(self) -> list[str]:
        """The keys of all items, in the order the server lists them."""
        return [item["key"] for item in exact_json(self.query())["items"]]

    def stored(self, key: str) -> Any:
        """The item as it stands, or None when there is none."""
        response = self.get(key)
        assert response.status_code in (200, 404), response.text
        return exact_json(response) if response.status_code == 200 else None


def make_client(
    server: Server,
    base: str = "things",
    *,
    collection_id: str | None = None,
    source_address: str | None = None,
    **rights: Any,
) -> BaseClient:
    """A client with a new data key, in a new collection unless told which. `rights` are those of `create_key`."""
    if collection_id is None:
        collection_id = collections.create_collection("Made by a test").id
    data_key, text = keys.create_key(collection_id=collection_id, name="Made by a test", **rights)
    return BaseClient(server, collection_id, base, data_key.id, text, source_address)


_pools: dict[str | None, httpx.Client] = {}
_pools_lock = threading.Lock()


def shared_http(source_address: str | None = None) -> httpx.Client:
    """One pool of connections for all tests; `source_address` is the loopback address to call from."""
    with _pools_lock:
        if source_address not in _pools:
            transport = httpx.HTTPTransport(
                local_address=source_address, limits=httpx.Limits(max_connections=64, max_keepalive_connections=64)
            )
            _pools[source_address] = httpx.Client(transport=transport, timeout=MOMENT_SECONDS, trust_env=False)
        return _pools[source_address]


def close_connections() -> None:
    """Close every pool of connections, at the end of a run."""
    while _pools:
        _pools.popitem()[1].close()


def item_path(key: str) -> str:
    return "/items/" + quote(key, safe="")


def exact_json(response: httpx.Response) -> Any:
    """The body as JSON with every digit of its numbers; it must say that it is JSON."""
    assert response.headers["Content-Type"] == "application/json", response.text
    return json.loads(response.text, parse_float=Decimal)


def exact_dump(value: Any) -> bytes:
    """Compact JSON in which a Decimal is written with its own digits."""
    return _write(value).encode()


def _write(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{_write(v)}" for name, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def item_of_size(size_bytes: int, key: str = "big") -> dict[str, str]:
    """An item whose compact JSON has exactly this many bytes."""
    frame = len(exact_dump({"key": key, "text": ""}))
    return {"key": key, "text": "x" * (size_bytes - frame)}


def nested_item(levels: int, key: str = "deep") -> bytes:
    """The JSON of an item nested that many levels deep; the item itself is the first."""
    return b'{"key":"%s","a":' % key.encode() + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@dataclass(frozen=True)
class RawAnswer:
    """A response read from a socket."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _Unclosed(io.BufferedIOBase):
    """A reader that the end of one response leaves open for the next."""

    def __init__(self, reader: Any) -> None:
        for name in ("read", "read1", "readinto", "readline"):
            setattr(self, name, getattr(reader, name))


class RawConnection:
    """A socket to the server, for requests that no HTTP library would send."""

    def __init__(self, server: Server, source_address: str | None = None) -> None:
        address = urlsplit(server.url)
        source = (source_address, 0) if source_address else None
        self.socket = socket.create_connection((address.hostname, address.port), MOMENT_SECONDS, source)
        # One reader for all answers: what it has taken from the socket may belong to the next one already.
        self._reader = self.socket.makefile("rb")

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._reader.close()
        self.socket.close()

    def makefile(self, _mode: str) -> "_Unclosed":
        """What `HTTPResponse` asks a socket for."""
        return _Unclosed(self._reader)

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def end_sending(self) -> None:
        """Close our half, as a client does that is cut off in the middle of a body."""
        self.socket.shutdown(socket.SHUT_WR)

    def wait_for_answer(self) -> None:
        """Until the first bytes of an answer are here, which stay to be read."""
        assert self.socket.recv(1, socket.MSG_PEEK), "the server hung up"

    def answer(self, method: str = "GET") -> RawAnswer | None:
        """The next response, or None when the server hangs up without one."""
        response = http.client.HTTPResponse(self, method=method)  # type: ignore[arg-type]
        try:
            response.begin()
            return RawAnswer(response.status, response.headers, response.read())
        except (http.client.HTTPException, ConnectionError):
            return None
        finally:
            response.close()

    def is_closed_by_server(self) -> bool:
        try:
            return self._reader.read(1) == b""
        except ConnectionError:
            return True


def raw_head(client: BaseClient, method: str, path: str, *headers: str) -> bytes:
    """Request line and headers, with the client's data key, ended by the empty line."""
    lines = [f"{method} {client.path}{path} HTTP/1.1", "Host: localhost", f"X-API-Key: {client.key_text}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
