"""A collection is deleted while something of it is just being noted, and the other way round: neither fails."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from storage.collections import collections, deletion, keys
from storage.collections.sql import key_uses as key_uses_sql
from storage.collections.sql import usage as usage_sql
from storage.micros import schedules
from storage.models import Base, Collection, DataKey, Drive, Micro
from storage.postgres.database import run
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("database")


def note_a_use(collection: Collection) -> None:
    digest = bytes(DataKey.objects.get(collection=collection).digest)
    run(key_uses_sql.note_uses([(digest, 0.0, "a client")]))


def count_bases(collection: Collection) -> None:
    run(usage_sql.count_items())


def count_drives(collection: Collection) -> None:
    run(usage_sql.count_files())


def set_a_schedule(collection: Collection) -> None:
    micro = Micro.objects.get(collection=collection)
    schedules.set_schedule(collection_id=collection.id, micro_id=micro.id, expression="5 minutes")


@pytest.fixture
def collection() -> Collection:
    made = collections.create_collection("Made by a test")
    keys.create_key(collection_id=made.id, name="a")
    Base.objects.create(collection=made, name="things")
    Drive.objects.create(collection=made, name="files")
    Micro.objects.create(id=f"m{made.id}1", collection=made, name="m", subdomain=f"late-{made.id}", runtime="")
    return made


def delete(collection: Collection) -> None:
    deletion.delete_collection(collection_id=collection.id, typed_name=collection.name, asked_by=None)


def begin(pool: ThreadPoolExecutor, do: Callable[[Collection], None], collection: Collection) -> "Future[None]":
    """In another thread, until it is done or waits for this one."""

    def work() -> None:
        try:
            do(collection)
        finally:
            connection.close()

    begun = pool.submit(work)
    eventually(lambda: begun.done() or _somebody_waits())
    return begun


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid() = ANY(pg_blocking_pids(pid)) FROM pg_locks WHERE NOT granted")
        return any(is_blocked for (is_blocked,) in cursor.fetchall())


@pytest.mark.parametrize("note", [note_a_use, count_bases, count_drives, set_a_schedule])
def test_what_is_noted_goes_with_its_collection(note: Callable[[Collection], None], collection: Collection) -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            note(collection)
            deleted = begin(pool, delete, collection)
        deleted.result()
    assert not Collection.objects.filter(id=collection.id).exists()


@pytest.mark.parametrize("note", [note_a_use, count_bases, count_drives])
def test_of_what_is_being_deleted_nothing_is_noted(note: Callable[[Collection], None], collection: Collection) -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            delete(collection)
            noted = begin(pool, note, collection)
        noted.result()
