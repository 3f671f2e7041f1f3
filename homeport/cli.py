"""The command `homeport`: every command of the server, from an installed package or from a checkout.

The package carries the server's folders (`console/`, `storage/` and so on) in `_app/`, out of reach of `import`: nobody's
site-packages should hold modules with such common names. This module puts the folder that holds them first on the path.
In a checkout that folder is the checkout itself.
"""

import os
import sys
from pathlib import Path
from textwrap import fill

from django.core.management import BaseCommand, ManagementUtility, get_commands
from environs import EnvError

from homeport import __version__

_PACKAGED = Path(__file__).resolve().parent / "_app"
ROOT = _PACKAGED if _PACKAGED.is_dir() else _PACKAGED.parent.parent

# They run without a database, or look closer.
_LOOK_THEMSELVES = {"serve", "upgrade", "backup", "restore", "drill"}

_HELP = """Homeport {version}: a self-hosted home for apps written for Deta Base and Deta Drive.

Usage: {program} COMMAND [options]

{commands}

"{program} help COMMAND" lists the options of a command; "{program} help --commands" lists Django's own commands too.
Settings come from the environment: HOMEPORT_DATA is the data folder (now {data}), HOMEPORT_PORT the port.
"""


class CommandLine(ManagementUtility):
    """Django's command line, whose help lists Homeport's own commands."""

    def __init__(self, argv: list[str]) -> None:
        super().__init__(argv)
        # The name of the program stands in every usage line; `python -m homeport` has none that one could type.
        if self.prog_name not in ("homeport", "manage.py"):
            self.prog_name = "homeport"

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """The command; the one that was typed goes no further on data of a newer version. Raises SystemExit."""
        command = super().fetch_command(subcommand)
        if self.argv[1:2] == [subcommand] and _works_on_data(subcommand, self.argv):
            _refuse_newer_data()
        return command

    def main_help_text(self, commands_only: bool = False) -> str:
        """The commands that are Homeport's, each with its help; with `commands_only` the names of all."""
        if commands_only:
            return super().main_help_text(commands_only)
        from django.conf import settings

        own = sorted(name for name, app in get_commands().items() if app == "console")
        lines = [
            fill(self.fetch_command(name).help, 100, initial_indent=f"  {name:<12}", subsequent_indent=" " * 14)
            for name in own
        ]
        return _HELP.format(
            version=__version__, program=self.prog_name, commands="\n".join(lines), data=settings.DATA
        ).rstrip()


def _works_on_data(name: str, argv: list[str]) -> bool:
    if {"-h", "--help", "--version"} & set(argv):
        return False
    return name == "procrastinate" or (get_commands().get(name) == "console" and name not in _LOOK_THEMSELVES)


def _refuse_newer_data() -> None:
    from django.db import connections

    from storage.errors import StorageError
    from storage.postgres import newer_schema

    try:
        newer = newer_schema.find_newer()
    except StorageError:
        # The command says what is wrong with the database, or waits for it.
        return
    finally:
        connections.close_all()
    if newer:
        sys.exit(newer_schema.say(f"storage.{newer}"))


def main() -> None:
    """Run the command that the process was called with."""
    if sys.argv[1:] in (["--version"], ["version"]):
        sys.stdout.write(f"homeport {__version__}\n")
        return
    if str(ROOT) not in sys.path[:1]:
        sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    # Only now, as it lies in the folder that was just put on the path.
    from storage import json_output
    from storage.embedded.paths import PathError
    from storage.embedded.state import StateError

    if sys.argv[1:2] in (["serve"], ["procrastinate"]):
        # The server's processes; the other commands are for people.
        json_output.begin()
    try:
        CommandLine(sys.argv).execute()
    except EnvError as error:
        sys.exit(f"A setting in the environment is wrong: {error}")
    except (PathError, StateError) as error:
        sys.exit(str(error))
    except Exception as error:
        sentence = _sentence_for(error)
        if sentence is None:
            raise
        sys.exit(sentence)


def _sentence_for(error: Exception) -> str | None:
    """What a person is told about the state of the server or of the machine; None for a defect, whose traceback helps."""
    from django.conf import settings
    from django.db.utils import InterfaceError, OperationalError

    from storage.errors import EngineUnreachable, StorageError

    if isinstance(error, StorageError) and not isinstance(error, EngineUnreachable):
        return ". ".join(error.messages)
    if isinstance(error, (OperationalError, InterfaceError, EngineUnreachable)):
        if settings.DATABASE_URL or not settings.S3_IS_BUNDLED:
            return "The database or the S3 service does not answer: are DATABASE_URL and S3_ENDPOINT_URL right?"
        return f"The server of {settings.DATA} does not answer. Commands need it: run `serve` in another terminal."
    if isinstance(error, OSError):
        return f"{error.strerror or 'This cannot be done'}: {error.filename}" if error.filename else str(error)
    return None
