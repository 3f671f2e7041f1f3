"""`python -m storage.micros`: the process that runs this machine's Micros, put together from its parts, as `serve` starts it."""

import asyncio
import logging
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import django
import uvloop
from django.conf import settings

from storage import json_output
from storage.embedded import leftovers
from storage.embedded.micros.builds import Builds
from storage.embedded.micros.control import Control, ControlWhenOff
from storage.embedded.micros.egress import Egress
from storage.embedded.micros.finding import NoSandbox, find_means
from storage.embedded.micros.host_paths import HostPaths
from storage.embedded.micros.indexes import find_indexes
from storage.embedded.micros.launching import Launcher
from storage.embedded.micros.log import Log
from storage.embedded.micros.reach import Reach
from storage.embedded.micros.sandbox import Limits, Means
from storage.embedded.micros.supervisor import Supervisor, clear_sockets
from storage.embedded.micros.surroundings import Bounds, Surroundings

logger = logging.getLogger("homeport.micros")

_FETCHES_AT_ONCE = 4
_MB = 1_048_576
_NPM = "lib/node_modules/npm/bin/npm-cli.js"


def main() -> None:
    """Run until SIGTERM."""
    json_output.begin()
    django.setup()
    uvloop.run(_run())


async def _run() -> None:
    from storage.micros import hosts  # Django is set up by now

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    places = hosts.the_places()
    places.make()
    clear_sockets(places)
    try:
        means = find_means(
            places,
            name=f"homeport-{_server_id()}",
            authority=settings.DATA / "tls" / "ca.pem",
            marks=leftovers.sandbox_marks(_server_id(), settings.DATA),
        )
    except NoSandbox as reason:
        logger.warning("%s", reason)
        async with await ControlWhenOff(HostPaths(places).hide(str(reason))).serve(places.control):
            await stopped.wait()
        return
    supervisor, control = _make(means)
    async with await control.serve(places.control):
        await supervisor.run(stopped)
    if means.cgroups:
        means.cgroups.remove()


def _make(means: Means) -> tuple[Supervisor, Control]:
    from storage.micro_logs import logs
    from storage.micros import copies, hosts, wanted

    places, node = hosts.the_places(), means.programs.node
    fetching = ThreadPoolExecutor(_FETCHES_AT_ONCE, thread_name_prefix="fetch")
    group = means.account.gid if means.account else None

    async def fetch(asked: wanted.Wanted) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(fetching, lambda: copies.fetch(asked, places, group=group))
        await loop.run_in_executor(fetching, launcher.make_ready, asked)

    log = Log(logs.add_lines)
    launcher = Launcher(means, places, _limits())
    around = Surroundings(
        places=places,
        launcher=launcher,
        egress=Egress(Reach(settings.MICROS_MAY_REACH)),
        bounds=_bounds(),
        fetch=fetch,
        tell=log.add,
        now=time.monotonic,
    )
    supervisor = Supervisor(
        around,
        log,
        list_wanted=wanted.list_wanted,
        sweep=lambda in_use: copies.sweep_copies(places, in_use=in_use),
    )
    builds = Builds(around, find_indexes=lambda: find_indexes(node / "bin/node", node / _NPM))
    # The first who asks would wait for it.
    asyncio.get_running_loop().run_in_executor(fetching, launcher.runtimes)
    return supervisor, Control(supervisor, builds, list_runtimes=launcher.runtimes)


def _server_id() -> str:
    """Of this data folder; `hosts.the_places` has found that there is one."""
    return settings.LOCAL_STATE.instance_id if settings.LOCAL_STATE else ""


def _limits() -> Limits:
    return Limits(memory_mb=settings.MICRO_MEMORY_MB, tmp_mb=settings.MICRO_TMP_MB, processes=settings.MICRO_PROCESSES)


def _bounds() -> Bounds:
    return Bounds(
        request_seconds=settings.MICRO_REQUEST_SECONDS,
        start_seconds=settings.MICRO_START_SECONDS,
        build_seconds=settings.MICRO_BUILD_SECONDS,
        memory_bytes=settings.MICRO_MEMORY_MB * _MB,
    )


if __name__ == "__main__":
    main()
