"""Where backups are kept: a folder, or a bucket of another S3. Things have names like paths, and are whole or not there.

What is written is on the disk, or acknowledged by the S3, when `put` returns. Nothing that is there is ever changed.
"""

import contextlib
import errno
import os
import secrets
import stat
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import urllib3

from storage.backups.faults import BackupFault, Missing
from storage.embedded import durable
from storage.s3 import blobs

_CHUNK_BYTES = 1024 * 1024
# In a folder: what is being written. In a bucket the S3 itself keeps such things apart.
_UNFINISHED = ".unfinished"
_UNFINISHED_KEPT_SECONDS = 86_400
# A folder is listed again while files go that were just listed, but not for ever.
_LISTINGS_MAX = 10
# Of an upload in parts, ten thousand at most: they grow, so that 5 TB go into one object.
_FIRST_PART_BYTES, _PARTS_OF_A_SIZE = 16 * 1024 * 1024, 1_000


class Put(NamedTuple):
    """What was written: how many bytes, and their SHA-256 in hexadecimal digits."""

    size_bytes: int
    sha256: str


class Entry(NamedTuple):
    """Something that is there."""

    name: str
    size_bytes: int
    modified_at: datetime


class Place(ABC):
    """A target of backups. All methods raise BackupFault, and say what is wrong with the place."""

    @abstractmethod
    def put(self, name: str, chunks: Iterable[bytes]) -> Put:
        """Write something under a name. What `chunks` raises passes through, and nothing is there then."""

    @abstractmethod
    def open(self, name: str) -> Iterator[bytes]:
        """Read something. Raises Missing, at the first piece."""

    @abstractmethod
    def entries(self, prefix: str) -> Iterator[Entry]:
        """All whose names begin so; the prefix is empty or ends with a slash. In no particular order."""

    @abstractmethod
    def delete(self, names: Iterable[str]) -> None:
        """Delete things; what is not there is deleted already."""

    @abstractmethod
    def tidy(self) -> None:
        """Remove what was being written when a writer was killed, a day ago or more."""

    def read(self, name: str) -> bytes:
        """Something small as a whole. Raises Missing."""
        return b"".join(self.open(name))


def open_place(target: str, *, access: "S3Access") -> Place:
    """The place that a person named: `s3://bucket/prefix` or a folder. Raises BackupFault for what is neither."""
    if "\0" in target or not target.strip():
        raise BackupFault("Name a folder, such as /backup/homeport, or s3://bucket/prefix.")
    if target.startswith("s3://"):
        parts = urlsplit(target)
        if not parts.netloc or parts.query or parts.fragment:
            raise BackupFault(f"{target} is no place in an S3: write s3://bucket/prefix.")
        if not access.access_key or not access.secret_key:
            raise BackupFault(
                f"{target} needs HOMEPORT_BACKUP_S3_ACCESS_KEY_ID and HOMEPORT_BACKUP_S3_SECRET_ACCESS_KEY in the"
                " environment of the server."
            )
        return S3Place(access, bucket=parts.netloc, prefix=parts.path.strip("/"))
    if "://" in target:
        raise BackupFault(f"{target} is neither a folder nor s3://bucket/prefix.")
    return FolderPlace(Path(target).expanduser().absolute())


class FolderPlace(Place):
    """A folder, whose files only we can read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return str(self.folder)

    def put(self, name: str, chunks: Iterable[bytes]) -> Put:
        digest, size_bytes = sha256(), 0
        path, unfinished = self._path(name), self.folder / _UNFINISHED / secrets.token_hex(12)
        with self._in_words():
            for folder in (unfinished.parent, path.parent):
                self._make(folder)
        try:
            with self._in_words():
                file = os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
            with file:
                for chunk in chunks:
                    digest.update(chunk)
                    size_bytes += len(chunk)
                    with self._in_words():
                        file.write(chunk)
                with self._in_words():
                    file.flush()
                    os.fsync(file.fileno())
            with self._in_words():
                unfinished.replace(path)
                durable.sync_folder(path.parent)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        return Put(size_bytes, digest.hexdigest())

    def open(self, name: str) -> Iterator[bytes]:
        with self._in_words():
            try:
                file = self._path(name).open("rb")
            except FileNotFoundError:
                raise Missing(f"{self._path(name)} is missing.") from None
        with file:
            while True:
                with self._in_words():
                    chunk = file.read(_CHUNK_BYTES)
                if not chunk:
                    return
                yield chunk

    def entries(self, prefix: str) -> Iterator[Entry]:
        with self._in_words():
            yield from self._entries(self._path(prefix))

    def _entries(self, folder: Path) -> Iterator[Entry]:
        for _ in range(_LISTINGS_MAX):
            try:
                found = [each for each in os.scandir(folder) if each.name != _UNFINISHED]
            except FileNotFoundError:
                return
            there = []
            for each in found:
                with contextlib.suppress(FileNotFoundError):
                    there.append((each, each.stat(follow_symlinks=False)))
            # What was there before a file went may lack what took its place.
            if len(there) == len(found):
                break
        for each, about in there:
            if stat.S_ISDIR(about.st_mode):
                yield from self._entries(Path(each.path))
            elif stat.S_ISREG(about.st_mode):
                name = Path(each.path).relative_to(self.folder).as_posix()
                yield Entry(name, about.st_size, datetime.fromtimestamp(about.st_mtime, UTC))

    def delete(self, names: Iterable[str]) -> None:
        for name in names:
            path = self._path(name)
            with self._in_words():
                path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self.folder:
                    break
                try:
                    folder.rmdir()
                except OSError:
                    break

    def tidy(self) -> None:
        with self._in_words():
            for path in (self.folder / _UNFINISHED).glob("*"):
                # Another process may have finished it since.
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > _UNFINISHED_KEPT_SECONDS:
                        path.unlink()

    def _make(self, folder: Path) -> None:
        """The target and what is below it are for us alone."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in reversed(folder.relative_to(self.folder).parents):
            (self.folder / part).mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)

    def _path(self, name: str) -> Path:
        if ".." in name.split("/") or name.startswith("/"):
            raise BackupFault(f"{name!r} is no name of anything in a backup.")
        return self.folder / name

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            about = error.filename or self.folder
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise BackupFault(f"The disk of {self.folder} is full: make room there.") from error
            raise BackupFault(f"{about} can't be used for backups: {error.strerror}.") from error


