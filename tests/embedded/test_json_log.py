"""A server whose log is JSON: whatever any of its processes writes is an entry, from the first line to the last."""

import json
import signal
from functools import partial
from typing import Any

import httpx
import pytest

from tests.embedded.servers import making_servers
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS, eventually

# In a process that begins as the web server's does, something goes wrong that nobody catches.
_BROKEN = """
import os, signal, sys, threading, time, warnings
from storage import json_output
json_output.begin()
import django
django.setup()
warnings.warn("an old way", stacklevel=1)
threading.Thread(target=lambda: 1 // 0).start()
print("printed")
from console.server.processes import Processes
def work(number, beat):
    raise RuntimeError("a worker fell")
threading.Timer(2, os.kill, [os.getpid(), signal.SIGTERM]).start()
Processes(1, work, stop_seconds=5).run()
raise LookupError("the end")
"""


def entries(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
def test_a_server_writes_nothing_but_json() -> None:
    with making_servers() as make:
        server: Server = make(HOMEPORT_LOG_FORMAT="json", HOMEPORT_MICROS="true").start()
        server.wait_ready()
        with httpx.Client(base_url=server.url, timeout=MOMENT_SECONDS) as http:
            asked = http.get("/static/none.svg")
            assert asked.status_code == 404
            http.get("/", headers={"Host": "foreign.example"})
        eventually(lambda: asked.headers["X-Request-ID"] in server.log)
        # What dies is told of, and started again.
        for times, word in enumerate(("console.listener", "procrastinate", "storage.micros"), 1):
            server.children(word, at_any_depth=False)[0].send_signal(signal.SIGKILL)
            eventually(partial(_has_started_again, server, times))
        eventually(server.is_ready)
        refused = server.run("serve")
        broken = server._run(server.folder, server.command[0], "-c", _BROKEN)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(MOMENT_SECONDS) == 0
        told = entries(server.log)
    messages = [entry["message"] for entry in told]
    assert any("Homeport is ready" in message for message in messages)
    assert any("/welcome/" in message for message in messages)
    assert messages[-1] == "Stopped."
    assert {entry.get("request_id") for entry in told} >= {asked.headers["X-Request-ID"]}
    (refusal,) = entries(refused.stderr)
    assert "running already" in refusal["message"]
    assert [entry["message"] for entry in entries(broken.stdout)] == ["printed"]
    uncaught = "".join(entry.get("exc_info", entry["message"]) for entry in entries(broken.stderr))
    for text in ("an old way", "ZeroDivisionError", "a worker fell", "LookupError: the end"):
        assert text in uncaught


def _has_started_again(server: Server, times: int) -> bool:
    return server.log.count("was started again") == times
