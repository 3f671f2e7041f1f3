"""Installs a deployment's dependencies: the commands of `installing.py`, each in a sandbox, bounded in time and size."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from storage import limits
from storage.embedded.micros import installing
from storage.embedded.micros.doors import Serve
from storage.embedded.micros.enclosures import Spawn
from storage.embedded.micros.indexes import Indexes
from storage.embedded.micros.runtimes import UnknownRuntime
from storage.embedded.micros.sandbox import Sandboxed
from storage.embedded.micros.steps import Failed, run_step, size_of
from storage.embedded.micros.surroundings import Surroundings
from storage.micro_host import Built, Wanted

_WORDS_CHARACTERS = 4_000
# How uv and npm begin one.
_COMPLAINT = re.compile(r"^(?:error:|npm error|[^\S\n]*+\u00d7)", re.MULTILINE)

Tell = Callable[[str], None]
Hide = Callable[[str], str]


async def install(wanted: Wanted, around: Surroundings, *, indexes: Indexes, tell: Tell) -> Built:
    """Install into the folder of the deployment's dependencies, which is made empty; its code has to be there.

    Without anything to install the folder is not made.
    """
    runs_on = ""
    loop = asyncio.get_running_loop()
    hide = around.launcher.host_paths.hiding(wanted)
    try:
        await loop.run_in_executor(None, around.launcher.make_ready, wanted)
        runs_on = around.launcher.say_what_runs(wanted)
        plan = await loop.run_in_executor(None, _plan, wanted, around)
        if not plan.commands or wanted.dependencies_id is None:
            return Built(is_done=True, runs_on=runs_on)
        folder = around.places.dependencies(wanted.dependencies_id)
        await loop.run_in_executor(None, _make_folder, folder, plan.files, around.launcher.give)
        environment = {**indexes.environment, **plan.environment}
        proxy = partial(around.egress.serve, trusted=indexes.hosts)

        def launch(command: Sequence[str], inside: str, environment: Mapping[str, str], control: int) -> Sandboxed:
            return around.launcher.launch_build(
                wanted, command, folder=inside, environment=environment, control=control
            )

        async with asyncio.timeout(around.bounds.build_seconds):
            for command in plan.commands:
                await _run(partial(launch, command, plan.folder, environment), folder, proxy, tell, hide)
        return Built(
            is_done=True, runs_on=runs_on, dependencies_bytes=await loop.run_in_executor(None, size_of, folder)
        )
    except TimeoutError:
        seconds = around.bounds.build_seconds
        return Built(is_done=False, runs_on=runs_on, reason=f"Installing took longer than {seconds:g} seconds.")
    except (Failed, UnknownRuntime, OSError) as error:
        return Built(is_done=False, runs_on=runs_on, reason=hide(str(error)))


async def _run(spawn: Spawn, folder: Path, proxy: Serve, tell: Tell, hide: Hide) -> None:
    """One command. Raises Failed, OSError and TimeoutError."""
    most = limits.MICRO_DEPENDENCIES_MAX_BYTES
    too_large = f"What is installed has more than {most // 1_048_576} MB, the most that a Micro may have."
    ended = await run_step(
        spawn, proxy=proxy, folder=folder, most_bytes=most, too_large=too_large, hide=hide, tell=tell
    )
    if ended.ran_out_of_memory:
        raise Failed("Installing used more memory than a build may.")
    if ended.code != 0:
        raise Failed(_reason(ended.printed) or f"The installer ended with {ended.code}.")


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
