"""What there is to be asked for: a collection with everything in it, a person who may do all, a data key, and every route."""

import json
import re
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from django.db import transaction
from django.test import Client
from django.test.client import ClientHandler
from django.urls import resolve, reverse

from storage.access_tokens import tokens
from storage.collections import keys, sign_in_rules
from storage.drive import person_uploads
from storage.events import recording
from storage.models import AccessToken, DataKey, Import, MicroRun
from storage.postgres.caller import Access
from tests.console.test_routes import (
    OPEN,
    POST_ONLY,
    PUT_ONLY,
    ROUTES,
    make_deployment,
    make_drive,
    make_micro,
    start_sign_in,
    url_of,
)
from tests.fuzz.api_calls import API_CALLS
from tests.fuzz.asked import Fields, fields_of
from tests.fuzz.cli_calls import CLI_CALLS, Call
from tests.fuzz.sending import Answer, Line, Request
from tests.people import make_cast, make_session

GIVES_TOKEN_BACK = "DELETE /cli/token"
_NAMED = re.compile(r"\{(\w+)\}")
# An address of a page is made anew after so many requests: what it names may have been deleted by one of them.
_LASTS_REQUESTS = 25


@dataclass
class Target:
    """A route with its parameters. `path` is where it is now; `values` are those of the parameters in it."""

    name: str
    method: str
    path: str
    values: list[str]
    find_fields: Callable[[], Fields]
    is_api: bool
    is_cli: bool = False
    asked: int = field(default=0)

    @cached_property
    def fields(self) -> Fields:
        """Found out when they are first needed: that takes a page some twenty requests."""
        return self.find_fields()


class World:
    """What it knows of the routes is found out once; what there is, is repaired as it is worn down, or made anew."""

    def __init__(self, url: str) -> None:
        self.line = Line(url)
        self.answered: Counter[int] = Counter()
        self._token = secrets.token_hex(16)
        # A new one for each page would look through all static files again.
        self.handler = ClientHandler(enforce_csrf_checks=False)
        self._settle()
        self.pages = [self._page(name) for name in sorted(ROUTES)]
        self.api = [
            Target(
                name=f"{method} {path}",
                method=method,
                path="",
                values=path.split("/"),
                find_fields=partial(Fields, set(query), set(), set(members)),
                is_api=True,
            )
            for method, path, query, members in API_CALLS
        ]
        self.cli = [self._call(call) for call in CLI_CALLS]
        self._furnish()

    @property
    def asked(self) -> int:
        """How many requests were sent."""
        return self.answered.total()

    def renew(self) -> None:
        """Leave the collection, with whatever became of it, for a new one."""
        self._settle()
        for page in self.pages:
            page.path, page.values = self._address(page.name)
        self._furnish()

    def _settle(self) -> None:
        """A collection whose requests are recorded, people, a key and a session."""
        sign_in_rules.require_second_factor(is_required=False)
        self.cast = make_cast("Made to be attacked")
        self.key = keys.create_key(collection_id=self.cast.collection.id, name="x").text
        recording.start_recording(self.cast.collection.id)
        self.renew_session()

    def _furnish(self) -> None:
        """What the calls of the API and of the `deta` command name, and their addresses."""
        self.there = {name: str(value) for name, value in self._make_things().items()}
        for target, (_, path, *_) in zip(self.api, API_CALLS, strict=True):
            target.path = f"/v1/{self.cast.collection.id}/{path}"
        for target, call in zip(self.cli, CLI_CALLS, strict=True):
            target.path = f"/cli/{call.path.format(**self.there)}"
            target.values = [self.there[name] for name in _NAMED.findall(call.path)]
        self._fill()

    @property
    def targets(self) -> list[Target]:
        return self.pages + self.api + self.cli

    def renew_session(self) -> None:
        """Of the browser and of the terminal."""
        self._session = make_session(self.cast.server_owner)
        AccessToken.objects.filter(person=self.cast.server_owner).delete()
        self._access_token = tokens.create_token(person=self.cast.server_owner, name="x").text

    def headers_for(self, target: Target) -> list[tuple[str, bytes]]:
        """What a request needs to be let in."""
        host = ("Host", self.line.host.encode())
        if target.is_cli:
            return [host, ("Authorization", f"Bearer {self._access_token}".encode())]
        if target.is_api:
            return [host, ("X-API-Key", self.key.encode())]
        # Who is signed in already is not asked for a password or an invitation.
        session = "" if target.name in OPEN else f"sessionid={self._session}; "
        cookies = f"{session}csrftoken={self._token}"
        return [host, ("Cookie", cookies.encode()), ("X-CSRFToken", self._token.encode())]

    def keep_fresh(self, target: Target, answer: Answer) -> None:
        """Count an answer, and mend what the request may have worn down."""
        self.answered[answer.status] += 1
        target.asked += 1
        leads_to = answer.headers.get("location", "")
        if answer.status == 401 or "/sign-in/" in leads_to or target.name == GIVES_TOKEN_BACK:
            self.renew_session()
        if leads_to.startswith(reverse("second-factor-set-up")):
            sign_in_rules.require_second_factor(is_required=False)
        if target.asked % _LASTS_REQUESTS == 0:
            self._repair(target)

    def _repair(self, target: Target) -> None:
        if not DataKey.objects.filter(collection_id=self.cast.collection.id, name="x", revoked_at=None).exists():
            self.renew()
        elif not target.is_api and target.values:
            target.path, target.values = self._address(target.name)

    def _page(self, name: str) -> Target:
        path, values = self._address(name)
        method = "PUT" if name in PUT_ONLY else "POST" if name in POST_ONLY else "GET"
        return Target(name, method, path, values, partial(self._fields_of_page, name), is_api=False)

    def _fields_of_page(self, name: str) -> Fields:
        client = Client(raise_request_exception=False, headers={"Host": "localhost"})
        client.handler = self.handler
        with transaction.atomic():
            if name not in OPEN:
                client.force_login(self.cast.server_owner)
            fields = fields_of(client, url_of(name, self.cast))
            transaction.set_rollback(True)
        return fields

    def _make_things(self) -> dict[str, object]:
        """What the calls of the `deta` command name, each once: those that are deleted are found to be so."""
        mine = Access(self.cast.collection.id, person_id=self.cast.server_owner.pk)
        drive = make_drive(self.cast)
        upload = person_uploads.start_upload(
            access=mine, drive=drive, name="f", size_bytes=1, content_type=None, if_exists="replace", fingerprint=""
        )
        return {
            "collection_id": self.cast.collection.id,
            "micro_id": make_micro(self.cast).id,
            "deployment_id": make_deployment(self.cast).id,
            "run_id": MicroRun.objects.create(micro=make_micro(self.cast), kind="run", state="done").id,
            "sign_in_id": start_sign_in(),
            "key_id": keys.create_key(collection_id=self.cast.collection.id, name="y").data_key.id,
            "base": "things",
            "drive": drive,
            "upload_id": upload.id,
            "import_id": Import.objects.create(collection=self.cast.collection, state="uploading", size_expected=1).id,
            "number": 1,
        }

    def _call(self, call: Call) -> Target:
        find_fields = partial(Fields, set(call.query), set(), set(call.json))
        if call.path.endswith("/saves"):  # which is a page's as well, and is looked at as that
            find_fields = partial(self._fields_of_page, "base-save")
        return Target(f"{call.method} /cli/{call.path}", call.method, "", [], find_fields, is_api=True, is_cli=True)

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
