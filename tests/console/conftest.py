"""Pages are asked through Django's test client, in a transaction that is undone; what needs the real server asks that."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.test.client import ClientHandler

from console.cookies import PREFIX
from tests.html import squeezed
from tests.people import HASH_ROUNDS, Cast, make_cast

Browser = Callable[[User | None], Client]


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are tried many times here, and a million rounds for each would be most of what these tests do."""
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", HASH_ROUNDS)


@pytest.fixture
def undone(database: None) -> Iterator[None]:
    """What the test does to the database is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def people(undone: None) -> Cast:
    """A collection with somebody in every role."""
    return make_cast()


@pytest.fixture(scope="session")
def handler() -> ClientHandler:
    """What answers the test client. A new one for each would look through all static files again."""
    return ClientHandler(enforce_csrf_checks=False)


class _Browser(Client):
    """A page's white space is squeezed, so that no test depends on how its template is laid out."""

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        if not response.streaming and response.get("Content-Type", "").startswith("text/html"):
            response.content = squeezed(response.content.decode()).encode()
        return response


@pytest.fixture
def browser(undone: None, handler: ClientHandler) -> Browser:
    """A browser in which the person has signed in, or nobody for None."""

    def open_browser(person: User | None) -> Client:
        client = _Browser()
        client.handler = handler
        if person is not None:
            client.force_login(person)
            # Over https it is asked for by another name (console/cookies.py).
            client.cookies[f"{PREFIX}sessionid"] = client.cookies["sessionid"].value
        return client

    return open_browser
