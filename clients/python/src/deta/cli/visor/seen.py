"""Recorded requests as they come in, each once: what was shown already, and how a line of them looks. Pure.

An id begins with its time, but requests are stored a moment after that, and not in that order. So each look goes back over the
last half minute, for slow ones over the last hour, and what was shown is known by its id.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

# Longer than the server's looks go back: what is forgotten before would be shown twice.
_KEPT_MS = 120_000
_SLOW_MS = 20_000
_SLOW_KEPT_MS = 2 * 3_600_000
_COLOURS = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}


class Seen:
    """What has been shown. `after` is the newest id of it, empty before there is one."""

    def __init__(self) -> None:
        self.after = ""
        # For how long after its time each is to be known, in milliseconds.
        self._ids: dict[str, int] = {}

    def take_new(self, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those that were not shown yet, oldest first; they count as shown from now on."""
        new = {event["id"]: event for event in events if event["id"] not in self._ids}
        for event in new.values():
            self._ids[event["id"]] = _SLOW_KEPT_MS if float(event["duration_ms"]) >= _SLOW_MS else _KEPT_MS
        self.after = max([self.after, *new])
        if self.after:
            now = _ms_of(self.after)
            self._ids = {known: kept for known, kept in self._ids.items() if _ms_of(known) + kept >= now}
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
