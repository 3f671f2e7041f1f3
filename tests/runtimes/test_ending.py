"""How an instance ends: when nobody asks any more, when it is drained, and when nobody is left to serve for."""

import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from storage.embedded.micros import commands
from tests.runtimes.conftest import StartApp, real_paths
from tests.runtimes.instances import Instance, listen, start
from tests.waiting import MOMENT_SECONDS, NOTHING_SECONDS, eventually

SLOW = {
    "python": {
        "main.py": """
import asyncio, atexit
from contextlib import asynccontextmanager
from fastapi import FastAPI

go = asyncio.Event()

@asynccontextmanager
async def lifespan(app):
    yield
    print("app ended")

app = FastAPI(lifespan=lifespan)
atexit.register(print, "process ended")

@app.get("/")
async def hello():
    return "hello"

@app.get("/slow")
async def slow():
    print("slow began")
    await go.wait()
    return "slow"

@app.get("/go")
async def release():
    go.set()
"""
    },
    "node": {
        "index.js": """
const app = require("fastify")();
let go;
const gone = new Promise((resolve) => { go = resolve; });
app.get("/", async () => "hello");
app.get("/slow", async () => { console.log("slow began"); await gone; return "slow"; });
app.get("/go", async () => { go(); return ""; });
app.addHook("onClose", async () => console.log("app ended"));
process.on("exit", () => console.log("process ended"));
module.exports = app;
"""
    },
}
KINDS = pytest.mark.parametrize("kind", ["python", "node"])


def start_ready(start_app: StartApp, kind: str, **environment: str) -> Instance:
    instance = start_app(kind, SLOW[kind], **environment)
    message = instance.first_message()
    assert message.get("ready"), message
    return instance


def connect(instance: Instance) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(MOMENT_SECONDS)
    connection.connect(str(instance.socket_path))
    return connection


def ask(connection: socket.socket, path: str) -> bytes:
    """Send a request on a connection that is open already, and read until it is closed."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n".encode())
    with connection, connection.makefile("rb") as answer:
        return answer.read()


def is_more(statuses: list[bytes], enough: int) -> bool:
    return len(statuses) > enough


def is_accepted(instance: Instance, connections: int) -> bool:
    """Has the process as many connected sockets, beside its listening and its control socket?"""
    descriptors = Path(f"/proc/{instance.process.pid}/fd").iterdir()
    return sum(str(each.readlink()).startswith("socket:") for each in descriptors) >= 2 + connections


@KINDS
def test_it_ends_by_itself_when_nobody_asks(start_app: StartApp, kind: str) -> None:
    instance = start_app(kind, SLOW[kind], HOMEPORT_IDLE_SECONDS="0.3")
    # Asked while it starts: a busy machine may take longer than 0.3 seconds to ask once it is ready.
    assert b"200 OK" in ask(connect(instance), "/")
    assert instance.wait() == 0
    instance.find("app ended")
    instance.find("process ended")


@KINDS
def test_it_does_not_end_while_somebody_waits_for_an_answer(start_app: StartApp, kind: str) -> None:
    instance = start_app(kind, SLOW[kind], HOMEPORT_IDLE_SECONDS="0.2")
    waiting = connect(instance)
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(ask(waiting, "/slow")))
    asking.start()
    instance.find("slow began")
    with pytest.raises(subprocess.TimeoutExpired):
        instance.process.wait(timeout=NOTHING_SECONDS)
    assert instance.get("/go").is_success
    asking.join()
    assert b"slow" in answers[0]
    assert instance.wait() == 0


@KINDS
def test_drained_it_finishes_what_was_accepted_even_what_was_not_asked_yet(start_app: StartApp, kind: str) -> None:
    instance = start_ready(start_app, kind)
    silent, slow, kept = connect(instance), connect(instance), connect(instance)
    eventually(lambda: is_accepted(instance, 3))
    kept.sendall(b"GET / HTTP/1.1\r\nHost: m\r\n\r\n")
    heard = b""
    while b"hello" not in heard:  # head and body may come apart
        part = kept.recv(65_536)
        assert part, heard
        heard += part
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(ask(slow, "/slow")))
    asking.start()
    instance.find("slow began")

    instance.drain()
    assert kept.recv(65_536) == b""  # one that is kept alive has had its answer
    kept.close()
    late = connect(instance)  # waits for the next instance: this one accepts no more
    late.sendall(b"GET / HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n")
    late.settimeout(NOTHING_SECONDS)
    with pytest.raises(TimeoutError):
        late.recv(1)
    assert b"200 OK" in ask(silent, "/go")
    asking.join()
    assert b"200 OK" in answers[0]
    assert instance.wait() == 0
    instance.find("app ended")
    late.close()


@KINDS
def test_asked_by_a_signal_it_drains(start_app: StartApp, kind: str) -> None:
    instance = start_ready(start_app, kind)
    instance.process.send_signal(signal.SIGTERM)
    assert instance.wait() == 0
    instance.find("app ended")


@KINDS
def test_it_ends_at_once_with_who_started_it(start_app: StartApp, kind: str) -> None:
    instance = start_ready(start_app, kind)
    waiting = connect(instance)
    waiting.sendall(b"GET /slow HTTP/1.1\r\nHost: m\r\n\r\n")
    instance.find("slow began")
    instance.control.shutdown(socket.SHUT_RDWR)
    instance.wait()
    waiting.close()


@KINDS
def test_one_takes_over_from_another_without_losing_a_request(
    kind: str, packages: Callable[[str], Path], tmp_path: Path
) -> None:
    """Instances end after every few requests while eight callers ask without a pause; each of them is answered."""
    code = tmp_path / "app"
    code.mkdir()
    for name, text in SLOW[kind].items():
        (code / name).write_text(text)
    command = commands.serve(kind, real_paths(code, packages(kind)))
    is_over = threading.Event()
    statuses: list[bytes] = []

    def ask_on(path: str) -> None:
        while not is_over.is_set():
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(MOMENT_SECONDS)
            connection.connect(path)
            statuses.append(ask(connection, "/").split(b"\r\n")[0])

    with listen(tmp_path / "s") as listener:
        callers = [threading.Thread(target=ask_on, args=(str(tmp_path / "s"),)) for _ in range(8)]
        for caller in callers:
            caller.start()
        for turn in range(4):
            with start(command, listener) as instance:
                assert instance.first_message()["ready"]
                enough = len(statuses) + 20
                eventually(partial(is_more, statuses, enough))
                if turn == 3:
                    is_over.set()
                    for caller in callers:
                        caller.join()
                instance.drain()
                assert instance.wait() == 0
    assert set(statuses) == {b"HTTP/1.1 200 OK"}
