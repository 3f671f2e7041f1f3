"""The host that these tests' operations ask, and where it has its files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.embedded.micros.places import Places
from tests.micros import ToldHost, hosted_by


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Folders of a test's own."""
    made = Places(tmp_path / "micros")
    made.make()
    return made


@pytest.fixture
def host(database: None, places: Places) -> Iterator[ToldHost]:
    """One on which nothing runs."""
    told = ToldHost()
    with hosted_by(told, places):
        yield told
