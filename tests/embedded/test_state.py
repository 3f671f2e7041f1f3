"""`homeport.json`: made once, read without writing, its ports moved only when somebody else has them."""

import json
import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from storage.embedded import accounts, paths, ports, state


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_load_without_a_file_is_none_and_writes_nothing(tmp_path: Path) -> None:
    assert state.load(tmp_path / "data") is None
    assert not (tmp_path / "data").exists()


def test_load_from_a_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(state.StateError, match="is not a folder: set HOMEPORT_DATA to one"):
        state.load(tmp_path / "file")


def test_ensure_makes_what_load_reads(tmp_path: Path) -> None:
    made = state.ensure(tmp_path / "data")
    assert state.load(tmp_path / "data") == made
    assert state.ensure(tmp_path / "data") == made


def test_ensure_keeps_its_secrets_to_the_owner(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        state.ensure(tmp_path / "data")
    finally:
        os.umask(previous)
    assert mode_of(tmp_path / "data" / "homeport.json") == 0o600
    assert mode_of(tmp_path / "data") == (0o711 if os.geteuid() == 0 else 0o700)


def test_ensure_leaves_the_permissions_of_a_folder_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o750)
    state.ensure(tmp_path / "data")
    assert mode_of(tmp_path / "data") == 0o750


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    one, other = state.ensure(tmp_path / "one"), state.ensure(tmp_path / "other")
    for secret in ("instance_id", "secret_key"):
        assert getattr(one, secret) != getattr(other, secret)
    assert one.postgres.password != other.postgres.password
    assert (one.s3.access_key, one.s3.secret_key) != (other.s3.access_key, other.s3.secret_key)


def test_ensure_moves_a_taken_port_and_keeps_the_rest(tmp_path: Path) -> None:
    before = state.ensure(tmp_path)
    with socket.create_server(("127.0.0.1", before.postgres.port)):
        after = state.ensure(tmp_path)
    assert after.postgres.port != before.postgres.port
    assert after.postgres.password == before.postgres.password
    assert (after.s3, after.secret_key) == (before.s3, before.secret_key)
    assert state.load(tmp_path) == after


def test_ensure_moves_seaweedfs_when_one_of_its_grpc_ports_is_taken(tmp_path: Path) -> None:
    before = state.ensure(tmp_path)
    with socket.create_server(("127.0.0.1", before.s3.filer_port + 10_000)):
        after = state.ensure(tmp_path)
    assert set(after.s3.all_ports()).isdisjoint({before.s3.filer_port + 10_000})
    assert after.postgres == before.postgres
    assert after.s3.secret_key == before.s3.secret_key


def test_ensure_moves_seaweedfs_when_another_user_took_the_place_of_a_socket(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = state.ensure(tmp_path)
    squatted = ports.SHARED_SOCKETS / f"seaweedfs-filer-grpc-{ports.grpc(before.s3.filer_port)}.sock"
    squatted.touch()
    try:
        assert state.ensure(tmp_path).s3 == before.s3, "ours, or root's to remove"
        monkeypatch.setattr(os, "geteuid", lambda: squatted.stat().st_uid + 1)
        after = state.ensure(tmp_path)
    finally:
        squatted.unlink()
    assert set(after.s3.all_ports()).isdisjoint({ports.grpc(before.s3.filer_port)})
    assert after.s3.secret_key == before.s3.secret_key


@pytest.mark.parametrize("content", ["", "{", "[]", '{"instance_id": "x"}', "null"])
def test_load_refuses_a_damaged_file_instead_of_replacing_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "homeport.json").write_text(content)
    with pytest.raises(state.StateError, match="damaged"):
        state.load(tmp_path)
    with pytest.raises(state.StateError, match="damaged"):
        state.ensure(tmp_path)
    assert (tmp_path / "homeport.json").read_text() == content


def test_what_an_older_version_let_others_read_is_closed(tmp_path: Path) -> None:
    for name in ("clients", "copies", "static"):
        (tmp_path / name).mkdir(mode=0o755)
    (tmp_path / "static.stamp").touch(mode=0o644)
    paths.close_to_others(tmp_path)
    assert {mode_of(path) for path in tmp_path.iterdir() if path.is_dir()} == {0o700}
    assert mode_of(tmp_path / "static.stamp") == 0o600
    paths.close_to_others(tmp_path / "clients")


def test_a_data_folder_that_was_moved_keeps_its_secrets(tmp_path: Path) -> None:
    before = state.ensure(tmp_path / "before")
    (tmp_path / "before").rename(tmp_path / "after")
    after = state.ensure(tmp_path / "after")
    assert after.postgres.password == before.postgres.password
    assert after.instance_id == before.instance_id


@pytest.mark.parametrize("name, is_socket", [("data", True), ("long" * 20, False)])
def test_postgres_is_reached_by_socket_unless_its_path_is_too_long(
    data_folder: Path, name: str, is_socket: bool
) -> None:
    made = state.ensure(data_folder / name)
    assert made.postgres.host == (str(data_folder / name / "engines" / "run") if is_socket else "127.0.0.1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs engines as another user")
class TestAsRoot:
    """Root's engines run as another user, which may not reach what root can."""

    def test_ensure_refuses_an_unknown_engine_user(self, tmp_path: Path) -> None:
        with pytest.raises(accounts.AccountError, match="no-such-user"):
            state.ensure(tmp_path / "data", engine_user="no-such-user")

    def test_ensure_refuses_root_as_engine_user(self, tmp_path: Path) -> None:
        with pytest.raises(accounts.AccountError, match="refuses to run as root"):
            state.ensure(tmp_path / "data", engine_user="root")

    def test_a_closed_folder_sends_the_engines_elsewhere(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        made = state.ensure(closed / "data")
        assert made.home(closed / "data") == paths.SYSTEM_HOME / made.instance_id
        assert mode_of(closed) == 0o700

    def test_a_place_chosen_once_is_kept(self, tmp_path: Path) -> None:
        data = tmp_path / "closed" / "data"
        data.parent.mkdir(mode=0o700)
        (data / "engines").mkdir(parents=True)
        path = data / "homeport.json"
        state.ensure(data)
        path.write_text(json.dumps(json.loads(path.read_text()) | {"engine_home": "engines"}))
        assert state.ensure(data).engine_home == "engines"


def test_the_data_folder_that_nobody_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert paths.default_data(packaged=False) == "./data"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert paths.default_data(packaged=True) == "/var/lib/homeport/data"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert paths.default_data(packaged=True).endswith("/homeport")
    if sys.platform == "linux":
        assert paths.default_data(packaged=True) == f"{tmp_path}/homeport"
