"""Data of a newer version is told from our own."""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from storage.postgres import newer_schema

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def recorder() -> Iterator[MigrationRecorder]:
    with transaction.atomic():
        yield MigrationRecorder(connection)
        transaction.set_rollback(True)


def test_our_own_data_is_not_newer() -> None:
    assert newer_schema.find_newer() is None


def test_migrations_with_higher_numbers_are_newer(recorder: MigrationRecorder) -> None:
    recorder.record_applied("storage", "0001_of_an_older_version")
    recorder.record_applied("auth", "9999_of_another_app")
    assert newer_schema.find_newer() is None
    recorder.record_applied("storage", "9999_later")
    recorder.record_applied("storage", "9998_sooner")
    assert newer_schema.find_newer() == "9998_sooner"
    assert "newer version of Homeport (the database has storage.9998_sooner" in newer_schema.say("storage.9998_sooner")
