"""One request while it is taken in and answered."""

import time
from typing import Any

from console.server.answers import speaks_json
from console.server.bodies import IncomingBody
from console.server.heads import Head
from console.server.proxies import REQUEST_ID


class Exchange:
    """A request: its head, the variables it was read into, and its body as far as it is here.

    `is_for_thread` says that the event loop itself can't answer it.

    `is_whole` says that all of it is, `has_ended` that no more will come; `is_asked` that the application is at work on it,
    `is_wanted` that it asked for the body. `kind` says which threads answer it. `came_at` is when its head was here, by the
    performance counter. `kept` is the application's, for when it is asked about the same request again.
    """

    __slots__ = (
        "began_at",
        "body",
        "came_at",
        "has_ended",
        "head",
        "is_asked",
        "is_for_thread",
        "is_wanted",
        "is_whole",
        "kept",
        "kind",
        "most_bytes",
        "variables",
    )

    def __init__(self, head: Head, variables: dict[str, Any], body: IncomingBody, *, kind: str, now: float) -> None:
        self.head, self.variables, self.body = head, variables, body
        self.began_at = now
        # The loop's own time is the one of its last turn, in milliseconds.
        self.came_at = time.perf_counter()
        self.is_whole = body.length == 0
        self.has_ended = False
        self.kind = kind
        self.is_asked = self.is_wanted = self.is_for_thread = False
        self.most_bytes = 0
        self.kept: dict[str, Any] = {}

    @property
    def request_id(self) -> str:
        """By which its answer and the log speak of it."""
        named: str = self.variables[REQUEST_ID]
        return named

    @property
    def is_api(self) -> bool:
        """Whether a program asks, which reads errors as JSON."""
        return speaks_json(self.variables["PATH_INFO"])
