"""The command `deta`: its commands, and what becomes of an error.

A command's module is imported when it is called, so that `deta --help` and completion are quick.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import Any, NoReturn, Optional

import click
from click.shell_completion import CompletionItem

from deta.cli.errors import INTERRUPTED, CliError, request_of
from deta.cli.options import Chosen
from deta.errors import DetaError, ResponseError

# What each command is for. The module of the same name in `deta.cli.commands` has it as `command`.
COMMANDS = {
    "auth": "Say who may call a Micro, and make API keys.",
    "base": "Read and write items.",
    "clone": "Fetch a Micro's code into a new folder.",
    "collection": "List collections, and make one.",
    "completion": "Print what makes a shell complete commands.",
    "cron": "Have a Micro's cron functions run on a schedule.",
    "deploy": "Deploy the files of a folder.",
    "details": "Show a Micro's address, runtime and settings.",
    "dev": "Run an app here with what it would find in a Micro.",
    "drive": "Read and write files, and sync folders.",
    "key": "List, make and revoke data keys.",
    "login": "Sign in to a server.",
    "logout": "Sign out of a server.",
    "logs": "Show what a Micro printed.",
    "new": "Make a Micro of a folder.",
    "open": "Open a page of the console.",
    "projects": "List your collections.",
    "pull": "Fetch the code that serves into the folder.",
    "run": "Run a function of a Micro.",
    "update": "Change a Micro's name, environment variables or runtime.",
    "version": "Show the version of this command.",
    "visor": "Record requests, and look at them.",
    "watch": "Deploy at once what is changed in a folder.",
}


class _NobodyReads(Exception):
    """Whoever reads standard output has enough, as `head` has after its last line."""


class Commands(click.Group):
    """The group of all commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> Optional[click.Command]:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"deta.cli.commands.{cmd_name.replace('-', '_')}")
        found: click.Command = module.command
        found.name = cmd_name
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Of an output that nobody reads any more click would make an exit code of its own."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _NobodyReads from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[Optional[str], Optional[click.Command], list[str]]:
        """A word that is no command is told which one it may have meant."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean `deta {near[0]}`?" if near else " `deta --help` lists them."
            raise click.UsageError(f"There is no command `{name}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, without importing any, and the options."""
        found = [
            CompletionItem(name, help=about) for name, about in sorted(COMMANDS.items()) if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog="Example: deta login")
@click.option("--server", metavar="URL", help="The server to speak to, such as https://home.example.org.")
@click.pass_context
def deta(ctx: click.Context, server: Optional[str]) -> None:
    """Work with a Homeport server from the terminal."""
    ctx.obj = Chosen(server)


def main() -> NoReturn:
    """Run the command that the process was called with, and exit: 0 done, 1 refused, 2 called wrongly, 130 interrupted."""
    try:
        code = deta.main(prog_name="deta", standalone_mode=False)
        sys.stdout.flush()
    except CliError as error:
        _exit(error.exit_code, str(error))
    except DetaError as error:
        of = request_of(error.status, error.answer.headers) if isinstance(error, ResponseError) else ""
        _exit(1, f"{error}{of}")
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _exit(INTERRUPTED)
    except (_NobodyReads, BrokenPipeError):
        # Python would say so once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("DETA_DEBUG"):
            raise
        _exit(1, f"{type(error).__name__}: {error}. This is a defect of deta: DETA_DEBUG=1 shows where it is.")
    # What `ctx.exit` was given; commands themselves return nothing.
    sys.exit(code if isinstance(code, int) else 0)


def _exit(code: int, message: str = "") -> NoReturn:
    if message:
        click.echo(f"Error: {message}", err=True)
    sys.exit(code)
