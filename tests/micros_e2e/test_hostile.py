"""Apps and callers that take all that they can get, one after another, while everything else is served in time."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
import urllib3

from storage.micro_logs import logs
from storage.micros.host import FaultKind, Source, State
from storage.micros.hosts import the_host
from tests.micros_e2e.conftest import OBEDIENT
from tests.micros_e2e.neighbours import Neighbours, run_inside
from tests.people import Cast
from tests.running_micros import MicroClient, deploy_micro, told
from tests.serving import Server
from tests.waiting import eventually

LINES = """
import sys
line = "x" * 1023 + "\\n"
for _ in range({kilobytes}):
    sys.stdout.write(line)
found = "printed"
"""
ONE_LINE = """
import os
for _ in range(1000):
    os.write(1, b"y" * 1_000_000)
found = "printed"
"""
FORKS = """
import os
while True:
    with __import__("contextlib").suppress(OSError):
        os.fork()
"""
SPINS = """
import os, time
for _ in range(32):
    if os.fork() == 0:
        while True:
            pass
time.sleep(4)
found = "spun"
"""
MEMORY = """
kept = []
try:
    while True:
        kept.append(bytearray(b"x" * 10_000_000))
except MemoryError:
    found = len(kept)
"""
MEMORY_OF_MANY = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        break
kept = [bytearray(b"x" * 10_000_000) for _ in range(30)]
time.sleep(600)
"""
DISK = """
made = 0
try:
    with open("/tmp/big", "wb") as file:
        while True:
            made += file.write(b"x" * 1_000_000)
except OSError as error:
    found = [made, error.strerror]
"""
NEVER_ENDS = """
start_response("200 OK", [("Content-Type", "text/plain")])
def parts():
    while True:
        yield b"x" * 65_536
is_answered, body = True, parts()
"""
HEADERS = """
start_response("200 OK", [("X-%d" % number, "x" * 8_000) for number in range(200)])
is_answered, body = True, [b""]
"""
CONTROL = """
import os, threading
def flood():
    while True:
        os.write(4, b'{"fault": {"kind": "crashed", "message": "forged"}}\\n' * 100)
threading.Thread(target=flood, daemon=True).start()
found = "flooding"
"""
DOORS = """
import socket
kept = []
for port in (4443, 4280):
    for _ in range(300):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        kept.append(one)
__builtins__["kept"] = kept
found = len(kept)
"""
HANDS_OUT_FILES = """
import array, os, socket
made = 0
with socket.socket(fileno=os.dup(4)) as control, open("/etc/passwd") as file:
    control.setblocking(False)
    try:
        for _ in range(2_000):
            control.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()] * 100))])
            made += 1
    except OSError as error:
        found = [made, error.strerror]
"""


@pytest.fixture(scope="session")
def hostile(server: Server, guides: Cast) -> MicroClient:
    return deploy_micro(server.url, guides.collection.id, {"main.py": OBEDIENT}, name="hostile")


@pytest.fixture
def calm(hostile: MicroClient, neighbours: Neighbours) -> Iterator[None]:
    """Everything else is served before, meanwhile and after; and the Micro itself can be woken again."""
    with neighbours.served_meanwhile():
        yield
    eventually(lambda: _is_put_to_sleep(hostile))
    assert run_inside(hostile, "found = 'well'") == "well"


def _is_put_to_sleep(hostile: MicroClient) -> bool:
    """A caller who was still waiting wakes it once more."""
    is_asleep = the_host().statuses([hostile.micro.id])[hostile.micro.id].state is State.ASLEEP
    if not is_asleep:
        the_host().stop(hostile.micro.id)
    return is_asleep


def _ours(hostile: MicroClient) -> list[str]:
    return [row.text for row in logs.list_lines(micro_id=hostile.micro.id, sources=[Source.SERVER])]


