"""Installs a deployment's dependencies: the commands of `installing.py`, each in a sandbox, bounded in time and size."""

import asyncio
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from storage import limits
from storage.embedded.micros import installing
from storage.embedded.micros.enclosures import Enclosure
from storage.embedded.micros.indexes import Indexes
from storage.embedded.micros.output import Allowance, Output
from storage.embedded.micros.runtimes import UnknownRuntime
from storage.embedded.micros.surroundings import Surroundings
from storage.micro_host import Built, Line, Wanted

_LOOK_SECONDS = 1.0
_WORDS_CHARACTERS = 4_000
# How uv and npm begin one.
_COMPLAINT = re.compile(r"^(?:error:|npm error|[^\S\n]*+\u00d7)", re.MULTILINE)

Tell = Callable[[str], None]


class Failed(Exception):
    """The installation came to no good end; the message says why."""


async def install(wanted: Wanted, around: Surroundings, *, indexes: Indexes, tell: Tell) -> Built:
    """Install into the folder of the deployment's dependencies, which is made empty; its code has to be there.

    Without anything to install the folder is not made.
    """
    runs_on = ""
    loop = asyncio.get_running_loop()
    try:
        await loop.run_in_executor(None, around.launcher.make_ready, wanted)
        runs_on = around.launcher.say_what_runs(wanted)
        plan = await loop.run_in_executor(None, _plan, wanted, around)
        if not plan.commands or wanted.dependencies_id is None:
            return Built(is_done=True, runs_on=runs_on)
        folder = around.places.dependencies(wanted.dependencies_id)
        await loop.run_in_executor(None, _make_folder, folder, plan.files, around.launcher.give)
        environment = {**indexes.environment, **plan.environment}
        async with asyncio.timeout(around.bounds.build_seconds):
            for command in plan.commands:
                await _Step(wanted, around, indexes=indexes, tell=tell).run(command, plan.folder, environment, folder)
        return Built(is_done=True, runs_on=runs_on, dependencies_bytes=await loop.run_in_executor(None, _size, folder))
    except TimeoutError:
        seconds = around.bounds.build_seconds
        return Built(is_done=False, runs_on=runs_on, reason=f"Installing took longer than {seconds:g} seconds.")
    except (Failed, UnknownRuntime, OSError) as error:
        return Built(is_done=False, runs_on=runs_on, reason=str(error))


class _Step:
    """One command."""

    def __init__(self, wanted: Wanted, around: Surroundings, *, indexes: Indexes, tell: Tell) -> None:
        self._wanted, self._around, self._indexes = wanted, around, indexes
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = loop.create_future()

        def take(line: Line) -> None:
            tell(line.text)

        self._output = Output(
            wanted.micro_id, wanted.deployment_id, allowance=Allowance(loop.time()), tell=take, loop=loop
        )

    async def run(self, command: Sequence[str], inside: str, environment: Mapping[str, str], folder: Path) -> None:
        """Raises Failed, OSError and TimeoutError."""
        enclosure = Enclosure(
            lambda control: self._around.launcher.launch_build(
                self._wanted, command, folder=inside, environment=environment, control=control
            ),
            output=self._output,
            doors={"proxy": partial(self._around.egress.serve, trusted=self._indexes.hosts)},
            on_end=self._ended.set_result,
        )
        try:
            await self._watch(folder)
        finally:
            enclosure.kill()
            await asyncio.shield(self._ended)
        if enclosure.ran_out_of_memory():
            raise Failed("Installing used more memory than a build may.")
        if self._ended.result() != 0:
            raise Failed(_reason(self._output.ending) or f"The installer ended with {self._ended.result()}.")

    async def _watch(self, folder: Path) -> None:
        """Wait for its end, and look at how much it has written."""
        loop = asyncio.get_running_loop()
        while not self._ended.done():
            await asyncio.wait({self._ended}, timeout=_LOOK_SECONDS)
            if await loop.run_in_executor(None, _size, folder) > limits.MICRO_DEPENDENCIES_MAX_BYTES:
                most = limits.MICRO_DEPENDENCIES_MAX_BYTES // 1_048_576
                raise Failed(f"What is installed has more than {most} MB, the most that a Micro may have.")


def _reason(printed: str) -> str:
    """Of what an installer printed, what comes from its first complaint on."""
    found = _COMPLAINT.search(printed)
    return printed[found.start() if found else 0 :][-_WORDS_CHARACTERS:].strip()


def _plan(wanted: Wanted, around: Surroundings) -> installing.Plan:
    runtime = around.launcher.choose(wanted)
    code = around.places.code(wanted.deployment_id)
    return installing.plan(code, wanted.runtime, runtime.series, paths=around.launcher.paths(wanted))


def _make_folder(folder: Path, files: Mapping[str, bytes], give: Callable[[Path], None]) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.parent.chmod(0o711)  # whatever the umask takes away
    folder.mkdir()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        for each in (path, *path.parents[: len(Path(name).parts) - 1]):
            give(each)
    give(folder)


def _size(folder: Path) -> int:
    """In bytes, of the files as they are now."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(place, name).lstat().st_size
            except OSError:
                continue
    return total
