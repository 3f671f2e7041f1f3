"""Copies of deployments on this machine: their code and what was installed for them, fetched from the bucket when missing.

A copy is made beside its place and moved there when it is whole, so that one that is there is complete. It belongs to us and
can be read, not changed, by the group of the user that Micros run as; nobody else can enter it.
"""

import io
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import UUID

from storage import disk_space, zip_reader
from storage.drive import parts
from storage.embedded.micros.places import Places
from storage.errors import BlobMissing, DeploymentNotFound
from storage.micros import packing
from storage.micros import sql as micros_sql
from storage.micros.host import Wanted
from storage.postgres.database import run

_NEW = ".new-"
# So long something that is being made may lie there before it counts as left behind by a crash.
_NEW_KEPT_SECONDS = 3_600
# So long a copy stays that nothing in the database asks for: its deployment may be fetched before it is entered.
_UNASKED_KEPT_SECONDS = 60
_BUFFER_BYTES = 262_144

Fill = Callable[[Path], None]


def fetch(wanted: Wanted, places: Places, *, group: int | None = None) -> None:
    """Have a deployment's code and dependencies in their folders; what is there already stays.

    `group` is that of the user that Micros run as, None when it is the user we are. Several may fetch the same at once.
    Raises DeploymentNotFound when the bucket has it no more, EngineUnreachable, BlobMissing, DiskFull, OSError.
    """
    fetch_code(wanted.deployment_id, places, group=group)
    if wanted.dependencies_id is not None:
        fetch_dependencies(wanted.dependencies_id, places, group=group)


def fetch_code(deployment_id: UUID, places: Places, *, group: int | None = None) -> None:
    """As `fetch`, of the code alone."""
    place = places.code(deployment_id)
    if not place.is_dir():
        _make(place.parent, lambda new: _unpack_code(deployment_id, new / place.name, group), group)


def fetch_dependencies(dependencies_id: UUID, places: Places, *, group: int | None = None) -> None:
    """As `fetch`, of what was installed alone."""
    place = places.dependencies(dependencies_id)
    if not place.is_dir():
        _make(place, lambda new: _unpack_dependencies(dependencies_id, new, group), group)


def drop_dependencies(dependencies_id: UUID, places: Places) -> None:
    """Remove an installation from this machine, whoever its files belong to, such as one that failed."""
    shutil.rmtree(places.dependencies(dependencies_id), ignore_errors=True)


def sweep_copies(places: Places, *, in_use: Collection[UUID] = ()) -> int:
    """Remove copies that nothing asks for any more, and what crashes left. Returns how many folders went.

    Whoever runs Micros here calls it now and then. `in_use` are the ids of deployments, and of what was installed, that run
    on this machine; what serves or is being made is known by itself. Raises EngineUnreachable.
    """
    kept = {each.hex for each in in_use}
    kept |= {each.hex for row in run(micros_sql.list_places_in_use()) for each in row if each is not None}
    gone = 0
    for folder in (places.root / "deployments", places.root / "dependencies"):
        for each in _entries(folder):
            age_seconds = _NEW_KEPT_SECONDS if each.name.startswith(_NEW) else _UNASKED_KEPT_SECONDS
            if each.name not in kept and _is_older(each, age_seconds):
                shutil.rmtree(each, ignore_errors=True)
                gone += 1
    for each in _entries(places.root / "sources"):
        if _is_older(each, _NEW_KEPT_SECONDS):
            shutil.rmtree(each, ignore_errors=True)
            gone += 1
    return gone


def _entries(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder)]
    except FileNotFoundError:
        return []


def _is_older(path: Path, age_seconds: int) -> bool:
    try:
        return path.stat(follow_symlinks=False).st_ctime < time.time() - age_seconds
    except OSError:
        return False


def _make(place: Path, fill: Fill, group: int | None) -> None:
    """Have `fill` make a folder, and move it to its place unless another was quicker."""
    disk_space.check_space_for_files()
    place.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    packing.give(place.parent, group, mode=0o750)
    new = place.with_name(f"{_NEW}{place.name}-{secrets.token_hex(4)}")
    try:
        new.mkdir(mode=0o700)
        fill(new)
        packing.give(new, group, mode=0o750)
        try:
            new.rename(place)
        except OSError:
            if not place.is_dir():
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _unpack_code(deployment_id: UUID, folder: Path, group: int | None) -> None:
    with _opened(deployment_id) as (stream, size_bytes):
        archive = zip_reader.open_zip(stream, size_bytes)
        if archive.problems:
            raise BlobMissing(f"The code of this deployment was changed in storage: {archive.problems[0].what}")
        packing.unpack_zip(archive, folder, group=group)


def _unpack_dependencies(dependencies_id: UUID, folder: Path, group: int | None) -> None:
    with _opened(dependencies_id) as (stream, _):
        packing.unpack_tree(stream, folder, group=group)


@contextmanager
def _opened(stored_id: UUID) -> Iterator[tuple[IO[bytes], int]]:
    """What the bucket holds under an id, and how many bytes that is. Raises DeploymentNotFound for nothing."""
    made_of = parts.get_parts(stored_id)
    if not made_of:
        raise DeploymentNotFound()
    with parts.PartReader(made_of) as raw, io.BufferedReader(raw, _BUFFER_BYTES) as stream:
        yield stream, sum(part.size_bytes for part in made_of)
