"""`manage.py backup [TARGET] [--full] [--new]`: a backup of the whole server, made beside it while it runs."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from console.management.recorded import RecordedCommand
from console.templatetags.page import size
from storage.backups import runs
from storage.backups.faults import BackupFault

_WITHOUT_DATABASE = (
    "The database is one of your own (DATABASE_URL) and is not in it: back it up with its own tools, such as pgBackRest or your"
    " provider's point-in-time recovery, and before this."
)


class Command(RecordedCommand):
    help = "Back up the whole server while it runs, to a folder or s3://bucket/prefix. The first TARGET is kept up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", nargs="?", help="a folder or s3://bucket/prefix; the one that is set, without it")
        parser.add_argument("--full", action="store_true", help="copy the whole database, not only what changed")
        parser.add_argument("--new", action="store_true", help="begin anew in a target whose backups are gone")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = runs.back_up_now(
                options["target"],
                is_full=True if options["full"] else None,
                is_new=options["new"],
                tell=self.stdout.write,
            )
        except BackupFault as error:
            raise CommandError(str(error)) from error
        kind = "whole" if made.backup.is_full else "incremental"
        if not made.backup.has_database:
            kind = "files and secrets"
            self.stdout.write(_WITHOUT_DATABASE)
        self.stdout.write(
            f"Backup {made.backup.id} ({kind}) is made: {size(made.backup.size_bytes)}, and"
            f" {made.blobs_copied} new files of {size(made.blob_bytes_copied)}."
        )
        if made.unreadable:
            raise CommandError(f"{made.unreadable} files could not be read: `reconcile` names them.")
