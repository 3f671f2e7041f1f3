"""A signed-in person at a Drive of the real server, with the requests that the page's scripts make."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from django.contrib.auth.models import User

from storage.drive import drives
from tests.drives import encoded
from tests.people import Cast, make_cast, make_session
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS


class Visitor:
    """Requests below one Drive; every method returns the response, whatever its status."""

    def __init__(self, server: Server, cast: Cast, person: User, drive: str = "files") -> None:
        self.http = httpx.Client(base_url=server.url, trust_env=False, timeout=MOMENT_SECONDS)
        self.http.cookies.set("sessionid", make_session(person))
        self.path = f"/collections/{cast.collection.id}/drive/{drive}/"
        # Any page sets the token's cookie; the scripts send it back in a header.
        self.http.get(f"/collections/{cast.collection.id}/connect/")
        self.token = self.http.cookies.get("csrftoken") or ""

    def get(self, path: str = "", **options: Any) -> httpx.Response:
        return self.http.get(self.path + path, **options)

    def file(self, name: str, *, inline: bool = False, **options: Any) -> httpx.Response:
        return self.get(f"file/?name={encoded(name)}{'&inline=1' if inline else ''}", **options)

    def preview(self, name: str) -> httpx.Response:
        return self.get(f"preview/?name={encoded(name)}")

    def put(self, name: str, content: bytes, *, content_type: str = "", if_exists: str = "fail") -> httpx.Response:
        headers = {"Content-Type": content_type} if content_type else {}
        return self.send("PUT", f"file/?name={encoded(name)}&if_exists={if_exists}", content, **headers)

    def ask(self, path: str, /, **asked: Any) -> httpx.Response:
        """A POST with JSON, as the scripts ask."""
        return self.send("POST", path, json.dumps(asked).encode(), **{"Content-Type": "application/json"})

    def send(self, method: str, path: str, content: bytes = b"", **headers: str) -> httpx.Response:
        sent = {"X-CSRFToken": self.token, "X-Requested-With": "drive", **headers}
        return self.http.request(method, self.path + path, content=content, headers=sent)


@contextmanager
def visiting(server: Server, *people: str) -> Iterator[list[Visitor]]:
    """Visitors to one new Drive, one for each kind of person named."""
    cast = make_cast()
    drives.ensure_drive(collection_id=cast.collection.id, name="files")
    visitors = [Visitor(server, cast, cast[person]) for person in people]
    try:
        yield visitors
    finally:
        for visitor in visitors:
            visitor.http.close()