class S3Access(NamedTuple):
    """How an S3 is reached."""

    endpoint_url: str | None
    region: str
    access_key: str
    secret_key: str


@lru_cache(maxsize=4)
def _client_of(access: S3Access) -> Any:
    """One for all turns of a process: making it takes a tenth of a second, and the log is brought four times a minute."""
    return blobs.open_client(
        access.endpoint_url or "", region=access.region, access_key=access.access_key, secret_key=access.secret_key
    )


class S3Place(Place):
    """A prefix in a bucket, which has to be there."""

    def __init__(self, access: S3Access, *, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._client = _client_of(access)

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def put(self, name: str, chunks: Iterable[bytes]) -> Put:
        digest, size_bytes, waiting = sha256(), 0, bytearray()
        upload: _PartedUpload | None = None
        try:
            for chunk in chunks:
                digest.update(chunk)
                size_bytes += len(chunk)
                waiting += chunk
                wanted = upload.part_bytes if upload else _FIRST_PART_BYTES
                if len(waiting) >= wanted:
                    with self._in_words():
                        upload = upload or _PartedUpload(self._client, self._bucket, self._prefix + name)
                        upload.put_part(bytes(waiting))
                    waiting.clear()
            with self._in_words():
                if upload:
                    upload.complete(bytes(waiting))
                else:
                    self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=bytes(waiting))
                told = self._client.head_object(Bucket=self._bucket, Key=self._prefix + name)["ContentLength"]
        except BaseException:
            if upload:
                upload.abort()
            raise
        if told != size_bytes:
            raise BackupFault(f"{self} stored {told} bytes of {name} instead of {size_bytes}.")
        return Put(size_bytes, digest.hexdigest())

    def open(self, name: str) -> Iterator[bytes]:
        with self._in_words(name):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"]
        with contextlib.closing(answer):
            while True:
                try:
                    chunk = answer.read(_CHUNK_BYTES)
                except (*blobs.CLIENT_ERRORS, urllib3.exceptions.HTTPError, OSError) as error:
                    raise BackupFault(f"{self} stopped in the middle of {name}: {error}") from error
                if not chunk:
                    return
                yield chunk

    def entries(self, prefix: str) -> Iterator[Entry]:
        whole = self._prefix + prefix
        with self._in_words():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=whole):
                for each in page.get("Contents", []):
                    yield Entry(each["Key"].removeprefix(self._prefix), each["Size"], each["LastModified"])

    def delete(self, names: Iterable[str]) -> None:
        with self._in_words():
            for name in names:
                self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)

    def tidy(self) -> None:
        # Not every S3 lists these; where none does, a rule of the bucket removes them.
        with contextlib.suppress(*blobs.CLIENT_ERRORS):
            found = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=self._prefix)
            for each in found.get("Uploads", []):
                if time.time() - each["Initiated"].timestamp() > _UNFINISHED_KEPT_SECONDS:
                    self._client.abort_multipart_upload(Bucket=self._bucket, Key=each["Key"], UploadId=each["UploadId"])

    @contextlib.contextmanager
    def _in_words(self, name: str | None = None) -> Iterator[None]:
        try:
            yield
        except blobs.CLIENT_ERRORS as error:
            code = str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
            if name is not None and code in ("NoSuchKey", "404"):
                raise Missing(f"{self}/{name} is missing.") from error
            raise BackupFault(f"{self} can't be used for backups: {code or error}.") from error


class _PartedUpload:
    """An object that is sent in parts, and is not there before it is complete."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client = client
        self._place = {"Bucket": bucket, "Key": key}
        self._id = self._client.create_multipart_upload(**self._place)["UploadId"]
        self._parts: list[dict[str, object]] = []

    @property
    def part_bytes(self) -> int:
        return _FIRST_PART_BYTES * 2 ** (len(self._parts) // _PARTS_OF_A_SIZE)

    def put_part(self, content: bytes) -> None:
        number = len(self._parts) + 1
        answer = self._client.upload_part(**self._place, UploadId=self._id, PartNumber=number, Body=content)
        self._parts.append({"ETag": answer["ETag"], "PartNumber": number})

    def complete(self, rest: bytes) -> None:
        if rest:
            self.put_part(rest)
        self._client.complete_multipart_upload(**self._place, UploadId=self._id, MultipartUpload={"Parts": self._parts})

    def abort(self) -> None:
        with contextlib.suppress(*blobs.CLIENT_ERRORS):
            self._client.abort_multipart_upload(**self._place, UploadId=self._id)
