"""`manage.py restore SOURCE [--at TIME]`: a server from its backups, into an empty data folder."""

import os
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime
from filelock import FileLock, Timeout

from console import serving
from storage.backups import plans
from storage.backups.faults import BackupFault
from storage.backups.restoring import folders, restores
from storage.embedded import paths, process


class Command(BaseCommand):
    help = "Restore a server from its backups into an empty data folder, as it was at TIME or at the end."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", help="where the backups are: a folder or s3://bucket/prefix")
        parser.add_argument("--at", metavar="TIME", help="such as 2030-01-31T12:00:00Z or 2030-01-31T13:00:00+01:00")
        parser.add_argument("--backup", metavar="ID", help="begin with this backup instead of the newest before TIME")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DATABASE_URL or not settings.S3_IS_BUNDLED:
            raise CommandError(
                "A restore makes a server with the bundled engines: unset DATABASE_URL and S3_ENDPOINT_URL. Engines of your"
                " own are restored by their own tools."
            )
        at = _read_time(options["at"]) if options["at"] else None
        paths.make_data_folder(settings.DATA)
        os.umask(process.PRIVATE)
        try:
            with FileLock(settings.DATA / folders.LOCK, timeout=0, mode=0o600):
                self._restore(options["source"], at, options["backup"])
        except Timeout:
            raise CommandError(
                f"A server runs on {settings.DATA}: set HOMEPORT_DATA to an empty folder to restore into."
            ) from None
        except BackupFault as error:
            raise CommandError(str(error)) from error

    def _restore(self, source: str, at: datetime | None, backup_id: str | None) -> None:
        done = restores.restore(
            plans.open_target(source),
            data=settings.DATA,
            engine_user=settings.ENGINE_USER,
            at=at,
            backup_id=backup_id,
            tell=self.stdout.write,
        )
        self.stdout.write(
            f"{settings.DATA} is as the server was at {done.last.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, with"
            f" {done.blobs} blobs of files. Start it: {serving.typed_command()} serve"
        )
        if done.missing:
            self.stdout.write(
                f"The bytes of {len(done.missing)} blobs had not come to the backup by then: `reconcile` names their files."
            )


def _read_time(text: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{text} is no time: write 2030-01-31T12:00:00Z, or with another offset in place of Z.")
    return found if found.tzinfo else found.replace(tzinfo=UTC)