@pytest.mark.usefixtures("calm")
def test_lines_without_end_are_left_out_and_counted(hostile: MicroClient) -> None:
    assert run_inside(hostile, LINES.format(kilobytes=100_000)) == "printed"
    eventually(lambda: any("lines were left out here: more than 200 a second" in text for text in _ours(hostile)))


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_a_gigabyte_of_lines(hostile: MicroClient) -> None:
    hostile.ask("/", "POST", body=LINES.format(kilobytes=1_000_000))
    eventually(lambda: any("lines were left out here: more than 200 a second" in text for text in _ours(hostile)))


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_a_line_of_a_gigabyte(hostile: MicroClient) -> None:
    assert run_inside(hostile, ONE_LINE) == "printed"


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_a_fork_bomb_ends_by_its_own_limits(hostile: MicroClient) -> None:
    assert hostile.ask("/", "POST", body=FORKS).status in (502, 504)


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_processes_that_spin_get_their_share_alone(hostile: MicroClient) -> None:
    assert hostile.ask("/", "POST", body=SPINS).status in (200, 504)


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_one_process_that_takes_memory_lives_on(hostile: MicroClient) -> None:
    assert 20 < run_inside(hostile, MEMORY) < 52


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_many_that_take_memory_are_ended_and_the_caller_is_told(hostile: MicroClient) -> None:
    answer = hostile.ask("/", "POST", body=MEMORY_OF_MANY)
    assert (answer.status, told(answer)["errors"]) == (
        502,
        ["The app used too much memory", "It used more than its 512 MB of memory."],
    )
    status = the_host().statuses([hostile.micro.id])[hostile.micro.id]
    assert status.state is State.FAILED
    assert status.fault
    assert status.fault.kind is FaultKind.MEMORY


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_tmp_is_full_at_its_size(hostile: MicroClient) -> None:
    answer = hostile.ask("/", "POST", body=DISK)
    # Where memory is counted by the kernel, what is in /tmp counts as well.
    if answer.status == 200:
        made, words = told(answer)
        assert 400_000_000 < made <= 512 * 1_048_576
        assert words in ("No space left on device", "File too large")
    else:
        assert "memory" in answer.data.decode()


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_an_answer_that_never_ends_fast_or_slow(hostile: MicroClient) -> None:
    """Fifteen callers: some take all they can, most take nothing."""
    callers = []
    for number in range(15):
        caller = hostile.connect()
        callers.append(caller)
        caller.sendall(
            f"POST / HTTP/1.1\r\nHost: {hostile.host}\r\nContent-Length: {len(NEVER_ENDS)}\r\n\r\n{NEVER_ENDS}".encode()
        )
        assert caller.recv(12) == b"HTTP/1.1 200"
        for _ in range(200 if number < 3 else 1):
            assert caller.recv(65_536)
    for caller in callers:
        caller.close()


@pytest.mark.usefixtures("calm")
def test_a_flood_of_headers_from_the_app_is_refused(hostile: MicroClient) -> None:
    answer = hostile.ask("/", "POST", body=HEADERS)
    assert (answer.status, told(answer)["errors"][0]) == (502, "The app's answer can't be passed on")


@pytest.mark.usefixtures("calm")
def test_a_flood_of_headers_from_a_caller_never_reaches_the_app(hostile: MicroClient) -> None:
    with contextlib.suppress(urllib3.exceptions.ProtocolError):
        answer = hostile.ask(headers={f"X-{number}": "x" * 8_000 for number in range(200)})
        assert answer.status in (400, 431)


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_bodies_that_never_end_hold_nobody_up(hostile: MicroClient) -> None:
    """Two hundred callers that have announced 5 MB and send a byte now and then."""
    head = f"POST / HTTP/1.1\r\nHost: {hostile.host}\r\nContent-Length: 5000000\r\n\r\n".encode()
    callers: list[socket.socket] = []
    for _ in range(200):
        caller = hostile.connect()
        caller.sendall(head + b"x" * 10)
        callers.append(caller)
    for _ in range(10):
        for caller in callers:
            with contextlib.suppress(OSError):
                caller.sendall(b"x")
        assert run_inside(hostile, "found = 1") == 1
    for caller in callers:
        caller.close()


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_a_flood_on_the_control_socket_is_the_apps_own_affair(hostile: MicroClient) -> None:
    assert run_inside(hostile, CONTROL) == "flooding"
    for _ in range(5):
        hostile.ask()


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_files_passed_out_of_the_sandbox_fill_nobodys_table(hostile: MicroClient) -> None:
    hostile.ask("/", "POST", body=HANDS_OUT_FILES)


@pytest.mark.slow
@pytest.mark.usefixtures("calm")
def test_more_connections_than_the_doors_take_wait_inside(hostile: MicroClient) -> None:
    assert run_inside(hostile, DOORS) == 600
    assert run_inside(hostile, "found = 1") == 1
