"""The processes of the web server: its main process killed, a worker frozen."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import httpx
import psutil

from console.server import processes
from tests.processes import lives, living_children
from tests.server.slow import make_app
from tests.serving import ROOT, Server, child_of_serve, kill
from tests.waiting import MOMENT_SECONDS, PROMISED_SECONDS, eventually, seconds_until


def main_process(server: Server) -> psutil.Process:
    return child_of_serve(server, "console.listener")


def main_processes(server: Server) -> list[psutil.Process]:
    """The main process, or none while there is none."""
    return server.children("console.listener", at_any_depth=False)


def is_served(server: Server) -> bool:
    try:
        return httpx.get(f"{server.url}/healthz", timeout=PROMISED_SECONDS, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def test_the_port_goes_on_answering_when_the_main_process_is_killed(own_server: Server) -> None:
    """It took 10 to 18 seconds on a busy machine, as the workers that were left were ended first."""
    busy = [threading.Thread(target=spin, args=(until := time.monotonic() + 8,)) for _ in range(4)]
    for each in busy:
        each.start()
    old = main_process(own_server)
    orphans = living_children(old)

    kill(old)
    began = time.monotonic()
    while time.monotonic() < until:
        assert is_served(own_server)
        time.sleep(0.05)
    for each in busy:
        each.join()

    assert time.monotonic() - began < MOMENT_SECONDS
    eventually(lambda: [len(living_children(main)) for main in main_processes(own_server) if main != old] == [2])
    eventually(lambda: not any(lives(orphan) for orphan in orphans), what="the old workers go on for ever")
    assert is_served(own_server)


def spin(until: float) -> None:
    """Keep a processor busy."""
    while time.monotonic() < until:
        sum(range(10_000))


def test_a_stopped_server_leaves_no_worker_behind_even_if_its_main_process_was_killed(own_server: Server) -> None:
    old = main_process(own_server)
    orphans = living_children(old)
    kill(old)

    own_server.stop()

    assert not any(lives(orphan) for orphan in orphans)


def test_a_frozen_worker_is_replaced_and_others_serve_meanwhile(own_server: Server) -> None:
    app = make_app(own_server)
    main = main_process(own_server)
    frozen = living_children(main)[0]

    frozen.send_signal(signal.SIGSTOP)
    for _ in range(5):
        assert app.call("GET", "/items/a").status_code == 200
    gone = seconds_until(lambda: not lives(frozen))

    assert gone < processes.FROZEN_SECONDS + PROMISED_SECONDS
    eventually(lambda: len(living_children(main)) == 2)
    assert main_process(own_server) == main
    assert app.call("GET", "/items/a").status_code == 200


def test_workers_that_die_again_and_again_end_the_main_process() -> None:
    """So that `serve` starts it anew, with a pause that grows."""
    code = "import sys\nfrom console.server.processes import Processes\n"
    code += "sys.exit(Processes(2, lambda number, beat: None, stop_seconds=1).run())"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=MOMENT_SECONDS).returncode == 1


def test_workers_take_what_serve_was_told_with_them(make_server: Callable[..., Server]) -> None:
    server = make_server(HOMEPORT_WORKERS="3").start()
    server.wait_ready()

    assert len(living_children(main_process(server))) == 3
