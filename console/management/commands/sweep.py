"""`manage.py sweep`: delete what is no longer needed, once."""

from typing import Any

from console.management.recorded import RecordedCommand
from storage import room
from storage.audit.log import Verb, forget_old, note_act
from storage.sweeper import sweep_expired_items, sweep_files


class Command(RecordedCommand):
    help = (
        "Delete expired items, abandoned uploads, bytes that no file uses and old entries of the audit log, all of them now, and "
        "give their room back to the disk. `serve` does this by itself, with bytes that were used within the last hour spared."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        note_act(Verb.SWEPT)
        self.stdout.write(f"{sweep_expired_items()} expired items deleted")
        swept = sweep_files(at_once=True)
        self.stdout.write(f"{forget_old()} old entries of the audit log deleted")
        self.stdout.write(f"{swept.uploads} old uploads deleted, {swept.blobs} objects deleted")
        room.compact()
