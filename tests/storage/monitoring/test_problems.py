"""The one list of what is wrong: each fault is brought about, and is told."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import trustme
from django.conf import settings as current
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from storage import disk_space, jobs
from storage.archive import problems as archive
from storage.collections import collections
from storage.counting import counted
from storage.counting.memory import Memory
from storage.embedded.process import Child
from storage.errors import EngineUnreachable
from storage.events import problems as events
from storage.events.queue import EventQueue
from storage.findings import Finding
from storage.models import Export, SnapshotSchedule
from storage.monitoring import database as database_room
from storage.monitoring import installation, job_queue, problems, processes, sql
from storage.postgres.database import run_one
from tests.waiting import eventually

_MB = 1_048_576


@pytest.fixture
def undone(database: None) -> Iterator[None]:
    """What the test does to the database is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def keys(found: list[Finding]) -> list[tuple[str, str]]:
    for finding in found:
        assert finding.title.endswith(".")
        assert finding.what_to_do.endswith(".")
    return [(finding.key, finding.level) for finding in found]


def execute(text: str, *values: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def test_all_rooms_are_asked_and_the_bad_comes_first() -> None:
    near = Finding("near", "warn", "Soon.", "Wait.")
    bad = Finding("gone", "bad", "Gone.", "Bring it back.")
    assert problems.find_problems([lambda: [near], lambda: [bad], list]) == [bad, near]


def test_a_room_that_cannot_be_asked_hides_no_other() -> None:
    def unreachable() -> list[Finding]:
        raise EngineUnreachable("postgres")

    def defective() -> list[Finding]:
        raise KeyError("a defect")

    bad = Finding("gone", "bad", "Gone.", "Bring it back.")
    for ill in (unreachable, defective):
        assert problems.find_problems([ill, lambda: [bad], ill]) == [bad, problems.UNCHECKED]


def test_a_full_disk_is_told_and_one_that_is_nearly_full(database: None, settings: Settings) -> None:
    settings.DATABASE_URL, settings.S3_IS_BUNDLED = "", False
    free_mb = shutil.disk_usage(settings.DATA).free // _MB
    found = []
    for reserve_mb in (1, free_mb * 3 // 4, free_mb * 2):
        settings.DISK_RESERVE_MB = reserve_mb
        found.append(keys(disk_space.find_problems()))
    assert found == [[], [("disk_short", "warn")], [("disk_full", "bad")]]


def test_a_short_secret_key_is_told_and_what_must_not_be_on(settings: Settings) -> None:
    settings.DEBUG = False
    for key, is_weak in (("x" * 60, True), ("0123456789abcdef", True), ("0123456789abcdef" * 2, False)):
        settings.SECRET_KEY = key
        assert (("secret_key_weak", "bad") in keys(installation.find_problems())) == is_weak, key
        assert key not in str(installation.find_problems())
    settings.DEBUG = True
    assert ("debug_on", "warn") in keys(installation.find_problems())


def test_a_certificate_that_ends_is_told(settings: Settings, tmp_path: object) -> None:
    settings.DATA, settings.SECRET_KEY, settings.DEBUG = tmp_path, "0123456789abcdef" * 3, False
    folder = settings.DATA / "tls"
    folder.mkdir()
    authority = trustme.CA()
    (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())
    for days, expected in ((400, []), (10, [("certificate_ends", "warn")]), (-1, [("certificate_ends", "bad")])):
        leaf = authority.issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days=days))
        (folder / "server.pem").write_bytes(leaf.cert_chain_pems[0].bytes())
        assert keys(installation.find_problems()) == expected


def test_a_process_that_ends_again_and_again_is_told_and_one_that_is_down(tmp_path: object) -> None:
    child = Child(name="A thing that ends", command=["false"], environment={}, folder=current.BASE_DIR)
    child.start()
    assert child.process is not None

    def found() -> set[tuple[str, str]]:
        child.tick()
        return {(each.key, each.level) for each in processes.find_problems() if each.title.startswith(child.name)}

    try:
        child.process.wait()
        assert ("process_down", "bad") in eventually(lambda: found() and found())
        assert eventually(lambda: ("process_restarts", "warn") in found())
    finally:
        child.stop()


