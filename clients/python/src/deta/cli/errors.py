"""What ends a command: a sentence for the person, and an exit code for the script."""

from __future__ import annotations

INTERRUPTED = 130  # the exit code of what Ctrl-C ended


class CliError(Exception):
    """The command cannot go on. `deta.cli.main` prints `Error: <message>` on stderr, and exits with `exit_code`."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ServerError(CliError):
    """The server refused: `status` is its HTTP status, `errors` are its own messages."""

    def __init__(self, message: str, *, status: int, errors: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors
