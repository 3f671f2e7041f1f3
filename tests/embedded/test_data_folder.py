"""Data folders that can't be used: every command says in one sentence which, why and what to do, and changes nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.embedded import ports, state
from tests.embedded.disks import mounted, needs_small_disk
from tests.serving import ROOT
from tests.waiting import MOMENT_SECONDS


def run(data: Path | str, *command: str, tls_port: int = 0) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "HOMEPORT_DATA": str(data), "HOMEPORT_PORT": "0", "HOMEPORT_TLS_PORT": str(tls_port)}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=MOMENT_SECONDS,
    )


def assert_refused(data: Path | str, *says: str, command: tuple[str, ...] = ("serve",), tls_port: int = 0) -> None:
    refused = run(data, *command, tls_port=tls_port)
    assert refused.returncode == 1, (refused.stdout, refused.stderr)
    assert "Traceback" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert all(text in refused.stderr for text in says), refused.stderr


def changed(**changes: Any) -> Callable[[dict[str, Any]], str]:
    return lambda good: json.dumps(good | changes)


DAMAGES: dict[str, Callable[[dict[str, Any]], str]] = {
    "empty": lambda good: "",
    "cut": lambda good: json.dumps(good)[:200],
    "zeroes": lambda good: "\0" * 700,
    "a list": lambda good: "[]",
    "null": lambda good: "null",
    "a field missing": lambda good: json.dumps({name: good[name] for name in good if name != "secret_key"}),
    "a number for a text": changed(instance_id=7),
    "a text for a port": lambda good: changed(postgres=good["postgres"] | {"port": "5432"})(good),
    "a port that is none": lambda good: changed(postgres=good["postgres"] | {"port": 70_000})(good),
    "an empty secret": changed(secret_key=""),
    "a way out of the folder": changed(engine_home="../other"),
    "a folder with NUL": changed(engine_home="/a\0b"),
    "a list for a version": changed(version=[]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    state.ensure(tmp_path)
    path = tmp_path / "homeport.json"
    text = DAMAGES[damage](json.loads(path.read_text()))
    path.write_text(text)
    with pytest.raises(state.StateError, match="damaged"):
        state.load(tmp_path)
    if damage in ("empty", "cut", "a text for a port"):
        command = ("collection", "list") if damage == "cut" else ("serve",)
        assert_refused(tmp_path, f"{path} is damaged", "restore it from a backup", command=command)
    assert path.read_text() == text


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "homeport.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(state.StateError, match="damaged"):
        state.load(tmp_path)


def test_no_secret_is_in_the_message(tmp_path: Path) -> None:
    secrets = state.ensure(tmp_path)
    path = tmp_path / "homeport.json"
    for broken in (path.read_text()[:-20], path.read_text().replace('"port"', '"prt"')):
        path.write_text(broken)
        with pytest.raises(state.StateError) as refused:
            state.load(tmp_path)
        assert secrets.secret_key not in str(refused.value)
        assert secrets.postgres.password not in str(refused.value)


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "homeport.json").mkdir()
    assert_refused(tmp_path, "homeport.json can't be read")


@pytest.mark.parametrize(
    "newer", [{"version": state.FORMAT + 1}, {"something_new": 1}, {"version": 99, "postgres": []}]
)
def test_what_a_newer_version_wrote_is_refused(tmp_path: Path, newer: dict[str, Any]) -> None:
    state.ensure(tmp_path)
    path = tmp_path / "homeport.json"
    text = json.dumps(json.loads(path.read_text()) | newer)
    path.write_text(text)
    assert_refused(tmp_path, "a newer version of Homeport")
    assert path.read_text() == text


def test_a_file_is_no_data_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert_refused(tmp_path / "file", f"{tmp_path / 'file'} is a file")
    assert_refused(tmp_path / "file" / "data", f"{tmp_path / 'file'} is a file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_link_to_nothing_is_no_data_folder(tmp_path: Path) -> None:
    """The disk it points to may not be mounted: a new folder in its place would be an empty server."""
    (tmp_path / "link").symlink_to(tmp_path / "mounted" / "data")
    assert_refused(tmp_path / "link", "link to", "not there")
    assert_refused(tmp_path / "link" / "below", "not there")
    assert not (tmp_path / "mounted").exists()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert_refused(tmp_path / "circle", "circle")


def test_an_empty_setting_is_no_data_folder() -> None:
    assert_refused("", "HOMEPORT_DATA is empty")


@needs_small_disk
def test_a_read_only_disk_is_no_place_for_data(tmp_path: Path) -> None:
    with mounted(tmp_path, "size=1m,ro"):
        assert_refused(tmp_path, "read-only")
        assert_refused(tmp_path / "data", "can't be made")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_of_somebody_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "homeport.json").touch(mode=0)
    assert_refused(tmp_path, "can't be read by this user")


def test_a_damaged_authority_ends_serve_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "ca.pem").write_text("damaged")
    (port,) = ports.free_ports(1)
    assert_refused(tmp_path, f"{tmp_path}/tls/ca.pem is damaged or missing", tls_port=port)
