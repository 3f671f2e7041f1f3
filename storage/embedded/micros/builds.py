"""What comes before a deployment serves: its dependencies are installed, and it is started once beside the one that serves.

A few at a time: building takes a machine's memory and processors, and what serves goes first.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from storage import limits
from storage.embedded.micros import clones, installs, sockets
from storage.embedded.micros.indexes import Indexes
from storage.embedded.micros.instances import Instance, Phase
from storage.embedded.micros.output import Allowance
from storage.embedded.micros.surroundings import Surroundings
from storage.micro_host import Built, Cloned, Fault, FaultKind, GitSource, Tried, Wanted

_HEAD_MAX_BYTES = 65_536


class Builds:
    """One for a supervisor, in its loop."""

    def __init__(self, around: Surroundings, *, find_indexes: Callable[[], Indexes]) -> None:
        """`find_indexes` is called in a thread, before each installation: a machine's settings change."""
        self._around, self._find_indexes = around, find_indexes
        self._turns = asyncio.Semaphore(limits.MICRO_BUILDS_AT_ONCE)

    async def install(self, wanted: Wanted, *, tell: Callable[[str], None]) -> Built:
        """As soon as it is its turn."""
        if self._turns.locked():
            tell("Other deployments are being installed; this one waits for its turn.")
        async with self._turns:
            indexes = await asyncio.get_running_loop().run_in_executor(None, self._find_indexes)
            return await installs.install(wanted, self._around, indexes=indexes, tell=tell)

    async def clone(self, source: GitSource, source_id: UUID) -> Cloned:
        """As soon as it is its turn."""
        async with self._turns:
            return await clones.clone(source, source_id, self._around)

    async def try_out(self, wanted: Wanted) -> Tried:
        """Start it on a socket of its own, ask it for `/`, and end it."""
        path = self._around.places.socket(f"try-{secrets.token_hex(8)}")
        async with self._turns:
            with contextlib.closing(sockets.listen(path, backlog=1)) as listening:
                changed = asyncio.Event()
                instance = Instance(
                    wanted,
                    listening=listening,
                    around=self._around,
                    allowance=Allowance(asyncio.get_running_loop().time()),
                    on_change=lambda _: changed.set(),
                )
                try:
                    return await self._ask(instance, changed, path)
                finally:
                    path.unlink(missing_ok=True)
                    await _end(instance, changed)

    async def _ask(self, instance: Instance, changed: asyncio.Event, path: Path) -> Tried:
        asking = asyncio.ensure_future(self._first_status(instance.wanted, path))
        try:
            while instance.phase is Phase.STARTING:
                await changed.wait()
                changed.clear()
            if instance.phase is Phase.ENDED:
                return Tried(fault=instance.fault)
            async with asyncio.timeout(self._around.bounds.request_seconds):
                return Tried(status=await asking)
        except TimeoutError:
            seconds = self._around.bounds.request_seconds
            return self._failed(instance, f"It started, but did not answer GET / within {seconds:g} seconds.")
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await _wait_end(instance, changed)
            return self._failed(instance, "It started, but gave no answer to GET /.")
        finally:
            asking.cancel()

    def _failed(self, instance: Instance, words: str) -> Tried:
        fault: Fault = instance.fault or instance.make_fault(FaultKind.CRASHED, words)
        return Tried(fault=fault)

    async def _first_status(self, wanted: Wanted, path: Path) -> int:
        """Raises OSError, ValueError and asyncio's for what is no answer."""
        with sockets.address(path) as address:
            reader, writer = await asyncio.open_unix_connection(address, limit=_HEAD_MAX_BYTES)
        try:
            writer.write(f"GET / HTTP/1.1\r\nHost: {wanted.hostname}\r\nConnection: close\r\n\r\n".encode())
            version, status, *_ = (await reader.readuntil(b"\r\n")).split(b" ")
            if not version.startswith(b"HTTP/1."):
                raise ValueError
            return int(status)
        finally:
            writer.close()


async def _wait_end(instance: Instance, changed: asyncio.Event) -> None:
    """Give a crash a moment to be known as one."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1.0):
            while instance.phase is not Phase.ENDED:
                changed.clear()
                await changed.wait()


async def _end(instance: Instance, changed: asyncio.Event) -> None:
    instance.kill()
    while instance.phase is not Phase.ENDED:
        changed.clear()
        await changed.wait()
