"""The supervisor without a database: what should run is in a file, and the log goes into another.

`python -m tests.embedded.micros.stand FOLDER` runs it on a folder that `Stand` has laid out.
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import uvloop

from storage.embedded.micros import places as places_of
from storage.embedded.micros.builds import Builds
from storage.embedded.micros.control import Control
from storage.embedded.micros.egress import Egress
from storage.embedded.micros.finding import find_means
from storage.embedded.micros.indexes import Indexes
from storage.embedded.micros.launching import Launcher
from storage.embedded.micros.log import Log
from storage.embedded.micros.reach import Reach
from storage.embedded.micros.sandbox import Limits
from storage.embedded.micros.supervisor import Supervisor
from storage.embedded.micros.surroundings import Bounds, Surroundings
from storage.micro_host import Line, Wanted


def main(root: Path) -> None:
    settings = json.loads((root / "settings.json").read_text())
    places = places_of.places(root)
    bounds = Bounds(**settings["bounds"])
    means = find_means(places, name=f"homeport-test-{root.name}")

    def keep(lines: Sequence[Line]) -> None:
        with (root / "log").open("ab") as file:
            file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))

    launcher = Launcher(means, places, Limits(memory_mb=bounds.memory_bytes // 1_048_576))
    indexes = Indexes(settings["index_environment"], frozenset(settings["index_hosts"]))

    async def fetch(wanted: Wanted) -> None:
        await asyncio.get_running_loop().run_in_executor(None, launcher.make_ready, wanted)

    async def run() -> None:
        log = Log(keep)
        around = Surroundings(
            places=places,
            launcher=launcher,
            egress=Egress(Reach(settings["may_reach"])),
            bounds=bounds,
            fetch=fetch,
            tell=log.add,
            now=time.monotonic,
        )
        read = lambda: msgspec.json.decode((root / "wanted.json").read_bytes(), type=list[Wanted])  # noqa: E731
        supervisor = Supervisor(around, log, list_wanted=read, sweep=lambda _: None)
        await Control(supervisor, Builds(around, find_indexes=lambda: indexes), list_runtimes=launcher.runtimes).serve(
            places.control
        )

        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        await supervisor.run(stopped)

    uvloop.run(run())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
