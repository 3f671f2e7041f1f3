"""What there is to be asked for: a collection with everything in it, a person who may do all, a data key, and every route."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.test import Client
from django.test.client import ClientHandler
from django.urls import resolve

from storage.access_tokens import tokens
from storage.collections import keys
from storage.events import recording
from tests.console.test_routes import OPEN, POST_ONLY, PUT_ONLY, ROUTES, url_of
from tests.fuzz.asked import Fields, fields_of
from tests.fuzz.sending import Line, Request
from tests.people import make_cast, make_session

# An address of a page is made anew after so many requests: what it names may have been deleted by one of them.
_LASTS_REQUESTS = 25

# Method, path below the collection, and the fields of the query and the body.
_API = (
    ("PUT", "things/items", (), ("items",)),
    ("POST", "things/items", (), ("item",)),
    ("GET", "things/items/a", (), ()),
    ("DELETE", "things/items/a", (), ()),
    ("PATCH", "things/items/a", (), ("set", "increment", "append", "prepend", "delete")),
    ("POST", "things/query", (), ("query", "limit", "last", "sort")),
    ("POST", "files/files", ("name",), ()),
    ("GET", "files/files", ("limit", "prefix", "last", "recursive"), ()),
    ("DELETE", "files/files", (), ("names",)),
    ("GET", "files/files/download", ("name",), ()),
    ("POST", "files/uploads", ("name",), ()),
    ("PATCH", "files/uploads/x", ("name",), ()),
    ("DELETE", "files/uploads/x", ("name",), ()),
    ("POST", "files/uploads/x/parts", ("name", "part"), ()),
)

# What the `deta` command calls, below `/cli/`.
_CLI = (
    ("GET", "", (), ()),
    ("POST", "sign-ins", (), ("challenge", "device")),
    ("POST", "sign-ins/00000000-0000-4000-8000-000000000000/token", (), ("verifier",)),
    ("GET", "collections", (), ()),
    ("POST", "collections/{}/bases/things/imports", (), ("file_name", "size", "key", "types")),
    ("GET", "collections/{}/page", ("base", "drive", "micro", "visor"), ()),
)


@dataclass
class Target:
    """A route with its parameters. `path` is where it is now; `values` are those of the parameters in it."""

    name: str
    method: str
    path: str
    values: list[str]
    fields: Fields
    is_api: bool
    is_cli: bool = False
    asked: int = field(default=0)


class World:
    """It is made once and repaired as it is worn down."""

    def __init__(self, url: str) -> None:
        self.line = Line(url)
        self.asked = 0
        self.cast = make_cast("Made to be attacked")
        self.key = keys.create_key(collection_id=self.cast.collection.id, name="x").text
        recording.start_recording(self.cast.collection.id)
        self._token = secrets.token_hex(16)
        self.renew_session()
        # A new one for each page would look through all static files again.
        self._handler = ClientHandler(enforce_csrf_checks=False)
        self.pages = [self._page(name) for name in sorted(ROUTES)]
        self.api = [
            Target(f"{method} {path}", method, f"/v1/{self.cast.collection.id}/{path}", path.split("/"), fields, True)
            for method, path, query, members in _API
            for fields in [Fields(set(query), set(), set(members))]
        ]
        self.token = tokens.create_token(person=self.cast.server_owner, name="x").text
        self.cli = [
            Target(f"{method} /cli/{path}", method, f"/cli/{path}", path.split("/"), fields, True, is_cli=True)
            for method, shape, query, members in _CLI
            for path, fields in [(shape.format(self.cast.collection.id), Fields(set(query), set(), set(members)))]
        ]
        self._fill()

    @property
    def targets(self) -> list[Target]:
        return self.pages + self.api + self.cli

    def renew_session(self) -> None:
        self._session = make_session(self.cast.server_owner)

    def headers_for(self, target: Target) -> list[tuple[str, bytes]]:
        """What a request needs to be let in."""
        host = ("Host", self.line.host.encode())
        if target.is_cli:
            return [host, ("Authorization", f"Bearer {self.token}".encode())]
        if target.is_api:
            return [host, ("X-API-Key", self.key.encode())]
        # Who is signed in already is not asked for a password or an invitation.
        session = "" if target.name in OPEN else f"sessionid={self._session}; "
        cookies = f"{session}csrftoken={self._token}"
        return [host, ("Cookie", cookies.encode()), ("X-CSRFToken", self._token.encode())]

    def keep_fresh(self, target: Target) -> None:
        """Count a request to a target, and give it a new address from time to time."""
        self.asked += 1
        target.asked += 1
        if not target.is_api and target.values and target.asked % _LASTS_REQUESTS == 0:
            target.path, target.values = self._address(target.name)

    def _page(self, name: str) -> Target:
        path, values = self._address(name)
        method = "PUT" if name in PUT_ONLY else "POST" if name in POST_ONLY else "GET"
        client = Client(raise_request_exception=False, headers={"Host": "localhost"})
        client.handler = self._handler
        with transaction.atomic():
            if name not in OPEN:
                client.force_login(self.cast.server_owner)
            fields = fields_of(client, url_of(name, self.cast))
            transaction.set_rollback(True)
        return Target(name, method, path, values, fields, is_api=False)

    def _address(self, name: str) -> tuple[str, list[str]]:
        path = url_of(name, self.cast).partition("?")[0]
        return path, [str(value) for value in resolve(path).kwargs.values()]

    def _fill(self) -> None:
        """Items of all kinds, and a file."""
        items: list[Any] = [{"key": "a", "n": 1, "text": "x", "list": [1], "object": {"a": None}}, {"key": "b"}]
        for method, path, body in (
            ("PUT", "things/items", json.dumps({"items": items}).encode()),
            ("POST", "files/files?name=a.txt", b"x"),
        ):
            target = f"/v1/{self.cast.collection.id}/{path}".encode()
            answer = self.line.ask(Request(method, target, self.headers_for(self.api[0]), body))
            assert answer.status in (201, 207), answer
