"""`manage.py distribute`: the items over several databases by Citus, and back. Experimental."""

from typing import Any

import psycopg
from django.core.management.base import CommandError, CommandParser

from console.management.recorded import RecordedCommand
from storage.distribution.checks import Refused, check_database, check_to_gather
from storage.distribution.distributing import distribute
from storage.distribution.gathering import gather

_LOST = """\
This is an experiment: docs/citus.md says what was tried and what was not. Make a backup first.

What is lost when the items are distributed:
  - their history: who changed what, what items were, and undoing what somebody did. All of it is deleted.
  - the feed of changes and tables that follow them. Whoever asks for changes gets the status 409.
  - indexes of attributes: ranges, prefixes and orders of large Bases are looked for in their items.
"""
_BACK = """\
The items are copied back into this server, which has to have the room. Their history and the feed of changes begin then.
"""


class Command(RecordedCommand):
    """What stands in the way is told in a sentence, before anything is changed."""

    help = (
        "Distributes the items over the servers that Citus knows, each Base on one of them, while Homeport is stopped. "
        "Experimental: it gives up history, the feed of changes and indexes of attributes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--back", action="store_true", help="bring the items back into one server")
        parser.add_argument("--yes", action="store_true", help="do it; without it, say what would be lost")

    def handle(self, *args: Any, back: bool, yes: bool, **options: Any) -> None:
        """What was done when it breaks off stays, and running it again does the rest."""
        self._say(_BACK if back else _LOST)
        try:
            if not yes:
                # Nobody is to add it and only then learn what stands in the way.
                (check_to_gather if back else check_database)()
                raise CommandError("Nothing was changed. To do it, add --yes.")
            (gather if back else distribute)(self._say)
        except Refused as refused:
            raise CommandError(f"{refused} Nothing was changed.") from refused
        except psycopg.Error as error:
            raise CommandError(
                f"PostgreSQL refused a step:\n{str(error).strip()}\nThe step was taken back. What was done before it stays, and"
                " does no harm. Run this again to go on, or with --back."
            ) from error
        self._say("Done. Start every node again.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
