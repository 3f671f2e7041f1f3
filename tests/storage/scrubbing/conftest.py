"""A Drive whose bytes are damaged, and the scrubber with a clock that is set by hand."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from storage.models import Blob, DamagedBlob, ScrubRound
from tests.storage.drive.test_files import Place
from tests.storage.scrubbing.rounds import Rounds
from tests.sweeping import sweep_now


@pytest.fixture
def place(database: None) -> Iterator[Place]:
    made = Place()
    yield made
    if names := made.names():
        made.delete(*names)
    sweep_now()
    DamagedBlob.objects.all().delete()


@pytest.fixture
def rounds(database: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Callable[[list[int]], Rounds]]:
    yield lambda sizes: Rounds(monkeypatch, settings, sizes)
    Blob.objects.filter(id__lte=UUID(int=1_000)).delete()
    ScrubRound.objects.all().delete()
