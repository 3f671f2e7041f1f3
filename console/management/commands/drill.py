"""`manage.py drill [TARGET] [--backup ID]`: is a backup good? It is restored, compared and thrown away."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from console.management.recorded import RecordedCommand
from storage.backups import runs
from storage.backups.faults import BackupFault


class Command(RecordedCommand):
    help = "Restore a backup with engines of its own into a folder that is thrown away, and compare everything in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", nargs="?", help="a folder or s3://bucket/prefix; the one that is set, without it")
        parser.add_argument("--backup", metavar="ID", help="the backup to try; the newest without it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = runs.drill_now(options["target"], backup_id=options["backup"], tell=self.stdout.write)
        except BackupFault as error:
            raise CommandError(str(error)) from error
        if done.faults:
            raise CommandError("\n".join(["The backups are not good:", *done.faults]))
        how = "it was restored and compared" if done.is_restored else "all of it was read and compared"
        self.stdout.write(f"The backup {done.backup_id} is good: {how}.")
