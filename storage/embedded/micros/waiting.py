"""How long a caller waits for an app: as long as a request may take, which begins when the app is there to answer it.

Starting has a time of its own. While no byte comes, what runs the Micro is asked what it is doing.
"""

import time
from collections.abc import Callable

from storage.errors import HostUnreachable
from storage.micro_host import Fault, FaultKind, MicroHost, State, Status

UNREACHABLE = Fault(FaultKind.OFF, "What runs Micros on this machine does not answer")

# How often a Micro that is starting is asked for.
_LOOK_SECONDS = 0.5
# Within that time it is known that an app has ended, and why.
_KNOWN_SECONDS = 0.5
# The whole of an answer takes at most so many times what a request may wait for: a client may be slow to take it.
_WHOLE = 30


class Faulted(Exception):
    """There will be no answer; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class TooSlow(Exception):
    """The app was there, and did not answer in time."""


class Waiting:
    """The patience of one request. What counts is the time spent waiting for the app, not the client's."""

    def __init__(
        self,
        micro_id: str,
        host: MicroHost,
        *,
        start_seconds: float,
        request_seconds: float,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """`meanwhile` is called about once a second while no byte comes; what it raises ends the waiting."""
        self._micro_id, self._host = micro_id, host
        self._start_seconds, self._request_seconds = start_seconds, request_seconds
        self._meanwhile = meanwhile
        self._began_at = time.monotonic()
        self._left = request_seconds
        self._is_there = False
        self._asked_at: float | None = None

    def seconds_left(self) -> float:
        """Raises Faulted and TooSlow. It is asked again when as many seconds have gone by without a byte."""
        if self._meanwhile is not None:
            self._meanwhile()
        now = self._take_off()
        self._asked_at = now
        if now - self._began_at > _WHOLE * self._request_seconds:
            raise TooSlow
        if not self._is_there and now - self._began_at >= _LOOK_SECONDS:
            self._look(now)
        if self._left <= 0:
            raise TooSlow
        if not self._is_there:
            return min(self._left, _LOOK_SECONDS)
        return self._left if self._meanwhile is None else min(self._left, 1.0)

    def answered(self) -> None:
        """A byte came: the app is there."""
        self._is_there = True
        self.pause()

    def pause(self) -> None:
        """The client is waited for now."""
        self._take_off()
        self._asked_at = None

    def _take_off(self) -> float:
        now = time.monotonic()
        if self._asked_at is not None:
            self._left -= now - self._asked_at
        return now

    def _look(self, now: float) -> None:
        status = status_of(self._micro_id, self._host)
        if status.state is State.FAILED and status.fault is not None:
            raise Faulted(status.fault)
        if status.state is State.RUNNING:
            self._is_there = True
            waited = now - max(self._began_at, status.ready_at or 0.0)
            self._left = self._request_seconds - waited
        elif now - self._began_at > self._start_seconds + self._request_seconds:
            raise Faulted(Fault(FaultKind.SLOW_START, f"It did not start within {self._start_seconds:g} seconds"))
        else:
            self._left = self._request_seconds


def status_of(micro_id: str, host: MicroHost) -> Status:
    """What the Micro is doing. Raises Faulted when what runs Micros does not answer."""
    try:
        return host.statuses([micro_id]).get(micro_id, Status())
    except HostUnreachable:
        raise Faulted(UNREACHABLE) from None


def why_missing(micro_id: str, host: MicroHost) -> Fault:
    """Why an app closed the connection without an answer, or never opened its socket."""
    ends_at = time.monotonic() + _KNOWN_SECONDS
    try:
        if why := host.why_off():
            return Fault(FaultKind.OFF, why)
        while True:
            status = status_of(micro_id, host)
            # Connections are closed a moment before it is known why.
            if status.fault is not None or status.state is not State.RUNNING or time.monotonic() > ends_at:
                break
            time.sleep(_KNOWN_SECONDS / 10)
    except HostUnreachable:
        return UNREACHABLE
    except Faulted as error:
        return error.fault
    return status.fault or Fault(FaultKind.CRASHED, "The app closed the connection without an answer")
