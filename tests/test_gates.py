"""What stands guard over code and packages: that it finds what it is there for, and says what came of it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from tests.waiting import LONG_SECONDS

ROOT = Path(__file__).resolve().parent.parent
WEAK = """
import subprocess, hashlib
subprocess.call(input(), shell=True)
hashlib.md5(b"a")
"""


def hooks() -> dict[str, str]:
    """The command of each check of `make lint`."""
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    return {hook["id"]: hook["entry"] for hook in repository["hooks"]}


def test_bandit_is_among_the_checks_and_finds_weaknesses(tmp_path: Path) -> None:
    command = hooks()["bandit"].split()
    assert command[0] == ".venv/bin/bandit"
    assert {"console", "storage", "homeport", "manage.py"} <= set(command)
    (tmp_path / "weak.py").write_text(WEAK)
    options = [*command[1 : command.index("--recursive")], "--format", "json", str(tmp_path / "weak.py")]
    found = subprocess.run(
        [sys.executable, "-m", "bandit", *options], cwd=ROOT, capture_output=True, timeout=LONG_SECONDS
    )
    assert found.returncode == 1
    assert {result["test_id"] for result in json.loads(found.stdout)["results"]} == {"B602", "B324"}


class Index(BaseHTTPRequestHandler):
    """Stands for who knows of weaknesses, and knows one: of Django, whichever version is pinned."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = asked["package"]["name"]
        affected = {
            "package": {"name": name, "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
        known = {"vulns": [{"id": "TEST-1", "summary": "It is weak", "affected": [affected]}]}
        body = json.dumps(known if name == "django" and self.server.knows_one else {}).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: what it was asked is no news."""


@pytest.fixture
def index() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        server.knows_one = True  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def audit(*options: str) -> "subprocess.CompletedProcess[str]":
    """`make audit`, in a network in which nobody else can be reached."""
    nobody = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
    return subprocess.run(
        [sys.executable, ".ci/audit.py", *options],
        cwd=ROOT,
        env={**os.environ, **nobody},
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
    )


@pytest.mark.parametrize("knows_one", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_audit_asks_about_every_pinned_version(index: ThreadingHTTPServer, knows_one: bool) -> None:
    index.knows_one = knows_one  # type: ignore[attr-defined]
    pinned = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]

    done = audit("--vulnerability-service", "osv", "--osv-url", f"http://127.0.0.1:{index.server_port}/v1/query")

    assert done.returncode == (1 if knows_one else 0), done.stdout + done.stderr
    assert f"{len(pinned)} packages, {1 if knows_one else 0} known weaknesses." in done.stdout
    assert ("TEST-1, mended in 99.1" in done.stdout) == knows_one


def test_audit_says_when_nobody_could_be_asked(tmp_path: Path) -> None:
    done = audit("--cache-dir", str(tmp_path))
    assert done.returncode == 2
    assert "The versions were not checked" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
