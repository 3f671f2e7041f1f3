"""What Bases and Drives have in common: a client, an address, and the names that code for the original client knows them by."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Optional, TypeVar, Union
from urllib.parse import urlsplit

from deta.config import DataKey, Options, read_key, service_root
from deta.errors import ConnectionFailed
from deta.retries import Failure
from deta.transport import AsyncClient, SyncClient, SyncStream
from deta.wire import JSON_MIME, CustomJSONEncoder, Request, dump, error_of

__all__ = ["JSON_MIME", "CustomJSONEncoder"]

_SERVICE_DATA_TYPE = Union[str, bytes, dict[str, Any]]
_SERVICE_RESPONSE_TYPE = Optional[Any]

Client = TypeVar("Client", SyncClient, AsyncClient)
Made = TypeVar("Made", bound="_Connected[Any]")


class _Connected(Generic[Client]):
    """A Base or a Drive: its name, the client that carries out its calls, and its address."""

    # What its address is called in the environment: DETA_BASE_HOST.
    _kind: ClassVar[str] = "BASE"

    name: str
    client: Client
    _root: str
    _key: Optional[DataKey]

    @classmethod
    def with_client(cls: type[Made], name: str, client: Any, root: str) -> Made:
        """One that shares a client with others, at `https://host/v1/project/name`."""
        made = cls.__new__(cls)
        made._attach(name, client, root)
        return made

    def _attach(self, name: str, client: Client, root: str) -> None:
        self.name = name
        self.client = client
        self._root = root

    @property
    def project_key(self) -> str:
        """The data key. Do not log it."""
        return self.client.key_text

    @property
    def host(self) -> str:
        return urlsplit(self._root).netloc

    @property
    def base_path(self) -> str:
        return urlsplit(self._root).path

    @property
    def timeout(self) -> float:
        """Seconds for each wait on the network."""
        return self.client.options.timeout


class _Service(_Connected[SyncClient]):
    """A Base or a Drive for synchronous code, made from a key alone; `Deta` makes them with a client that they share.

    `keep_alive` has no say: connections are kept, and let go when they are not used.
    """

    keep_alive = True

    def __init__(
        self, project_key: str, project_id: str, host: Optional[str], name: str, timeout: float, keep_alive: bool = True
    ) -> None:
        key = read_key(project_key, project_id)
        root = service_root(self._kind, name, host=host, project_id=key.project_id)
        self._attach(name, SyncClient(key, Options(timeout)), root)

    def _request(
        self,
        path: str,
        method: str,
        data: Optional[_SERVICE_DATA_TYPE] = None,
        headers: Optional[Mapping[str, str]] = None,
        content_type: Optional[str] = None,
        stream: bool = False,
    ) -> tuple[int, _SERVICE_RESPONSE_TYPE]:
        """One request below this Base or Drive: its status, and JSON, bytes, or a stream of them. 404 comes with None.

        Raises a ResponseError for any other status that is not 2xx.
        """
        content = dump(data) if content_type == JSON_MIME else data or b""
        request = Request(
            method,
            path,
            f"{method} {path}",
            content.encode() if isinstance(content, str) else bytes(content),  # type: ignore[arg-type]
            {**(headers or {}), **({"Content-Type": content_type} if content_type else {})},
            is_repeatable=method not in ("POST", "PATCH"),
        )
        answer = self.client.open(self._root, request)
        status = answer.reply.status
        if status == 404:
            return status, None
        if not 200 <= status < 300:
            raise error_of(answer.reply)
        body = io.BufferedReader(_Answer(answer))
        if stream:
            return status, body
        with body:
            content = body.read()
        return status, json.loads(content) if JSON_MIME in answer.reply.headers.get("content-type", "") else content


class _Answer(io.RawIOBase):
    """An answer's body as a file."""

    def __init__(self, stream: SyncStream) -> None:
        self._stream = stream
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            came = self._stream.next()
            if isinstance(came, Failure):
                raise ConnectionFailed(f"The connection broke ({came.text})")
            self._rest = came or b""
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def close(self) -> None:
        self._stream.close()
        super().close()
