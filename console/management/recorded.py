"""Commands whose acts the audit log records as the command line's."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand

from storage.audit import actors
from storage.audit.actors import Actor


class RecordedCommand(BaseCommand):
    """A command that changes something, or takes data out. Who types it is the system's user."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with actors.acting(command_line):
            return super().execute(*args, **options)


def command_line() -> Actor:
    """The command line of this machine, under the user of its that this process runs as."""
    try:
        return Actor("command", getpass.getuser())
    except (KeyError, OSError):  # a container may run under a number that has no name
        return Actor("command")
