"""Moments that are kept, and compared later, are the database's: nodes whose clocks differ agree on them."""

import ast
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from storage.collections import collections, deletion, keys, usage
from storage.models import Count, Deletion
from storage.postgres import clock
from tests.serving import ROOT

# What looks at the clock of its own machine, and why that is right.
OWN_CLOCK = {
    "console/audit/views.py": "the day in a file's name",
    "console/base/cells.py": "how long ago, as shown",
    "console/base/import_export_views.py": "the day in a file's name",
    "console/templatetags/page.py": "how long ago, as shown",
    "storage/archive/exporting/zipping.py": "when an archive was made, for people",
    "storage/collections/key_limits.py": "how long to wait for the next day, as told",
    "storage/embedded/certificates.py": "certificates are judged by machines' clocks",
    "storage/embedded/micros/instances.py": "when a process of this machine was started, as shown",
    "storage/embedded/micros/output.py": "when a line was printed, as shown",
    "storage/embedded/seaweedfs_security.py": "certificates are judged by machines' clocks",
    "storage/models/micro_runs.py": "how long ago runs overlapped, as shown",
    "storage/monitoring/installation.py": "certificates are judged by machines' clocks",
    "storage/micros/deploying.py": "when a line was printed, as shown",
}


def test_only_these_look_at_the_clock_of_their_machine() -> None:
    found = set()
    for path in (path for room in ("console", "storage") for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "timezone.now",
                "datetime.now",
                "datetime.utcnow",
            ):
                found.add(str(path.relative_to(ROOT)))
    assert found == set(OWN_CLOCK)


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(hours=-1)])
def test_moments_are_the_databases(database: None, monkeypatch: pytest.MonkeyPatch, off: timedelta) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + off)
    before = clock.now()
    Count.objects.all().delete()
    assert usage.count_everything()
    collection = collections.create_collection("Made by a test")
    made, _ = keys.create_key(collection_id=collection.id, name="tried")
    keys.revoke_key(collection_id=collection.id, key_id=made.id)
    made.refresh_from_db()
    going = deletion.delete_collection(collection_id=collection.id, typed_name="Made by a test", asked_by=None)
    deletion.continue_deletions()
    after = clock.now()

    counted = usage.last_count()
    assert counted
    assert before <= counted.counted_at <= after
    assert made.revoked_at
    assert before <= made.revoked_at <= after
    emptied_at = Deletion.objects.get(id=going.id).emptied_at
    assert emptied_at
    assert before <= emptied_at <= after
