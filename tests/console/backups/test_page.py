"""The page with the server's backups. Who may open it is in `test_routes.py`, what is recorded in `test_acts.py`."""

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from storage.backups import plans
from storage.models import BackupPlan, BackupRun
from storage.postgres import clock
from tests.console.conftest import Browser
from tests.people import Cast

FORM = {"every_hours": "12", "full_every_days": "5", "keep_days": "20", "drill_every_days": "0"}


def test_it_begins_empty_and_takes_a_target(people: Cast, browser: Browser, tmp_path: Path) -> None:
    client = browser(people.server_owner)
    BackupPlan.objects.all().delete()
    assert "<h2>No backups</h2>" in client.get("/server/backups/").content.decode()
    answer = client.post("/server/backups/settings/", FORM | {"target": f" {tmp_path} "}, follow=True)
    page = answer.content.decode()
    assert "How the server is backed up is saved." in page
    assert f'<dd class="data">{tmp_path}</dd>' in page
    assert "none yet" in page
    assert plans.read_plan()[:5] == (str(tmp_path), 12, 5, 20, 0)


@pytest.mark.parametrize(
    "target, sentence",
    [
        ("backup", "Write the folder&#x27;s whole path"),
        ("s3://bucket", "HOMEPORT_BACKUP_S3_ACCESS_KEY_ID"),
        ("ftp://a/b", "is neither a folder nor s3://bucket/prefix"),
        ("{data}/backups", "lie in each other"),
    ],
)
def test_what_is_no_target_is_refused(
    people: Cast, browser: Browser, settings: Settings, target: str, sentence: str
) -> None:
    client = browser(people.server_owner)
    before = plans.read_plan()
    form = FORM | {"target": target.format(data=settings.DATA)}
    answer = client.post("/server/backups/settings/", form)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert plans.read_plan() == before


def test_what_the_environment_sets_is_shown_and_stays(people: Cast, browser: Browser, settings: Settings) -> None:
    settings.BACKUP_PLAN = {"target": "/set/by/environment", "keep_days": None}
    client = browser(people.server_owner)
    page = client.get("/server/backups/").content.decode()
    assert "Set by HOMEPORT_BACKUP_TARGET in the server&#x27;s environment." in page
    client.post("/server/backups/settings/", FORM | {"target": "/another"})
    assert plans.read_plan().target == "/set/by/environment"
    assert plans.read_row().target != "/another"


def test_runs_are_listed_and_asked_for_once(people: Cast, browser: Browser) -> None:
    client = browser(people.server_owner)
    BackupPlan.objects.update_or_create(id=1, defaults={"target": "/nowhere"})
    BackupRun.objects.all().delete()
    now = clock.now()
    span = [[(now - timedelta(days=1)).isoformat(), now.isoformat()]]
    good = {"blobs": 3, "blob_bytes": 2_000, "spans": span}
    BackupRun.objects.create(
        kind="backup", backup_id="first", is_full=True, ended_at=now, size_bytes=1_500, details=good
    )
    BackupRun.objects.create(kind="backup", fault="The disk is full.", ended_at=now)
    BackupRun.objects.create(kind="drill", backup_id="first", fault="base is damaged.\nblob is damaged.", ended_at=now)
    page = client.get("/server/backups/", headers={"HX-Request": "true", "HX-Target": "backups-live"}).content.decode()
    assert "<html" not in page
    for part in (
        "The last backup failed: The disk is full.",
        "The last drill failed",
        "<li>blob is damaged.</li>",
        "first",
    ):
        assert part in page
    assert f"{now - timedelta(days=1):%Y-%m-%d %H:%M:%S} to {now:%Y-%m-%d %H:%M:%S} UTC" in page
    for what in ("backup", "backup", "drill"):
        client.post("/server/backups/start/", {"what": what})
    assert sorted(BackupRun.objects.filter(ended_at=None).values_list("kind", flat=True)) == ["backup", "drill"]
    assert "waits for its turn" in client.get("/server/backups/").content.decode()
