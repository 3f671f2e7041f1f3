"""One instance of a Micro: a sandbox with the app in it, from its start to its end.

Which instances there should be is decided in `lives.py`. Everything happens in the supervisor's loop, in its main thread.
"""

import asyncio
import signal
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from storage import limits
from storage.embedded.micros.doors import api_door
from storage.embedded.micros.enclosures import Enclosure
from storage.embedded.micros.output import Allowance, Output
from storage.embedded.micros.surroundings import Surroundings
from storage.micro_host import Fault, FaultKind, Line, Wanted
from storage.micro_masking import masking_of

# An idle app ends by itself that much before its time at most, as its clock is another one.
_EARLY_SECONDS = 1.0
_OUTPUT_MAX_CHARACTERS = 20_000


class Phase(StrEnum):
    """Where in its life an instance is."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"  # it accepts no more, and finishes what it has
    ENDED = "ended"


class Instance:
    """`on_change` is called when it is ready and when it has ended; the latter comes once, whatever happened.

    `fault` says why it ended, unless it was time to.
    """

    def __init__(
        self,
        wanted: Wanted,
        *,
        listening: socket.socket,
        around: Surroundings,
        allowance: Allowance,
        on_change: Callable[["Instance"], None],
    ) -> None:
        self.wanted = wanted
        self.phase = Phase.STARTING
        self.accepts = False  # new callers: from when it is ready, until it says that it does no more
        self.fault: Fault | None = None
        self.started_at = datetime.now(UTC)
        self.ready_at: float | None = None
        self.runs_on = ""
        self.memory_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._listening, self._around, self._on_change = listening, around, on_change
        self._masking = masking_of(wanted)
        self._hide = around.launcher.host_paths.hiding(wanted)
        self._output = Output(
            wanted.micro_id,
            wanted.deployment_id,
            allowance=allowance,
            tell=self._tell,
            loop=self._loop,
            hide=self._hide,
        )
        self._enclosure: Enclosure | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_killed = False
        self._starting = self._loop.create_task(self._start())

    def drain(self, *, is_at_a_run: bool = False) -> None:
        """Have it accept no more and finish what it has; it is killed when that takes longer than a request, or a run, may."""
        if self.phase in (Phase.DRAINING, Phase.ENDED):
            return
        self.phase = Phase.DRAINING
        if self._enclosure is None:
            self.kill()
            return
        self._enclosure.send({"drain": True})
        seconds = limits.MICRO_RUN_SECONDS_MAX if is_at_a_run else self._around.bounds.request_seconds
        self._set_timer(seconds + self._around.bounds.finish_seconds, self.kill)

    def hurry(self) -> None:
        """The runs that it was given time for have ended: now it has that of a request."""
        if self.phase is Phase.DRAINING:
            bounds = self._around.bounds
            self._set_timer(bounds.request_seconds + bounds.finish_seconds, self.kill)

    def kill(self, fault: Fault | None = None) -> None:
        """End it at once, for a reason or because it is not wanted."""
        if self.phase is Phase.ENDED:
            return
        if self._enclosure is None:
            self._starting.cancel()
            self._end_unborn(fault)
            return
        self.fault = fault or self.fault
        self._is_killed = True
        self._enclosure.kill()

    def measure(self) -> None:
        """Look at its memory, and end it when it has more than it may."""
        if self._enclosure is None or self.phase is Phase.ENDED:
            return
        self.memory_bytes = self._enclosure.memory_bytes()
        if self.memory_bytes > self._around.bounds.memory_bytes and not self._is_killed:
            self.kill(self._out_of_memory())

    def say(self, text: str) -> None:
        """Add a line of ours to its log."""
        self._output.say(text)

    def say_left_out(self) -> None:
        """Tell in its log how much of it was left out."""
        self._output.say_left_out()

    def make_fault(self, kind: FaultKind, message: str, output: str = "") -> Fault:
        """A fault of now, with the end of what it printed unless there is something better.

        It has no secret in it, and no path of this machine.
        """
        # A cut through a secret would leave half of it: what is cut off at last has been looked at.
        printed = self._masking.text(self._hide((output or self._output.ending)[-2 * _OUTPUT_MAX_CHARACTERS :]))
        return Fault(
            kind, self._masking.text(self._hide(message)), printed[-_OUTPUT_MAX_CHARACTERS:], datetime.now(UTC)
        )

    def _tell(self, line: Line) -> None:
        self._around.tell(line, self._masking)

    async def _start(self) -> None:
        try:
            await self._around.fetch(self.wanted)
            self._enclosure = Enclosure(
                lambda control: self._around.launcher.launch(
                    self.wanted, listener=self._listening.fileno(), control=control
                ),
                output=self._output,
                doors={"api": api_door(self._around.places.api), "proxy": self._around.egress.serve},
                hear=self._hear,
                on_end=self._end,
            )
            self._set_timer(self._around.bounds.start_seconds, self._give_up_start)
        except Exception as error:
            self._end_unborn(self.make_fault(FaultKind.CRASHED, f"It could not be started: {error}"))

    def _hear(self, message: dict[str, Any]) -> None:
        if message.get("ready") is True and self.phase is Phase.STARTING:
            self.phase, self.ready_at, self.accepts = Phase.READY, self._around.now(), True
            self.runs_on = str(message.get("runs_on", ""))[:100]
            self._set_timer(None)
            self._on_change(self)
        if message.get("closed") is True:
            self.accepts = False
        if isinstance(fault := message.get("fault"), dict) and not self._is_killed:
            kind = FaultKind.NO_SERVER if fault.get("kind") == "no_server" else FaultKind.CRASHED
            words = str(fault.get("message", ""))[:2_000]
            self.fault = self.make_fault(kind, words, str(fault.get("output", "")))

    def _give_up_start(self) -> None:
        seconds = self._around.bounds.start_seconds
        self.kill(self.make_fault(FaultKind.SLOW_START, f"It was not ready after {seconds:g} seconds."))

    def _set_timer(self, seconds: float | None, do: Callable[[], None] | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, do) if seconds is not None and do is not None else None

    def _end_unborn(self, fault: Fault | None) -> None:
        self.fault = fault or self.fault
        self._is_killed = True
        self._end(0)

    def _end(self, code: int) -> None:
        """It has ended, or could not begin."""
        self._set_timer(None)
        self._judge_end(code)
        self.phase, self.memory_bytes = Phase.ENDED, 0
        self._on_change(self)

    def _judge_end(self, code: int) -> None:
        """Find out whether it was time to end; what it said itself about its end goes before what we see."""
        if self._is_killed or self.phase is Phase.DRAINING:
            return
        if self._enclosure is not None and self._enclosure.ran_out_of_memory():
            self.fault = self._out_of_memory()
        elif self.fault is not None:
            return
        elif self.phase is Phase.STARTING:
            self.fault = self.make_fault(FaultKind.CRASHED, f"It ended while it started ({describe_exit(code)}).")
        elif code != 0:
            self.fault = self.make_fault(FaultKind.CRASHED, f"It crashed ({describe_exit(code)}).")
        elif not self._was_idle():
            self.fault = self.make_fault(FaultKind.CRASHED, "It ended by itself.")

    def _out_of_memory(self) -> Fault:
        most = self._around.bounds.memory_bytes // 1_048_576
        return self.make_fault(FaultKind.MEMORY, f"It used more than its {most:,} MB of memory.")

    def _was_idle(self) -> bool:
        idle = self.wanted.idle_seconds
        lived = self._around.now() - (self.ready_at or 0.0)
        return not self.wanted.is_kept_warm and lived >= idle - _EARLY_SECONDS


def describe_exit(code: int) -> str:
    """For people. A sandbox tells of a signal inside as shells do."""
    number = -code if code < 0 else code - 128
    try:
        return f"ended by {signal.Signals(number).name}"
    except ValueError:
        return f"exit code {code}"
