"""Transactions that wait for each other in a circle: none of that reaches a client (promises: "Faults to inject")."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection as django_connection

from tests.drives import DriveClient
from tests.factories import BaseClient
from tests.waiting import MOMENT_SECONDS, eventually

_LOCK_ITEM = """SELECT 1 FROM storage_item WHERE key = %s AND base_id IN
    (SELECT id FROM storage_base WHERE collection_id = %s) FOR UPDATE"""
_COPY_ITEM = """INSERT INTO storage_item (base_id, key, value, size_bytes, revision, changed_at)
    SELECT base_id, %s, value, size_bytes, revision, changed_at FROM storage_item WHERE key = %s AND base_id IN
    (SELECT id FROM storage_base WHERE collection_id = %s)"""
_LOCK_FILE = """SELECT 1 FROM storage_file WHERE name = %s AND drive_id IN
    (SELECT id FROM storage_drive WHERE collection_id = %s) FOR UPDATE"""

Connection = psycopg.Connection[Any]


@contextmanager
def somebody() -> Iterator[Connection]:
    """Somebody else's transaction."""
    with psycopg.connect(**django_connection.get_connection_params()) as connection:
        yield connection


def wait_until_held_up(by: Connection) -> None:
    """Until a statement waits for what this transaction holds."""
    _wait_until("%s = ANY (pg_blocking_pids(pid))", by)


def wait_until_it_has_looked(waiting: Connection) -> None:
    """Until this transaction has waited for so long that it has looked for a circle, which each does once."""
    _wait_until(
        "pid = %s AND waitstart < clock_timestamp() - 1.2 * current_setting('deadlock_timeout')::interval", waiting
    )


def _wait_until(condition: str, connection: Connection) -> None:
    with psycopg.connect(**django_connection.get_connection_params(), autocommit=True) as looking:
        asked = f"SELECT 1 FROM pg_locks WHERE NOT granted AND {condition}"
        pid = connection.info.backend_pid
        eventually(lambda: looking.execute(asked, [pid]).fetchall(), what=condition)


def test_delete_waits_for_no_file_that_came_under_one_of_its_names_meanwhile(drive: DriveClient) -> None:
    drive.put("f1", b"x")
    with somebody() as other, somebody() as third, ThreadPoolExecutor(1) as threads:
        other.execute(_LOCK_FILE, ["f1", drive.caller.collection_id])
        deleted = threads.submit(drive.delete, "f0", "f1")
        wait_until_held_up(other)
        drive.put("f0", b"later")
        # Who holds this one may be waiting for those that the delete holds.
        third.execute(_LOCK_FILE, ["f0", drive.caller.collection_id])
        other.rollback()
        assert deleted.result(MOMENT_SECONDS).status_code == 200
        third.rollback()
    assert drive.names() == ["f0"]


def test_put_that_is_taken_back_to_end_a_circle_is_done_again(client: BaseClient) -> None:
    of = client.collection_id
    client.put({"key": "b"}, {"key": "c"})
    with somebody() as other, somebody() as third, ThreadPoolExecutor(2) as threads:
        third.execute(_LOCK_ITEM, ["b", of])
        other.execute(_LOCK_ITEM, ["c", of])
        put = threads.submit(client.put, *({"key": key, "n": 1} for key in "abc"))
        wait_until_held_up(third)
        copied = threads.submit(other.execute, _COPY_ITEM, ["a", "c", of])
        wait_until_it_has_looked(other)
        third.rollback()
        copied.result(MOMENT_SECONDS)
        other.commit()
        assert put.result(MOMENT_SECONDS).status_code == 207
    assert [client.stored(key)["n"] for key in "abc"] == [1, 1, 1]
