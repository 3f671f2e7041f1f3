"""Nonsense in a setting, a command without a server, files of another owner: one sentence, exit 1, no traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from environs import Env

from console import environment
from tests.engines import make_data_folder, remove_data_folder
from tests.serving import ROOT
from tests.waiting import MOMENT_SECONDS

WRONG = [
    *(
        ("DATABASE_URL", text)
        for text in ("nonsense", "mysql://a/b", "postgres://", "postgres://h:99999/x", "sqlite:///x")
    ),
    *(
        ("DATABASE_URL", text)
        for text in ("postgres://u:canary@h:x/y", "postgres://[::1/x", "postgres://h/x?nonsense=1")
    ),
    *(
        ("HOMEPORT_TRUSTED_PROXIES", text)
        for text in ("nonsense", "127.0.0.1,nonsense", "10.0.0.1/8", "1.2.3.4/99", "::g")
    ),
    *(
        ("HOMEPORT_TRUSTED_PROXIES", text)
        for text in ("*", "10.0.0.1,*", "0.0.0.0/0", "0.0.0.0/0.0.0.0", "10.0.0.1, ::/00")
    ),
    *(("HOMEPORT_MICROS_MAY_REACH", text) for text in ("nonsense", "*", "10.0.0.1/8", "example.com")),
    *(("HOMEPORT_ALLOWED_HOSTS", text) for text in ("https://x.example", "a b", "x:80", "é.example", "a..b", "[::1")),
    *(
        ("HOMEPORT_URL_PREFIX", text)
        for text in ("/v1", "/static/x", "a b", "/a/../b", "/a//b", "/ä", "https://a.example")
    ),
    *(("HOMEPORT_OIDC_DOMAINS", text) for text in (",", "example.com,", "a b", "x@example.com", ".example.com")),
    *(("HOMEPORT_HOST", text) for text in ("", "a b", "http://x", "256.1.1.1/8")),
    *(("HOMEPORT_PORT", text) for text in ("x", "-1", "65536", "", "1.5")),
    *(("HOMEPORT_WORKERS", text) for text in ("0", "x", "99999")),
    *(("HOMEPORT_CONNECTIONS", text) for text in ("0", "x", "99999")),
    *(("HOMEPORT_STATEMENT_TIMEOUT_MS", text) for text in ("-1", "9999999999")),
    *((name, text) for name in ("HOMEPORT_DISK_RESERVE_MB", "HOMEPORT_CACHE_MB") for text in ("-1", "x", "9" * 30)),
    *((name, "perhaps") for name in ("HOMEPORT_HTTPS_ONLY", "HOMEPORT_DEBUG", "HOMEPORT_LOG_FORMAT")),
    *(("HOMEPORT_LOG_FILE", text) for text in ("/nonexistent/x", "/tmp")),
    *(("S3_ENDPOINT_URL", text) for text in ("nonsense", "http://", "ftp://x", "http://h:x")),
    *(("HOMEPORT_SNAPSHOT_TARGET", text) for text in ("backup", "s3://", "s3:///x", "s3://without-credentials/x")),
    ("HOMEPORT_SNAPSHOT_S3_ENDPOINT_URL", "nonsense"),
    ("HOMEPORT_SCRUB_MB_PER_MINUTE", "-1"),
    ("S3_BUCKET", "/"),
    ("S3_REGION", "a b"),
    ("HOMEPORT_SECRET_KEY", "\udcff"),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder in which nothing was started yet."""
    made = make_data_folder()
    yield made
    remove_data_folder(made)


def run(*command: str, folder: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOMEPORT_", "S3_"))}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=kept | {"HOMEPORT_DATA": str(folder)} | environment,
        capture_output=True,
        text=True,
        timeout=MOMENT_SECONDS,
    )


# Loads the settings with each of the values in turn, as the command does it, in one process.
_TRY_ALL = """
import importlib, json, os, sys
from homeport import cli
for name, text in json.loads(sys.argv[1]):
    os.environ[name] = text
    sys.modules.pop("console.settings", None)
    try:
        importlib.import_module("console.settings")
        print(json.dumps([name, text, None]))
    except cli.EnvError as error:
        print(json.dumps([name, text, str(error)]))
    finally:
        del os.environ[name]
"""