def test_a_transaction_that_stays_open_is_told(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {**connection.get_connection_params()}
    monkeypatch.setattr(database_room, "_HELD_SECONDS", 0.05)
    with psycopg.connect(
        **{name: parameters[name] for name in ("host", "port", "user", "password", "dbname")}
    ) as other:
        other.execute("SELECT pg_current_xact_id()")
        assert eventually(lambda: ("feed_held", "warn") in keys(database_room.find_problems()))
        other.rollback()


def test_a_database_is_judged_by_its_clock_its_disk_and_whether_it_writes(database: None) -> None:
    good = run_one(sql.read_database())
    assert database_room.judge(good._replace(held_seconds=0), ours=good.now) == []
    good = good._replace(held_seconds=0)
    for about, expected in (
        (good._replace(is_read_only=True), ("postgres_read_only", "bad")),
        (good._replace(is_sure=False), ("postgres_unsafe", "bad")),
        (good._replace(now=good.now + 60), ("clock_apart", "warn")),
        (good._replace(now=good.now - 60), ("clock_apart", "warn")),
    ):
        assert keys(database_room.judge(about, ours=good.now)) == [expected]
    assert "60 seconds behind" in database_room.judge(good, ours=good.now + 60)[0].title


def test_jobs_that_nobody_runs_are_told(undone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ("no_job_worker", "bad") not in keys(job_queue.find_problems())
    execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '5 minutes'")
    execute(
        "UPDATE procrastinate_periodic_defers SET defer_timestamp = defer_timestamp - 3600 WHERE task_name = %s",
        "sweep_files",
    )
    found = job_queue.find_problems()
    assert keys(found)[:2] == [("no_job_worker", "bad"), ("jobs_late", "bad")]
    assert "sweep_files" in found[1].title
    # Just after a start, no worker has given its first sign of life.
    counted.Gauge("homeport_process_start_time_seconds").set("The job worker", to=time.time())
    assert ("no_job_worker", "bad") not in keys(job_queue.find_problems())
    counted.Gauge("homeport_process_start_time_seconds").set("The job worker", to=0)


def test_jobs_are_late_by_their_own_times() -> None:
    now = datetime(2026, 1, 5, 12, 0, tzinfo=UTC).timestamp()
    nightly, minutely = sql.LastStart("remove_spent_sessions", 0), sql.LastStart("sweep_files", 0)
    last_night = datetime(2026, 1, 5, 4, 17, tzinfo=UTC).timestamp()
    assert job_queue.list_late([nightly._replace(at=int(last_night))], now=now) == []
    assert job_queue.list_late([nightly._replace(at=int(last_night) - 86_400)], now=now) == ["remove_spent_sessions"]
    assert job_queue.list_late([minutely._replace(at=int(now) - 500)], now=now) == []
    assert job_queue.list_late([minutely._replace(at=int(now) - 700)], now=now) == ["sweep_files"]
    assert jobs.TIMES["tend_attribute_indexes"] == "* * * * * */15"


def test_jobs_that_wait_for_long_or_fail_are_told(undone: None) -> None:
    insert = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('q', 'left_behind', %s) RETURNING id"
    )
    note = "INSERT INTO procrastinate_events (job_id, type, at) VALUES (%s, %s, now() - interval '40 minutes')"
    with connection.cursor() as cursor:
        for state, kind in (("todo", "deferred"), ("failed", "failed")):
            cursor.execute(insert, [state])
            (job_id,) = cursor.fetchone()
            # What the queue has noted by itself is newer.
            cursor.execute("DELETE FROM procrastinate_events WHERE job_id = %s", [job_id])
            cursor.execute(note, [job_id, kind])
    found = {finding.key: finding for finding in job_queue.find_problems()}
    assert "40 minutes: left_behind" in found["jobs_waiting"].title
    assert "the last one was left_behind" in found["jobs_failed"].title


def test_snapshots_that_fail_differ_or_are_late_are_told(undone: None) -> None:
    before = keys(archive.find_problems())
    held = [collections.create_collection(name) for name in ("failed", "differs", "mended", "late", "by hand")]
    now = timezone.now()

    def make(place: int, minutes: int, state: str, check: str = "", *, is_snapshot: bool = True) -> None:
        Export.objects.create(
            collection=held[place],
            state=state,
            check_state=check,
            is_snapshot=is_snapshot,
            finished_at=now - timedelta(minutes=minutes),
        )

    make(2, 10, "failed")
    make(2, 5, "done", "good")
    assert keys(archive.find_problems()) == before
    make(0, 5, "failed")
    make(1, 5, "done", "bad")
    SnapshotSchedule.objects.create(collection=held[3], every="day", keep=1, next_at=now - timedelta(hours=2))
    make(4, 5, "failed", is_snapshot=False)
    found = {finding.key: finding for finding in archive.find_problems()}
    assert set(found) == {"snapshots_failed", "snapshots_late", "exports_failed"}
    assert "2 collections" in found["snapshots_failed"].title
    assert keys(list(found.values()))


def test_requests_that_are_not_recorded_are_told(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # Others lose some too, in this process.
    monkeypatch.setattr(counted, "_state", counted._State(Memory()))
    assert events.find_problems() == []
    queue = EventQueue()
    queue.lose("a-collection")
    (finding,) = events.find_problems()
    assert (finding.key, finding.level) == ("recorder_loses", "warn")
    assert finding.title.startswith("1 ")
