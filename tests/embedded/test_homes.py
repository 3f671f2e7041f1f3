"""Copies, moves and restores of a data folder: its own data or a refusal, never the old data and never an empty server.

Here folders stand for engines with data; `test_restored_folders.py` does the same to real ones.
"""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from storage.embedded import accounts, homes, paths, state
from storage.embedded.accounts import Account

Start = Callable[..., state.LocalState]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """As `serve` starts: find the home or refuse, claim it, let the engines have data. Returns the state."""
    for module in (paths, homes):
        monkeypatch.setattr(module, "SYSTEM_HOME", tmp_path / "system")

    def run(data: Path, *, used: tuple[str, ...] = homes.BOTH, is_accepted: bool = False) -> state.LocalState:
        made = state.ensure(data, used=used, is_accepted=is_accepted)
        assert state.ensure(data, used=used, is_accepted=is_accepted) == made, "the second look sees nothing new"
        home = made.home(data)
        paths.prepare_home(data, home, accounts.engine_account(accounts.OWN))
        made = state.claim_home(data, made)
        for name in used:
            (home / name).mkdir(exist_ok=True)
            (home / name / homes._SIGNS[name]).touch()
        return state.note_made(data, made)

    return run


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engines' user, who is the tests' here, reaches no data folder."""
    me = Account("me", os.geteuid(), os.getegid())
    monkeypatch.setattr(accounts, "engine_account", lambda name: me)
    monkeypatch.setattr(paths, "reaches", lambda account, path: bool({"open", "system"} & {*path.parts}))


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "engine_account", lambda name: None)


def copy(source: Path, target: Path, *, with_data: bool) -> Path:
    """`cp -aL` with the engines' data, `cp -a` with a link to it."""
    return Path(shutil.copytree(source, target, symlinks=not with_data))


def mark(home: Path, text: str) -> None:
    (home / "postgres" / "rows").write_text(text)


def rows(data: Path) -> str:
    kept = state.load(data)
    assert kept
    return (kept.home(data) / "postgres" / "rows").read_text()


