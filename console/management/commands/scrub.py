"""`manage.py scrub`: are the bytes of all files what they were when they were stored?"""

from typing import Any

from django.core.management.base import CommandError

from console.management.recorded import RecordedCommand
from storage.scrubbing import problems, scrubber
from storage.scrubbing.sql import KnownBlob


class Command(RecordedCommand):
    help = (
        "Read all stored bytes again now, heal what is damaged where that is possible, and report the rest; ends with an error "
        "if there is any. `serve` does this by itself, slowly, about once in four weeks."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self._read, self._bytes, self._bad = 0, 0, 0
        scrubber.scrub_all(self._note)
        self.stdout.write(f"{self._read} blobs read, {self._bytes / 1e6:,.1f} MB; {self._bad} are damaged")
        for damage in problems.list_damages():
            self.stdout.write(problems.describe(damage))
        if self._bad:
            raise CommandError("Some bytes are damaged.")

    def _note(self, blob: KnownBlob, is_right: bool) -> None:
        self._read, self._bytes, self._bad = self._read + 1, self._bytes + blob.size_bytes, self._bad + (not is_right)
