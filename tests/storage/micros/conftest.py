"""The host that these tests' operations ask."""

from collections.abc import Iterator

import pytest

from tests.micros import ToldHost, hosted_by


@pytest.fixture
def host(database: None) -> Iterator[ToldHost]:
    """One on which nothing runs."""
    told = ToldHost()
    with hosted_by(told):
        yield told