@pytest.mark.usefixtures("outside")
def test_a_whole_copy_restored_in_place_has_the_copied_data(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "data"
    old_home = start(data).home(data)
    assert old_home.parent == tmp_path / "system"
    mark(old_home, "first")
    backup = copy(data, tmp_path / "backup", with_data=True)
    start(data)
    mark(old_home, "second")
    shutil.rmtree(data)
    copy(backup, data, with_data=True)
    start(data)
    assert rows(data) == "first"
    assert (old_home / "postgres" / "rows").read_text() == "second", "what was there is left alone"
    start(data)
    assert rows(data) == "first"


@pytest.mark.usefixtures("outside")
def test_a_whole_copy_where_the_engines_reach_it_is_used_as_it_lies(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "data"
    mark(start(data).home(data), "first")
    copied = copy(data, tmp_path / "open", with_data=True)
    assert start(copied).engine_home == "engines"
    assert rows(copied) == "first"
    start(data)


@pytest.mark.usefixtures("outside")
def test_a_copy_without_the_data_is_refused_once_the_data_went_on(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "data"
    mark(start(data).home(data), "first")
    backup = copy(data, tmp_path / "backup", with_data=False)
    mark(start(data).home(data), "second")
    shutil.rmtree(data)
    copy(backup, data, with_data=False)
    with pytest.raises(paths.PathError, match="of another time"):
        start(data)
    start(data, is_accepted=True)
    assert rows(data) == "second"
    start(data)


@pytest.mark.usefixtures("outside")
def test_a_copy_beside_the_original_is_refused(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "data"
    start(data)
    copied = copy(data, tmp_path / "copied", with_data=False)
    with pytest.raises(paths.PathError, match=f"is a copy of {data}"):
        start(copied)
    start(data)


@pytest.mark.usefixtures("inside")
def test_a_copy_of_a_link_to_the_data_is_refused(start: Start, tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    start(data)
    (data / "engines").rename(elsewhere)
    (data / "engines").symlink_to(elsewhere)
    start(data)
    copied = copy(data, tmp_path / "copied", with_data=False)
    with pytest.raises(paths.PathError, match=f"is a copy of {data}"):
        start(copied)
    start(data)


@pytest.mark.usefixtures("outside")
def test_a_moved_folder_goes_on_and_the_way_back_too(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "data"
    mark(start(data).home(data), "first")
    data.rename(tmp_path / "moved")
    start(tmp_path / "moved")
    assert rows(tmp_path / "moved") == "first"
    (tmp_path / "moved").rename(data)
    start(data)
    assert rows(data) == "first"


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("recorded", ["made", "by 0.1.0"])
def test_a_folder_whose_data_is_gone_is_refused(start: Start, tmp_path: Path, recorded: str) -> None:
    data = tmp_path / "data"
    home = start(data).home(data)
    if recorded != "made":
        forget_new_fields(data)
    home.rename(tmp_path / "lost")
    with pytest.raises(paths.PathError, match="would be an empty server"):
        start(data)
    assert not home.exists()


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("lost", ["engines", "engines/postgres", "engines/seaweedfs"])
def test_a_half_restored_folder_is_refused(start: Start, tmp_path: Path, lost: str) -> None:
    data = tmp_path / "data"
    start(data)
    shutil.rmtree(data / lost)
    with pytest.raises(paths.PathError, match="would be an empty server"):
        start(data)
    (data / "engines").mkdir(exist_ok=True)
    with pytest.raises(paths.PathError, match="would be an empty server"):
        start(data)


@pytest.mark.usefixtures("inside")
def test_engines_that_do_not_run_here_need_no_data(start: Start, tmp_path: Path) -> None:
    start(tmp_path / "none", used=())
    start(tmp_path / "none", used=())
    start(tmp_path / "one", used=("seaweedfs",))
    start(tmp_path / "one", used=("seaweedfs",))
    start(tmp_path / "one")
    shutil.rmtree(tmp_path / "one" / "engines" / "postgres")
    start(tmp_path / "one", used=("seaweedfs",))


@pytest.mark.usefixtures("inside")
def test_secrets_of_another_server_are_refused(start: Start, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    start(one)
    start(other)
    shutil.copy(other / "homeport.json", one / "homeport.json")
    with pytest.raises(paths.PathError, match="another server"):
        start(one)


@pytest.mark.usefixtures("inside")
def test_data_that_does_not_say_whose_it_is_is_refused(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "data"
    start(data)
    (data / "engines" / "identity.json").unlink()
    with pytest.raises(paths.PathError, match="nothing says that it is this server's"):
        start(data)


@pytest.mark.usefixtures("inside")
def test_missing_secrets_beside_engines_are_never_made_anew(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "data"
    start(data)
    (data / "homeport.json").unlink()
    with pytest.raises(paths.PathError, match=r"homeport\.json is missing"):
        start(data)
    assert not (data / "homeport.json").exists()


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("with_link", [True, False])
def test_missing_secrets_of_engines_outside_are_never_made_anew(start: Start, tmp_path: Path, with_link: bool) -> None:
    data = tmp_path / "data"
    start(data)
    (data / "homeport.json").unlink()
    if not with_link:
        (data / "engines").unlink()
    with pytest.raises(paths.PathError, match=r"homeport\.json is missing"):
        start(data)


@pytest.mark.usefixtures("outside")
def test_a_crash_at_any_point_of_a_start_leaves_sides_that_fit(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    start(data)
    write = homes.durable.write
    for crash_at in range(1, 5):
        writes = 0

        def write_until(*args: object, crash_at: int = crash_at, **options: object) -> None:
            nonlocal writes
            writes += 1
            if writes == crash_at:
                raise KeyboardInterrupt
            write(*args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(homes.durable, "write", write_until)
        try:
            start(data)
        except KeyboardInterrupt:
            assert writes == crash_at
        monkeypatch.setattr(homes.durable, "write", write)
        start(data)


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("is_other_disk", [True, False])
def test_a_crash_while_data_is_moved_out_loses_nothing(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_other_disk: bool
) -> None:
    data = tmp_path / "data"
    mark(start(data).home(data), "first")
    restored = copy(data, tmp_path / "restored", with_data=True)
    rename = Path.rename
    for crash_at in range(1, 4):
        renames = 0

        def rename_until(path: Path, target: Path, crash_at: int = crash_at) -> Path:
            nonlocal renames
            renames += 1
            if renames == crash_at:
                raise KeyboardInterrupt
            if is_other_disk and path.name == "engines" and target.parent.name == "system":
                raise OSError(18, "Invalid cross-device link")
            return rename(path, target)

        trial = copy(restored, tmp_path / f"trial-{crash_at}", with_data=True)
        monkeypatch.setattr(Path, "rename", rename_until)
        with suppress(KeyboardInterrupt):
            start(trial)
        monkeypatch.setattr(Path, "rename", rename)
        start(trial)
        assert rows(trial) == "first"


@pytest.fixture
def other_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Homes outside are on another disk than data folders."""
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.name == "engines" and target.parent.name == "system":
            raise OSError(18, "Invalid cross-device link")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)


@pytest.fixture
def restored(start: Start, tmp_path: Path, outside: None) -> Path:
    """A whole copy of a data folder, which has to go where the engines' user reaches it."""
    mark(start(tmp_path / "data").home(tmp_path / "data"), "first")
    return copy(tmp_path / "data", tmp_path / "restored", with_data=True)


@pytest.mark.usefixtures("other_disk")
def test_what_was_copied_is_on_the_disk_before_the_original_goes(
    start: Start, restored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    rmtree = shutil.rmtree

    def sync() -> None:
        steps.append("copied" if (restored / "engines" / "postgres").is_dir() else "too late")

    def remove(folder: Path, ignore_errors: bool = False) -> None:
        steps.append(f"removed {folder.name}")
        rmtree(folder, ignore_errors)

    monkeypatch.setattr(os, "sync", sync)
    monkeypatch.setattr(homes.durable, "sync_folder", lambda folder: steps.append(f"synced {folder.name}"))
    monkeypatch.setattr(shutil, "rmtree", remove)
    start(restored)
    moved = steps[steps.index("copied") :]
    assert moved[:4] == ["copied", "synced restored", "removed .engines-moved", "synced system"]
    assert rows(restored) == "first"


@pytest.mark.usefixtures("other_disk")
def test_a_copy_that_fails_is_told_in_a_sentence(start: Start, restored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    system = restored.parent / "system"
    before = sorted(system.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", fail)
        with pytest.raises(paths.PathError, match=r"^\S+ can't be copied to \S+: .*No space left on device.*\.$"):
            start(restored)
    assert sorted(system.iterdir()) == before
    start(restored)
    assert rows(restored) == "first"


@pytest.mark.usefixtures("outside")
def test_a_folder_of_0_1_0_is_taken_as_it_is(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "data"
    home = start(data).home(data)
    mark(home, "first")
    forget_new_fields(data)
    (home / "identity.json").unlink()
    (home / "data-folder").write_text(str(data))
    copied = copy(data, tmp_path / "copied", with_data=False)
    with pytest.raises(paths.PathError, match=f"is a copy of {data}"):
        start(copied)
    start(data)
    assert rows(data) == "first"
    kept = state.load(data)
    assert kept
    assert (kept.version, set(kept.engines_made)) == (state.FORMAT, set(homes.BOTH))
    shutil.rmtree(data)
    copy(copied, data, with_data=False)
    with pytest.raises(paths.PathError, match="of another time"):
        start(data)


@pytest.mark.usefixtures("inside")
def test_a_damaged_identity_is_named(start: Start, tmp_path: Path) -> None:
    start(tmp_path / "data")
    path = tmp_path / "data" / "engines" / "identity.json"
    path.write_text("{")
    with pytest.raises(paths.PathError, match=f"{path} is damaged"):
        start(tmp_path / "data")


@pytest.mark.usefixtures("inside")
def test_an_unclaimed_start_can_be_repeated(tmp_path: Path, start: Start) -> None:
    """Serve was killed before it made anything but the file."""
    made = state.ensure(tmp_path / "data")
    assert replace(made, engines_made=()) == made
    start(tmp_path / "data")


def forget_new_fields(data: Path) -> None:
    """The file as 0.1.0 wrote it."""
    path = data / "homeport.json"
    raw = json.loads(path.read_text())
    path.write_text(json.dumps({name: raw[name] for name in raw if name not in ("version", "engines_made", "mark")}))
