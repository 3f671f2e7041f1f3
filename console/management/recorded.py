"""Commands whose acts the audit log records as the command line's, and whose refusals are a sentence."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from storage.audit import actors
from storage.audit.actors import Actor
from storage.errors import EngineUnreachable, StorageError


class RecordedCommand(BaseCommand):
    """A command that changes something, or takes data out. Who types it is the system's user."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Raises CommandError with what storage says; `homeport/cli.py` knows what to do about an engine that is down."""
        try:
            with actors.acting(command_line):
                return super().execute(*args, **options)
        except EngineUnreachable:
            raise
        except StorageError as error:
            raise CommandError(". ".join(error.messages)) from error


def command_line() -> Actor:
    """The command line of this machine, under the user of its that this process runs as."""
    try:
        return Actor("command", getpass.getuser())
    except (KeyError, OSError):  # a container may run under a number that has no name
        return Actor("command")
