"""What goes over the supervisor's control socket, as lines of JSON.

A question is answered by any number of lines with `line`, then one with `answer` or `error`.
"""

from typing import Any, Literal

import msgspec

from storage.micro_host import Wanted


class Question(msgspec.Struct):
    """What is asked for: of which Micros, or for which deployment."""

    ask: Literal["why_off", "runtimes", "statuses", "changed", "stop", "replace", "install", "try_out", "hold"]
    micro_ids: list[str] = []
    wanted: Wanted | None = None


class Reply(msgspec.Struct):
    """One line of an answer."""

    line: str | None = None
    answer: Any = None
    error: str | None = None
