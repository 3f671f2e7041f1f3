"""`manage.py sweep`: delete what has expired or is no longer used, now."""

from typing import Any

from django.core.management.base import BaseCommand

from storage.sweeper import sweep_expired_items, sweep_files


class Command(BaseCommand):
    help = "Delete expired items, abandoned uploads and bytes that no file uses. `serve` does this every minute."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{sweep_expired_items()} expired items deleted")
        swept = sweep_files()
        self.stdout.write(f"{swept.uploads} old uploads deleted, {swept.blobs} objects deleted")
