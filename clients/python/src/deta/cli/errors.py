"""What ends a command: a sentence for the person, and an exit code for the script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Optional

INTERRUPTED = 130  # the exit code of what Ctrl-C ended
# As the server makes them, and takes them from a proxy.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


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


def request_of(status: Optional[int], headers: Mapping[str, str]) -> str:
    """Of an answer that says that the server failed: by which id its log speaks of the request. Else empty."""
    request_id = headers.get("x-request-id", "")
    return f" (request {request_id})" if (status or 0) >= 500 and _REQUEST_ID.fullmatch(request_id) else ""
