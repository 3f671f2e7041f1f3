"""Into which folders a backup is restored, and what is said of the others."""

from pathlib import Path

import pytest

from storage.backups.faults import BackupFault
from storage.backups.restoring import folders, restores
from tests.storage.backups.targets import backup, day, target


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    place, data = target(tmp_path / "target", backup(0)), tmp_path / "data"
    data.mkdir()
    (data / "homeport.json").write_text("{}")
    with pytest.raises(BackupFault, match=r"is not empty: it has homeport\.json.*Nothing was changed"):
        restores.restore(place, data=data, engine_user="nobody")
    assert [path.name for path in data.iterdir()] == ["homeport.json"]


def test_what_a_restore_left_that_was_interrupted_goes(tmp_path: Path) -> None:
    place, data = target(tmp_path / "target", backup(0)), tmp_path / "data"
    (data / "engines" / "postgres").mkdir(parents=True)
    (data / "restore.json").write_text("{}")
    (data / "serve.lock").write_text("")
    with pytest.raises(BackupFault, match="is not whole: a restore into it was interrupted"):
        folders.refuse_unfinished(data)
    folders.claim(data, place, backup(0), day(1))
    assert sorted(path.name for path in data.iterdir()) == ["restore.json", "serve.lock"]
    (data / "restore.json").unlink()
    folders.refuse_unfinished(data)


def test_a_moment_that_is_not_there_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    place, data = target(tmp_path / "target", backup(0)), tmp_path / "data"
    data.mkdir()
    with pytest.raises(
        BackupFault, match=r"can't be restored from here\. What can: 2030-01-01 12:01:00 UTC to 2030-01-01 12:01:00 UTC"
    ):
        restores.restore(place, data=data, engine_user="nobody", at=day(3))
    assert list(data.iterdir()) == []
