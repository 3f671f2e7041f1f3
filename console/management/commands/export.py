"""`manage.py export COLLECTION FILE`: a collection as a zip, straight into a file."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from console.management.recorded import RecordedCommand
from storage import disk_space
from storage.archive.exporting import exports
from storage.postgres.database import one_connection
from storage.postgres.leases import Superseded


class Command(RecordedCommand):
    help = "Write a collection as it is now into a zip: bases/<name>.json, drives/<name>/... and manifest.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("collection_id")
        parser.add_argument("file", help="where the zip goes; - for standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with one_connection():
                if options["file"] == "-":
                    for chunk in exports.stream_export(options["collection_id"]):
                        sys.stdout.buffer.write(chunk)
                    sys.stdout.buffer.flush()
                else:
                    self._write(options["collection_id"], Path(options["file"]))
        except OSError as error:
            raise CommandError(f"{error.filename or options['file']}: {error.strerror or error}") from error
        except Superseded as error:
            raise CommandError("It was deleted in the meantime, or the collection was.") from error

    def _write(self, collection_id: str, path: Path) -> None:
        """Under another name until it is whole: what is called as asked for can be trusted."""
        disk_space.check_space_at(path)
        unfinished = path.with_name(f"{path.name}.unfinished")
        size_bytes = 0
        try:
            with unfinished.open("wb") as file:
                for chunk in exports.stream_export(collection_id):
                    disk_space.check_space_at(path)
                    size_bytes += file.write(chunk)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        self.stdout.write(f"{path} has {size_bytes:,} bytes.")
