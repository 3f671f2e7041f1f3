"""A data folder that was put back from a copy: its log is another one than the target has."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from storage.backups.taking import archiving
from storage.models import BackupPlan
from tests.storage.backups.targets import LINE, day, segment, target

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def row() -> Iterator[BackupPlan]:
    """The plan's row, which is as it was again afterwards."""
    made = BackupPlan.objects.get_or_create(id=1)[0]
    before = BackupPlan.objects.get(id=1)
    made.line, made.kept_until, made.gap_at = LINE, day(1), None
    yield made
    before.save()


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    archiving._known_lines.clear()
    yield
    archiving._known_lines.clear()


@pytest.mark.parametrize(
    "beat_at, is_put_back",
    [(day(2), False), (day(3), False), (day(1), True), (None, True)],
    ids=["as it is there", "killed before it was noted", "put back", "put back to before the first"],
)
def test_another_line_begins_where_the_target_knows_of_more_than_the_database(
    row: BackupPlan, tmp_path: Path, beat_at: datetime | None, is_put_back: bool
) -> None:
    row.beat_at = beat_at
    row.save()
    others = segment(9, day(9), line="b" * 32)
    archiving._begin_anew_if_put_back(target(tmp_path, log=[segment(1, day(1)), segment(2, day(2)), others]), row)
    now = BackupPlan.objects.get(id=1)
    assert (row.line, row.gap_at) == (now.line, now.gap_at)
    assert (now.line != LINE, now.gap_at is not None, now.kept_until is None) == (is_put_back,) * 3


def test_it_goes_by_what_the_database_says_and_asks_a_target_once(row: BackupPlan, tmp_path: Path) -> None:
    row.beat_at = day(3)
    row.save()
    # Another process has brought log since this one read the row.
    row.beat_at = day(1)
    place = target(tmp_path, log=[segment(1, day(2))])
    archiving._begin_anew_if_put_back(place, row)
    assert row.line == LINE
    place.put(segment(2, day(9)).path, [b"log"])
    archiving._begin_anew_if_put_back(place, row)
    assert row.line == LINE