def test_domains_are_read_in_one_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEPORT_OIDC_DOMAINS", " @Example.com, b.example ")
    assert environment.read_domains(Env()) == ["example.com", "b.example"]


@pytest.mark.parametrize("text, prefix", [("", ""), ("/", ""), ("homeport", "/homeport"), ("/a/b.c/", "/a/b.c")])
def test_a_path_is_read_in_one_spelling(monkeypatch: pytest.MonkeyPatch, text: str, prefix: str) -> None:
    monkeypatch.setenv("HOMEPORT_URL_PREFIX", text)
    assert environment.read_url_prefix(Env()) == prefix


def test_each_wrong_setting_is_named(folder: Path) -> None:
    done = run("-c", _TRY_ALL, json.dumps(WRONG), folder=folder, environment={})
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(name, text) for name, text, _ in told] == WRONG
    for name, text, sentence in told:
        assert sentence is not None, (name, text)
        assert sentence.startswith(f'Environment variable "{name}" invalid: ')
        assert "canary" not in sentence
        assert "\n" not in sentence


@pytest.mark.parametrize(
    "environment",
    [
        {"DATABASE_URL": "nonsense"},
        {"HOMEPORT_TRUSTED_PROXIES": "nonsense"},
        {"HOMEPORT_PORT": "8001", "HOMEPORT_TLS_PORT": "8001"},
    ],
)
def test_a_wrong_setting_ends_a_command_with_a_sentence(folder: Path, environment: dict[str, str]) -> None:
    done = run("manage.py", "serve", folder=folder, environment=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("A setting in the environment is wrong: ")
    assert done.stderr.count("\n") == 1


def test_an_address_that_is_not_this_machines_is_named(folder: Path) -> None:
    done = run("manage.py", "serve", folder=folder, environment={"HOMEPORT_HOST": "192.0.2.1"})
    assert done.returncode == 1
    assert "192.0.2.1 is no address of this machine" in done.stderr
    assert "Traceback" not in done.stderr


# Runs each of the commands in turn, as `manage.py` does it, in one process.
_RUN_ALL = """
import json, sys
from homeport import cli
for command in json.loads(sys.argv[1]):
    sys.argv[1:] = command.split()
    try:
        cli.main()
        print(json.dumps([command, None]))
    except SystemExit as end:
        print(json.dumps([command, end.code]))
"""
COMMANDS = [
    "collection list",
    "datakey list aaaaaaaaaa",
    "sweep",
    "reconcile",
    "export aaaaaaaaaa -",
    "demo",
    "migrate",
]


def test_a_command_without_a_running_server_says_so(folder: Path) -> None:
    sentence = f"The server of {folder} does not answer. Commands need it: run `serve` in another terminal."

    alone = run("manage.py", "migrate", folder=folder, environment={})
    each = run("-c", _RUN_ALL, json.dumps(COMMANDS), folder=folder, environment={})

    assert (alone.returncode, alone.stderr.strip().splitlines()[-1:]) == (1, [sentence])
    assert each.returncode == 0, each.stderr
    assert [json.loads(line) for line in each.stdout.splitlines() if line.startswith("[")] == [
        [command, sentence] for command in COMMANDS
    ]
    assert "Traceback" not in alone.stderr + each.stderr


# As another user than the files' owner; what is imported later could not be read by that user.
_AS_NOBODY = """
import os, sys, django
django.setup()
from django.core.management.base import CommandError
from console import serving
from django.conf import settings
serving.collect_static_if_changed()
for folder, _, names in os.walk(settings.DATA):
    os.chmod(folder, 0o755)
victim = settings.STATIC_ROOT / "icon.svg"
os.chmod(victim, int(sys.argv[1], 8))
os.setuid(65534)
for change in (lambda: None, lambda: setattr(serving, "_static_fingerprint", lambda: "another")):
    change()
    try:
        serving.collect_static_if_changed()
    except CommandError as error:
        print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("mode", ["600", "644"])
def test_static_files_of_another_owner_are_named(folder: Path, mode: str) -> None:
    """Also where all of them can be read, and only their folder is somebody else's."""
    environment = {"DJANGO_SETTINGS_MODULE": "console.settings"}
    done = run("-c", _AS_NOBODY, mode, folder=folder, environment=environment)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert line.startswith(f"{folder}/static")
        assert "belongs to another user" in line
        assert f"can be deleted with {folder}/static" in line
