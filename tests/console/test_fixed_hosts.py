"""Clients that speak to `database.deta.sh` and `drive.deta.sh` alone: the setting, and all of it in a network namespace."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from console import serving, settings
from console.management.commands import serve
from tests.sdk.test_npm_client import INSTALLED, _install_client
from tests.serving import ROOT
from tests.waiting import LONG_SECONDS

HOSTS = ("database.deta.sh", "drive.deta.sh")
SCRIPT = """
import { Deta } from "deta"
const main = Deta(process.env.DETA_PROJECT_KEY)
const item = await main.Base("b").get("a")
const { names } = await main.Drive("d").list()
console.log(JSON.stringify({ item, names }))
"""


def loaded(**environment: str) -> str:
    """What the settings say, in a process of their own."""
    code = "from django.conf import settings as s; print(s.ORIGINAL_HOSTS, s.ALLOWED_HOSTS[-2:], s.GIVEN_HOSTS)"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "console.settings"} | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_the_setting_names_them() -> None:
    assert loaded(HOMEPORT_ORIGINAL_HOSTS="true", HOMEPORT_ALLOWED_HOSTS="") == f"{list(HOSTS)} {list(HOSTS)} []"
    assert settings.ORIGINAL_HOSTS == []


def test_they_are_in_the_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.settings, "ALLOWED_HOSTS", ["localhost", *HOSTS])
    assert set(HOSTS) <= set(serving.certificate_names())


def test_443_is_taken_where_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    said: list[str] = []
    command = serve.Command()
    monkeypatch.setattr(command, "_say", said.append)
    monkeypatch.setattr(serving, "open_sockets", lambda port: asked.append(port) or [])
    assert (command._open_for_original_clients(), asked) == ([], [])
    monkeypatch.setattr(serve.settings, "ORIGINAL_HOSTS", list(HOSTS))
    command._open_for_original_clients()
    assert (asked, said) == ([443], [])

    def refuse(port: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(serving, "open_sockets", refuse)
    assert command._open_for_original_clients() == []
    assert said[0].startswith(
        "Port 443 is not to be had (Permission denied). Clients with a fixed host (database.deta.sh,"
    )
    assert said[0].endswith(f"passes 443 on to {settings.TLS_PORT}.")


def test_the_docs_show_the_lines_for_the_hosts_file() -> None:
    text = (ROOT / "docs/connect.md").read_text()
    assert re.findall(r"^ +127\.0\.0\.1  (\S+)$", text, re.M) == list(HOSTS)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces are root's")
def test_clients_reach_it_by_the_hosts_file_alone(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1  localhost\n" + "".join(f"127.0.0.1  {host}\n" for host in HOSTS))
    script = ""
    if shutil.which("node"):
        _install_client("base.test.mjs")
        path = INSTALLED / "fixed_hosts.mjs"
        path.write_text(SCRIPT)
        script = str(path)
    command = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.console.in_a_network_of_its_own", str(hosts)]
    done = subprocess.run(
        [*command, *([script] if script else [])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
