"""Compares an unpacked base backup with PostgreSQL's own manifest of it.

`pg_verifybackup` would do the same, but that of the package crashes before it reads its first option.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

# Written or changed by whoever unpacks or starts it, or checked by records of its own.
_LEFT_OUT = ("backup_manifest", "postgresql.auto.conf", "standby.signal", "recovery.signal", "pg_wal/")


class Differs(Exception):
    """Something in a base backup is not as its manifest says; the message says what."""


def verify(folder: Path) -> None:
    """Compare every file by its size and SHA-256, and look for files that should not be there. Raises Differs."""
    manifest = _read_manifest(folder / "backup_manifest")
    wanted = {_name_of(each): each for each in manifest["Files"]}
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for name in sorted(wanted.keys() ^ found.keys()):
        if not name.startswith(_LEFT_OUT):
            raise Differs(f"{name} of the base backup is {'missing' if name in wanted else 'no part of it'}")
    for name, path in found.items():
        if name in wanted:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != wanted[name]["Checksum"]:
                raise Differs(f"{name} of the base backup is damaged")


def _read_manifest(path: Path) -> Any:
    """The manifest, whose last line has the SHA-256 of all before it."""
    content = path.read_bytes()
    head, line = content[: content.rstrip().rfind(b"\n") + 1], content.rstrip().rsplit(b"\n", 1)[-1]
    if hashlib.sha256(head).hexdigest().encode() not in line:
        raise Differs("the manifest of the base backup is damaged")
    return json.loads(content)


def _name_of(file: dict[str, Any]) -> str:
    return bytes.fromhex(file["Encoded-Path"]).decode() if "Encoded-Path" in file else str(file["Path"])
