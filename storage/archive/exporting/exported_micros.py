"""Micros on their way out: their code as files, and what their settings are. No key and no value of a variable is among it."""

import io
from collections.abc import Iterator
from zipfile import ZipInfo

import msgspec

from storage import zip_reader
from storage.archive.manifest import CodeEntry, MicroEntry
from storage.archive.sql import ExportedMicro
from storage.drive.files import Stored
from storage.drive.parts import PartReader
from storage.errors import BlobMissing, SecretsUnreadable
from storage.micros import sealing
from storage.zip_reader import Archive, Damaged

_BUFFER_BYTES = 262_144


def read_code(made_of: list[Stored]) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    """The files of a bundle in the bucket by name: name, size in bytes, bytes. Take each one's bytes before the next comes.

    Raises EngineUnreachable and BlobMissing.
    """
    if not made_of:
        return
    with PartReader(made_of) as raw, io.BufferedReader(raw, _BUFFER_BYTES) as stream:
        archive = zip_reader.open_zip(stream, sum(part.size_bytes for part in made_of))
        for entry in archive.entries:
            yield entry.filename, entry.file_size, _read(archive, entry)


def describe(row: ExportedMicro, listing: list[CodeEntry]) -> MicroEntry:
    """What the manifest says of a Micro. One that never was deployed has no code."""
    return MicroEntry(
        name=row.name,
        runtime=row.runtime or row.deployed_runtime or "",
        subdomain=row.subdomain,
        domains=row.domains,
        has_sign_in=row.has_sign_in,
        is_recorded=row.is_recorded,
        is_kept_warm=row.is_kept_warm,
        idle_minutes=row.idle_minutes,
        variables=_variable_names(row),
        files=len(listing),
        bytes=sum(file.bytes for file in listing),
        listing=listing,
        schedule=row.schedule or "",
        schedule_seconds=row.schedule_seconds,
    )


def _read(archive: Archive, entry: ZipInfo) -> Iterator[bytes]:
    try:
        yield from archive.read(entry)
    except Damaged as error:
        raise BlobMissing(f"The code of a Micro was changed in storage: {error}") from error


def _variable_names(row: ExportedMicro) -> list[str]:
    sealed = bytes(row.sealed_variables)
    try:
        return (
            sorted(msgspec.json.decode(sealing.unseal(sealed, micro_id=row.id), type=dict[str, str])) if sealed else []
        )
    except SecretsUnreadable:
        return []  # they were encrypted with another key, and are lost here as well
