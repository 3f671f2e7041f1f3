"""What goes over the supervisor's control socket, as lines of JSON.

A question is answered by any number of lines with `line`, then one with `answer` or `error`.
"""

from typing import Any, Literal
from uuid import UUID

import msgspec

from storage.micro_host import GitSource, Wanted


class Question(msgspec.Struct):
    """What is asked for: of which Micros, for which deployment, or which repository is to be fetched into the folder of an id."""

    ask: Literal[
        "why_off",
        "runtimes",
        "statuses",
        "changed",
        "stop",
        "replace",
        "give_up",
        "install",
        "try_out",
        "clone",
        "hold",
    ]
    micro_ids: list[str] = []
    wanted: Wanted | None = None
    source: GitSource | None = None
    source_id: UUID | None = None


class Reply(msgspec.Struct):
    """One line of an answer."""

    line: str | None = None
    answer: Any = None
    error: str | None = None
