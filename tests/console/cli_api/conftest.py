"""What the `deta` command calls, asked through Django's test client with an access token."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.test.client import ClientHandler

from storage.access_tokens import tokens

Terminal = Callable[[User | None], Client]


@pytest.fixture
def terminal(undone: None, handler: ClientHandler) -> Terminal:
    """A client with a token of the person's, or without one for None."""

    def open_terminal(person: User | None) -> Client:
        text = tokens.create_token(person=person, name="laptop").text if person else ""
        client = Client(headers={"Authorization": f"Bearer {text}"} if text else {})
        client.handler = handler
        return client

    return open_terminal
