"""The processes of the web server: its main process killed, a worker frozen."""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest

from console.server import processes
from tests.embedded.servers import making_servers
from tests.processes import lives, living_children
from tests.server.slow import make_app
from tests.serving import ROOT, Server, child_of_serve, kill
from tests.waiting import MOMENT_SECONDS, NOTHING_SECONDS, PROMISED_SECONDS, eventually, seconds_until

# Another number than the one that it chooses by itself.
WORKERS = 3


@pytest.fixture(scope="module")
def hardy_server() -> Iterator[Server]:
    """One for all tests here: each leaves it as well as it found it."""
    with making_servers() as make:
        server = make(HOMEPORT_WORKERS=str(WORKERS)).start()
        server.wait_ready()
        yield server


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


@pytest.mark.slow
def test_the_port_goes_on_answering_when_the_main_process_is_killed(hardy_server: Server) -> None:
    """It took 10 to 18 seconds on a busy machine, as the workers that were left were ended first."""
    is_over = threading.Event()
    busy = [threading.Thread(target=spin, args=(is_over,)) for _ in range(4)]
    for each in busy:
        each.start()
    old = main_process(hardy_server)
    orphans = living_children(old)

    kill(old)
    eventually(lambda: main_processes(hardy_server) not in ([], [old]))
    assert all(lives(orphan) for orphan in orphans), "they were ended before there were others"

    def is_whole_again() -> bool:
        """It answers at every moment until then."""
        assert is_served(hardy_server)
        return [len(living_children(main)) for main in main_processes(hardy_server) if main != old] == [WORKERS]

    try:
        eventually(is_whole_again)
    finally:
        is_over.set()
        for each in busy:
            each.join()
    eventually(lambda: not any(lives(orphan) for orphan in orphans), what="the old workers go on for ever")
    assert is_served(hardy_server)


def spin(is_over: threading.Event) -> None:
    """Keep a processor busy."""
    while not is_over.is_set():
        sum(range(10_000))


@pytest.mark.slow
def test_a_frozen_worker_is_replaced_and_others_serve_meanwhile(hardy_server: Server) -> None:
    app = make_app(hardy_server)
    main = main_process(hardy_server)
    frozen = living_children(main)[0]

    frozen.send_signal(signal.SIGSTOP)
    for _ in range(5):
        assert app.call("GET", "/items/a").status_code == 200
    gone = seconds_until(lambda: not lives(frozen))

    assert gone < processes.FROZEN_SECONDS + PROMISED_SECONDS
    eventually(lambda: len(living_children(main)) == WORKERS)
    assert main_process(hardy_server) == main
    assert app.call("GET", "/items/a").status_code == 200


@pytest.mark.slow
def test_a_stopped_server_leaves_no_worker_behind_even_if_its_main_process_was_killed(hardy_server: Server) -> None:
    old = main_process(hardy_server)
    orphans = living_children(old)
    kill(old)

    hardy_server.stop()

    assert not any(lives(orphan) for orphan in orphans)
    hardy_server.start().wait_ready()


def test_workers_that_die_again_and_again_end_the_main_process() -> None:
    """So that `serve` starts it anew, with a pause that grows."""
    code = "import sys\nfrom console.server.processes import Processes\n"
    code += "sys.exit(Processes(2, lambda number, beat: None, stop_seconds=1).run())"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=MOMENT_SECONDS).returncode == 1


# Prints the number of its worker each time that one is started. Less patient than it is, as the test waits for as long.
_PATIENT = """
import os, signal, time
from console.server import processes
processes.FROZEN_SECONDS = 3.0
Beats, Processes = processes.Beats, processes.Processes
has_slept = False

def sleep():
    global has_slept
    if not has_slept:
        has_slept = True
        os.kill(os.getpid(), signal.SIGSTOP)

def work(number, beat):
    print(os.getpid(), flush=True)
    while True:
        beat()
        time.sleep(0.1)

{moment}
Processes(1, work, stop_seconds=1).run()
"""
# Where the main process is when the machine falls asleep.
_ASLEEP = {
    "waiting": "wait = Processes._wait\nProcesses._wait = lambda self, seconds: (wait(self, seconds), sleep())",
    "starting": "start = Processes._start\nProcesses._start = lambda self, worker: (start(self, worker), sleep())",
    "about to look": "since = Beats.seconds_since\nBeats.seconds_since = lambda self, worker: (sleep(), since(self, worker))[1]",
    "looking": "since = Beats.seconds_since\nBeats.seconds_since = lambda self, worker: (since(self, worker), sleep())[0]",
    "at the end": "kill = Processes._kill_frozen\nProcesses._kill_frozen = lambda self, *found: (kill(self, *found), sleep())",
}


@pytest.mark.parametrize("moment", _ASLEEP)
def test_workers_of_a_machine_that_slept_are_let_be(moment: str) -> None:
    code = _PATIENT.format(moment=_ASLEEP[moment])
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        main, worker = psutil.Process(process.pid), psutil.Process(int(process.stdout.readline()))
        try:
            eventually(lambda: main.status() == psutil.STATUS_STOPPED)
            worker.suspend()
            time.sleep(3.5)
            # It looks for its worker's last sign of life before that had the time to give another one.
            main.resume()
            time.sleep(processes._LOOK_SECONDS + NOTHING_SECONDS)
            assert lives(worker), "the worker was ended"
            worker.resume()
            time.sleep(NOTHING_SECONDS)
        finally:
            process.terminate()
            for each in (main, worker):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.resume()
        assert process.stdout.read() == "", "the worker was replaced"


@pytest.mark.slow
def test_workers_take_what_serve_was_told_with_them(hardy_server: Server) -> None:
    assert len(living_children(main_process(hardy_server))) == WORKERS
