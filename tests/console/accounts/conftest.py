"""Passwords are tried many times here, and a million rounds for each would be most of what these tests do."""

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from tests.people import HASH_ROUNDS


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", HASH_ROUNDS)
