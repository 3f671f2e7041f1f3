"""The one list of what is wrong: each fault is brought about, and is told."""

import shutil

from pytest_django import Settings

from storage import disk_space
from storage.errors import EngineUnreachable
from storage.findings import Finding
from storage.monitoring import problems

_MB = 1_048_576


def test_all_rooms_are_asked_and_the_bad_comes_first() -> None:
    near = Finding("near", "warn", "Soon.", "Wait.")
    bad = Finding("gone", "bad", "Gone.", "Bring it back.")
    assert problems.find_problems([lambda: [near], lambda: [bad], list]) == [bad, near]


def test_a_room_that_cannot_be_asked_hides_no_other() -> None:
    def unreachable() -> list[Finding]:
        raise EngineUnreachable("postgres")

    bad = Finding("gone", "bad", "Gone.", "Bring it back.")
    assert problems.find_problems([unreachable, lambda: [bad], unreachable]) == [bad, problems.UNCHECKED]


def test_a_full_disk_is_told_and_one_that_is_nearly_full(database: None, settings: Settings) -> None:
    settings.DATABASE_URL, settings.S3_IS_BUNDLED = "", False
    free_mb = shutil.disk_usage(settings.DATA).free // _MB
    keys = {}
    for reserve_mb in (1, free_mb * 3 // 4, free_mb * 2):
        settings.DISK_RESERVE_MB = reserve_mb
        keys[reserve_mb] = [(each.key, each.level) for each in disk_space.find_problems()]
    assert list(keys.values()) == [[], [("disk_short", "warn")], [("disk_full", "bad")]]
