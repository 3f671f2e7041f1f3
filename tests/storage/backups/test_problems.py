"""What is wrong with backups, and who is told: each fault is brought about."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID, uuid4

import pytest
from django.core import mail
from django.db import transaction
from pytest_django import Settings

from storage.backups import notices, problems
from storage.drive.sql import blobs as blobs_sql
from storage.models import BackupPlan, BackupRun, Blob
from storage.postgres import clock
from storage.postgres.database import run
from tests.storage.monitoring.test_problems import keys


@pytest.fixture(autouse=True)
def plan(database: None) -> Iterator[BackupPlan]:
    """A plan with a target, and no runs; all of it is undone."""
    with transaction.atomic():
        BackupRun.objects.all().delete()
        BackupPlan.objects.update_or_create(id=1, defaults={"target": "/nowhere", "target_id": "here"})
        yield BackupPlan.objects.get(id=1)
        transaction.set_rollback(True)


def _run(kind: str, *, days_ago: float = 0, fault: str = "", **details: object) -> None:
    at = clock.now() - timedelta(days=days_ago)
    made = BackupRun.objects.create(kind=kind, started_at=at, ended_at=at, fault=fault, details=details)
    BackupRun.objects.filter(id=made.id).update(asked_at=at)


def test_without_a_target_nothing_is_wrong() -> None:
    _run("backup", fault="It failed")
    BackupPlan.objects.update(target="")
    assert problems.find_problems() == []


def test_good_backups_and_drills_are_no_problem() -> None:
    _run("backup", fault="It failed before")
    _run("backup")
    _run("drill", days_ago=6)
    assert keys(problems.find_problems()) == []


def test_what_failed_or_was_missed_is_bad() -> None:
    _run("backup", fault="It failed\nin two lines")
    _run("drill", fault="A blob is damaged.")
    assert keys(problems.find_problems()) == [("backup_failed", "bad"), ("drill_failed", "bad")]
    BackupRun.objects.all().delete()
    _run("backup", days_ago=3)
    _run("drill", days_ago=15)
    assert keys(problems.find_problems()) == [("backup_missed", "bad"), ("drill_missed", "bad")]
    BackupPlan.objects.update(drill_every_days=0, every_hours=200)
    assert keys(problems.find_problems()) == []
    _run("backup", unreadable=2)
    assert keys(problems.find_problems()) == [("backup_unreadable", "bad")]


def test_a_log_that_does_not_come_is_bad_and_a_gap_is_told() -> None:
    long_ago = clock.now() - timedelta(minutes=10)
    BackupPlan.objects.update(log_fault="The disk is away", log_fault_at=long_ago)
    assert keys(problems.find_problems()) == [("backup_log_late", "bad")]
    BackupPlan.objects.update(log_fault="", log_fault_at=None, kept_until=long_ago)
    assert keys(problems.find_problems()) == [("backup_log_late", "bad")]
    BackupPlan.objects.update(kept_until=clock.now(), gap_at=long_ago)
    assert keys(problems.find_problems()) == [("backup_log_gap", "warn")]


def test_mail_goes_out_once_and_when_all_is_well_again(settings: Settings) -> None:
    settings.BACKUP_MAIL_TO = ["ada@example.org"]
    _run("backup", fault="It failed")
    for _ in range(2):
        notices.tell()
    (sent,) = mail.outbox
    assert sent.to == ["ada@example.org"]
    assert "The last backup failed: It failed." in sent.body
    _run("backup")
    for _ in range(2):
        notices.tell()
    assert [each.subject for each in mail.outbox][1:] == ["Homeport: the backups are well again"]


class _Hook(BaseHTTPRequestHandler):
    """Answers with what it is told to, and keeps what it got."""

    heard: list[dict[str, object]] = []
    status = 302

    def do_POST(self) -> None:
        self.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.send_header("Location", "/another")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nobody reads it."""


def test_a_webhook_gets_json_no_redirect_is_followed_and_it_is_tried_again(settings: Settings) -> None:
    with HTTPServer(("127.0.0.1", 0), _Hook) as hook:
        thread = threading.Thread(target=hook.serve_forever)
        thread.start()
        settings.BACKUP_WEBHOOK = f"http://127.0.0.1:{hook.server_address[1]}/hook"
        _run("drill", fault="A blob is damaged")
        notices.tell()
        _Hook.status = 204
        notices.tell()
        notices.tell()
        hook.shutdown()
        thread.join()
    assert len(_Hook.heard) == 2
    assert _Hook.heard[1]["is_well"] is False
    assert _Hook.heard[1]["problems"][0]["key"] == "drill_failed"  # type: ignore[index]


def test_garbage_waits_until_it_is_in_the_backups_but_not_for_ever() -> None:
    day_ago = clock.now() - timedelta(days=1)
    new, known, never = (
        Blob.objects.create(
            id=uuid4(), state="garbage", size_bytes=size, changed_at=day_ago, backed_up_sha256=sha256
        ).id
        for size, sha256 in ((1, None), (1, b"x"), (None, None))
    )

    def found(wait_seconds: int) -> set[UUID]:
        rows = run(blobs_sql.find_garbage(3_600, 10_000, backup_wait_seconds=wait_seconds))
        return {row.id for row in rows} & {new, known, never}

    assert found(86_400 * 2) == {known, never}
    assert found(86_400 // 2) == {new, known, never}
    assert found(0) == {new, known, never}
