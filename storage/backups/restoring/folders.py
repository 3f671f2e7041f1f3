"""The data folder that a backup is restored into: it was empty, and has a note until it is whole."""

import contextlib
import json
import shutil
from datetime import datetime
from pathlib import Path

from storage.backups.faults import BackupFault
from storage.backups.targets.manifest import Manifest
from storage.backups.targets.places import Place
from storage.embedded import durable, leftovers, postgres, state

NOTE = "restore.json"
LOCK = "serve.lock"


def claim(data: Path, place: Place, backup: Manifest, at: datetime | None) -> None:
    """Make the folder one that is being restored. Raises BackupFault unless it is empty or was one already."""
    found = sorted(path.name for path in data.iterdir() if path.name != LOCK)
    if NOTE in found:
        remove_remains(data)
    elif found:
        raise BackupFault(
            f"{data} is not empty: it has {found[0]}. A backup is restored into an empty data folder: set HOMEPORT_DATA to one,"
            " or move what is there away. Nothing was changed."
        )
    about = {"source": str(place), "backup": backup.id, "at": at.isoformat() if at else None}
    durable.write(data / NOTE, json.dumps(about, indent=1).encode())


def refuse_unfinished(data: Path) -> None:
    """Raises BackupFault when a restore into this folder was interrupted."""
    if (data / NOTE).exists():
        raise BackupFault(
            f"{data} is not whole: a restore into it was interrupted, or is on its way. Run `restore` again; it begins anew."
        )


def remove_remains(data: Path) -> None:
    """Remove what an interrupted restore left in a folder that has its note, and its engines' home outside of it."""
    with contextlib.suppress(state.StateError):
        if kept := state.load(data):
            home = kept.home(data)
            leftovers.clear(kept.instance_id, data, postgres.folder(home.resolve()))
            if home.is_dir() and not home.resolve().is_relative_to(data):
                shutil.rmtree(home)
    for path in data.iterdir():
        if path.name not in (LOCK, NOTE):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
