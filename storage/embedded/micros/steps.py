"""One command of a build in a sandbox, from its start to its end: bounded by what it writes, and with what it said."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from storage.embedded.micros.doors import Serve
from storage.embedded.micros.enclosures import Enclosure, Spawn
from storage.embedded.micros.output import Allowance, Output
from storage.micro_host import Line

_LOOK_SECONDS = 1.0


class Failed(Exception):
    """It came to no good end; the message says why."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Its exit code, the end of what it printed, and whether the kernel ended something in it for using too much memory."""

    code: int
    printed: str
    ran_out_of_memory: bool


async def run_step(
    spawn: Spawn,
    *,
    proxy: Serve,
    folder: Path,
    most_bytes: int,
    too_large: str,
    hide: Callable[[str], str],
    tell: Callable[[str], None] = lambda _: None,
) -> Ended:
    """Run it until it ends. It is ended when what it has written in the folder is more than so many bytes: Failed then.

    `proxy` serves its way to the internet, `tell` gets each line, as `hide` leaves it. Raises Failed and OSError. Cancelled, it
    ends the command.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def take(line: Line) -> None:
        tell(line.text)

    output = Output("", None, allowance=Allowance(loop.time()), tell=take, loop=loop, hide=hide)
    enclosure = Enclosure(spawn, output=output, doors={"proxy": proxy}, on_end=ended.set_result)
    try:
        while not ended.done():
            await asyncio.wait({ended}, timeout=_LOOK_SECONDS)
            if await loop.run_in_executor(None, size_of, folder) > most_bytes:
                raise Failed(too_large)
    finally:
        enclosure.kill()
        await asyncio.shield(ended)
    return Ended(ended.result(), output.ending, enclosure.ran_out_of_memory())


def size_of(folder: Path) -> int:
    """In bytes, of the files as they are now."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(place, name).lstat().st_size
            except OSError:
                continue
    return total
