"""Recorded requests as they come in, each once: what was shown already, and how a line of them looks. Pure.

An id begins with its time, but requests are stored a moment after that, and not in that order. So each look goes back over the
last half minute, and what was shown is known by its id.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

OVERLAP_MS = 30_000
_COLOURS = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}


class Seen:
    """What has been shown. `after` is the newest id of it, empty before there is one."""

    def __init__(self) -> None:
        self.after = ""
        self._ids: set[str] = set()

    def take_new(self, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those that were not shown yet, oldest first; they count as shown from now on."""
        new = {event["id"]: event for event in events if event["id"] not in self._ids}
        self._ids.update(new)
        self.after = max([self.after, *new])
        # Two looks back and more: nobody will be told of these again.
        oldest = f"{max(0, _ms_of(self.after) - 3 * OVERLAP_MS):012x}" if self.after else ""
        self._ids = {kept for kept in self._ids if kept >= oldest}
        return [new[found] for found in sorted(new)]


def _ms_of(event_id: str) -> int:
    return int(event_id[:12], 16)


def line_of(event: dict[str, Any]) -> tuple[str, str]:
    """The line of an event, and the colour of its status."""
    at = datetime.fromisoformat(event["at"]).astimezone().strftime("%H:%M:%S")
    target = event["path"] + (f"?{event['query']}" if event["query"] else "")
    who = event.get("micro") or event.get("key") or ""
    end = f"  {who}" if who else ""
    text = f"{at}  {event['status']}  {event['method']:<6} {target}  {float(event['duration_ms']):,.1f} ms{end}"
    # What came from somewhere is not to move the cursor, or to ring the bell.
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown, _COLOURS.get(int(event["status"]) // 100, "white")
