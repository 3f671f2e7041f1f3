"""`manage.py sweep`: delete what has expired or is no longer used, now, and give its room back to the disk."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from storage import room
from storage.errors import StorageError
from storage.sweeper import sweep_expired_items, sweep_files


class Command(BaseCommand):
    help = (
        "Delete expired items, abandoned uploads and bytes that no file uses, all of them now, and give their room back to the "
        "disk. `serve` does this every minute, with bytes that were used within the last hour spared."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(f"{sweep_expired_items()} expired items deleted")
            swept = sweep_files(at_once=True)
            self.stdout.write(f"{swept.uploads} old uploads deleted, {swept.blobs} objects deleted")
            room.compact()
        except StorageError as error:
            raise CommandError(". ".join(error.messages)) from error
