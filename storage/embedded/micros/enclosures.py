"""One sandbox as seen from outside: its control socket, its doors and its output, from its start to its end.

What runs in it, a Micro's instance or a step of a build, is its owner's affair.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any

from storage.embedded.micros.channel import Channel
from storage.embedded.micros.doors import Door, Serve, close_all, is_door
from storage.embedded.micros.output import Output
from storage.embedded.micros.sandbox import DOORS, Sandboxed
from storage.micro_host import Source

_AGAIN_SECONDS = 0.2

Spawn = Callable[[int], Sandboxed]


class Enclosure:
    """`spawn` starts it, given its end of the control socket. `doors` serve what connects inside, by the names of `DOORS`.

    `hear` gets what it says, `on_end` its exit code, once, when all it said and printed was taken. Raises OSError.
    """

    def __init__(
        self,
        spawn: Spawn,
        *,
        output: Output,
        doors: dict[str, Serve],
        hear: Callable[[dict[str, Any]], None] = lambda _: None,
        on_end: Callable[[int], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._output, self._serving, self._hear, self._on_end = output, doors, hear, on_end
        self._doors: list[Door] = []
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._sandboxed = spawn(theirs.fileno())
                self._end = os.pidfd_open(self._sandboxed.pid)
            except BaseException:
                ours.close()
                raise
        self._channel = Channel(ours, hear=self._take, loop=self._loop)
        for pipe, source in ((self._sandboxed.stdout, Source.OUTPUT), (self._sandboxed.stderr, Source.ERROR)):
            output.read_from(pipe, source)
        self._loop.add_reader(self._end, self._finish)

    def send(self, message: dict[str, Any]) -> None:
        """Say something to what runs in it."""
        self._channel.send(message)

    def kill(self) -> None:
        """End all of it; `on_end` is called a moment later."""
        self._sandboxed.kill()

    def memory_bytes(self) -> int:
        """What all processes in it have now."""
        return self._sandboxed.memory_bytes()

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel ended something in it for using too much."""
        return self._sandboxed.ran_out_of_memory()

    def _take(self, message: dict[str, Any], files: list[socket.socket]) -> None:
        if files:
            self._open_doors(message.get("doors"), files)
        self._hear(message)

    def _open_doors(self, names: Any, files: list[socket.socket]) -> None:
        if names != list(DOORS) or len(files) != len(DOORS) or not all(map(is_door, files)):
            names = []
        for name, listening in zip(names or [""] * len(files), files, strict=True):
            if name in self._serving:
                self._doors.append(Door(listening, self._serving[name]))
            else:
                listening.close()

    def _finish(self) -> None:
        self._loop.remove_reader(self._end)
        os.close(self._end)
        code = self._sandboxed.popen.wait()
        self._channel.read_rest()
        self._channel.close()
        close_all(self._doors)
        self._output.close()
        self._on_end(code)
        self._clean_up()

    def _clean_up(self) -> None:
        if not self._sandboxed.clean_up():
            self._loop.call_later(_AGAIN_SECONDS, self._clean_up)
