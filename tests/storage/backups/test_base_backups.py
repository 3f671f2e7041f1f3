"""Base backups as they go by and are unpacked: one file out of a tar, and the comparison with PostgreSQL's manifest."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from storage.embedded.backing_up import verifying
from storage.embedded.backing_up.tars import FileInPassing, unpack

FILES = {"PG_VERSION": b"18\n", "base/1": b"x" * 70_000, "backup_manifest": b"manifest" * 100, "empty": b""}


def _tar() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in FILES.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    return made.getvalue()


@pytest.mark.parametrize("size", [1, 100, 512, 1000, 1_000_000])
def test_a_file_is_kept_while_a_tar_goes_by_in_pieces_of_any_size(size: int) -> None:
    whole = _tar()
    watched = FileInPassing("backup_manifest")
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert b"".join(watched.watch(pieces)) == whole
    assert watched.content == FILES["backup_manifest"]


def test_a_tar_is_unpacked_and_read_to_its_end(tmp_path: Path) -> None:
    whole = _tar() + b"\0" * 10_240
    pieces = iter([whole[at : at + 777] for at in range(0, len(whole), 777)])
    unpack(pieces, tmp_path)
    assert {
        path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    } == FILES
    assert next(pieces, None) is None


def _folder(folder: Path) -> Path:
    listed = []
    for name in ("PG_VERSION", "base/1", "global/2"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        listed.append({"Path": name, "Size": len(name), "Checksum": hashlib.sha256(name.encode()).hexdigest()})
    (folder / "pg_wal").mkdir()
    (folder / "pg_wal/0001").write_text("log")
    head = '{"Files": ' + json.dumps(listed) + ",\n"
    (folder / "backup_manifest").write_text(
        f'{head}"Manifest-Checksum": "{hashlib.sha256(head.encode()).hexdigest()}"}}\n'
    )
    return folder


def test_a_base_backup_that_is_as_its_manifest_says_passes(tmp_path: Path) -> None:
    verifying.verify(_folder(tmp_path))


@pytest.mark.parametrize(
    "path, content, sentence",
    [
        ("base/1", b"base/2", "base/1 of the base backup is damaged"),
        ("base/1", None, "base/1 of the base backup is missing"),
        ("base/9", b"", "base/9 of the base backup is no part of it"),
        ("backup_manifest", b'{"Files": []}\n', "the manifest of the base backup is damaged"),
    ],
    ids=["changed", "missing", "added", "manifest"],
)
def test_what_differs_is_named(tmp_path: Path, path: str, content: bytes | None, sentence: str) -> None:
    folder = _folder(tmp_path)
    (folder / path).unlink() if content is None else (folder / path).write_bytes(content)
    with pytest.raises(verifying.Differs, match=sentence):
        verifying.verify(folder)
