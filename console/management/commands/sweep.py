"""`manage.py sweep`: delete what has expired or is no longer used, now."""

from typing import Any

from console.management.recorded import RecordedCommand
from storage.audit.log import Verb, forget_old, note_act
from storage.sweeper import sweep_expired_items, sweep_files


class Command(RecordedCommand):
    help = (
        "Delete expired items, abandoned uploads, bytes that no file uses and old entries of the audit log. `serve` does this by "
        "itself."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        note_act(Verb.SWEPT)
        self.stdout.write(f"{sweep_expired_items()} expired items deleted")
        swept = sweep_files()
        self.stdout.write(f"{forget_old()} old entries of the audit log deleted")
        self.stdout.write(f"{swept.uploads} old uploads deleted, {swept.blobs} objects deleted")
