"""The real `manage.py serve` as a child of the tests: start it, wait for it, fault it, stop it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import urllib3

from tests import held_ports
from tests.waiting import MOMENT_SECONDS, PROMISED_SECONDS, eventually

ROOT = Path(__file__).resolve().parent.parent

_MAKE_KEY = """
import django
django.setup()
from storage.collections import collections, keys
made = collections.create_collection({!r})
print(made.id, keys.create_key(collection_id=made.id, name="Made by a test").text)
"""


class Server:
    """One running server: its addresses, its data folder, its process and what it printed.

    It is the checkout's, unless `command` and `folder` name another way to start one, and where.
    """

    command: Sequence[str] = (sys.executable, "manage.py")
    folder = ROOT

    def __init__(self, data: Path, port: int, tls_port: int, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.url = f"http://127.0.0.1:{port}"
        self.tls_url = f"https://localhost:{tls_port}"
        self.ca_path = data / "tls" / "ca.pem"
        self.log_path = data.with_name(f"{data.name}.log")
        self.environment = {
            **os.environ,
            "HOMEPORT_DATA": str(data),
            "HOMEPORT_PORT": str(port),
            "HOMEPORT_TLS_PORT": str(tls_port),
            **(environment or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Server":
        """Start it without waiting."""
        held_ports.let_go(self.data)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, "serve"], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        return self

    def wait_ready(self, seconds: float = MOMENT_SECONDS) -> float:
        """Wait until both engines answer through it; returns how long that took. Fails with its log if it doesn't come."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"serve ended with {self.process.returncode}:\n{self.log}")
            if self.is_ready():
                return time.monotonic() - started
            time.sleep(0.05)
        raise AssertionError(f"serve was not ready after {seconds} s:\n{self.log}")

    def is_ready(self) -> bool:
        """Whether `/readyz` says so."""
        try:
            # Not by httpx, which reads all certificates for a client of its own each time.
            return urllib3.request("GET", f"{self.url}/readyz", timeout=PROMISED_SECONDS, retries=False).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run another of its commands against this server."""
        return self._run(self.folder, *self.command, *command)

    def run_code(self, code: str) -> str:
        """Run Python with this server's settings; what it printed. Fails with its errors if it does."""
        done = self._run(ROOT, sys.executable, "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def make_key(self, collection: str) -> tuple[str, str]:
        """The id of a new collection and a data key of it, made by one process."""
        made = self.run_code(_MAKE_KEY.format(collection)).split()
        return made[0], made[1]

    def _run(self, folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, cwd=folder, env=self.environment, capture_output=True, text=True, timeout=MOMENT_SECONDS
        )

    def stop(self, seconds: float = MOMENT_SECONDS) -> None:
        """Stop it the usual way and clear its log away; a server that doesn't go is killed and fails the test."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"serve did not stop within {seconds} s:\n{self.log}") from None
        assert code == 0, self.log
        self.log_path.unlink(missing_ok=True)
        self.process = None

    @property
    def log(self) -> str:
        """What it printed so far."""
        return self.log_path.read_text(errors="replace")

    def children(self, word: str, *, at_any_depth: bool = True) -> list[psutil.Process]:
        """Its processes whose command line holds the word; else only those that serve started itself."""
        assert self.process is not None
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=at_any_depth):
            try:
                if word in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found


def child_of_serve(server: Server, word: str) -> psutil.Process:
    """The one process that serve itself started whose command line holds the word, as soon as it runs."""
    (child,) = eventually(lambda: server.children(word, at_any_depth=False), what=word)
    return child


def kill(process: Any) -> None:
    """kill -9, and wait until it is gone."""
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=MOMENT_SECONDS)
