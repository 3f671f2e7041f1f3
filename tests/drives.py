"""What tests of Drives start from: a client that speaks for one Drive, bytes to store, and what the bucket holds."""

import hashlib
import random
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import httpx

from storage import limits
from tests.factories import BaseClient, make_client

PART = limits.PART_MIN_BYTES
MOST = limits.FILE_BODY_MAX_BYTES


class DriveClient:
    """One Drive over HTTP with one data key; every method returns the response, whatever its status."""

    def __init__(self, caller: BaseClient) -> None:
        self.caller = caller
        self.server = caller.server
        self.collection_id = caller.collection_id
        self.name = caller.name
        self.send = caller.send

    def put(self, name: str, content: bytes = b"", **options: Any) -> httpx.Response:
        return self.send("POST", f"/files?name={encoded(name)}", content=content, **options)

    def get(self, name: str, **options: Any) -> httpx.Response:
        return self.send("GET", f"/files/download?name={encoded(name)}", **options)

    def list(self, **options: Any) -> httpx.Response:
        query = "&".join(f"{name}={encoded(str(value))}" for name, value in options.items())
        return self.send("GET", f"/files?{query}")

    def delete(self, *names: Any) -> httpx.Response:
        return self.send("DELETE", "/files", {"names": list(names)})

    def start(self, name: str, **options: Any) -> httpx.Response:
        return self.send("POST", f"/uploads?name={encoded(name)}", **options)

    def part(self, upload_id: str, name: str, part: object, content: bytes, **options: Any) -> httpx.Response:
        path = f"/uploads/{upload_id}/parts?name={encoded(name)}&part={encoded(str(part))}"
        return self.send("POST", path, content=content, **options)

    def end(self, upload_id: str, name: str) -> httpx.Response:
        return self.send("PATCH", f"/uploads/{upload_id}?name={encoded(name)}")

    def abort(self, upload_id: str, name: str) -> httpx.Response:
        return self.send("DELETE", f"/uploads/{upload_id}?name={encoded(name)}")

    def begin(self, name: str, *parts: bytes) -> str:
        """The id of a new upload with these parts."""
        upload_id: str = self.start(name).json()["upload_id"]
        for number, content in enumerate(parts, start=1):
            assert self.part(upload_id, name, number, content).status_code == 200
        return upload_id

    def names(self, **options: Any) -> Any:
        """The names of all files, page after page."""
        found: list[str] = []
        while True:
            answer = self.list(**options).json()
            found += answer["names"]
            if "paging" not in answer:
                return found
            options["last"] = answer["paging"]["last"]

    def content(self, name: str) -> bytes | None:
        """The file's bytes, or None when there is none."""
        response = self.get(name)
        assert response.status_code in (200, 404), response.text
        return response.content if response.status_code == 200 else None


def make_drive(server: Any, drive: str = "files", **rights: Any) -> DriveClient:
    """A client with a new data key, in a new collection unless told which (see `make_client`)."""
    return DriveClient(make_client(server, drive, **rights))


def encoded(text: str) -> str:
    return quote(text, safe="")


@lru_cache(maxsize=8)
def noise(size_bytes: int, seed: int = 0) -> bytes:
    """Bytes without a pattern that are the same in every run."""
    return random.Random(seed).randbytes(size_bytes)


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
