"""Goes on asking while a server is away for a moment, such as for a restart."""

from __future__ import annotations

import time
from typing import Any, Callable, Optional

from deta.cli.errors import CliError, ServerError
from deta.cli.says import warn

_PAUSE_SECONDS = 1.0
_AWAY = (502, 503, 504)


class Patience:
    """Asks what changes nothing. After a first answer, one that does not come is waited for, `seconds` at most, or for ever."""

    def __init__(self, *, seconds: Optional[float] = None) -> None:
        self._seconds = seconds
        self._has_answered = False

    def ask(self, question: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The answer. Raises CliError as the question does: at once when the server refuses."""
        away_since: Optional[float] = None
        while True:
            try:
                answer = question()
            except CliError as error:
                if not self._has_answered or (isinstance(error, ServerError) and error.status not in _AWAY):
                    raise
                if away_since is None:
                    away_since = time.monotonic()
                    warn(f"{error} Waiting...")
                elif self._seconds is not None and time.monotonic() - away_since > self._seconds:
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                self._has_answered = True
                return answer
