"""The bytes of files, in S3. The only module that imports boto3; it turns what S3 says into errors of our own.

An object's key is random and says nothing; its metadata says what it belongs to, so that the database can be rebuilt.
Objects are put, read and deleted by signed requests over urllib3: boto3's own client takes longer for its bookkeeping
than a small object does, and to be made takes a good part of a second. Listing, which nobody waits for, is left to it, and it
is loaded then.

No engine's habits are leaned on: keys are plain, lengths are always known, and an `ETag` that is not the MD5 of what was
sent only means that the object is read back and compared.
"""

import base64
import hashlib
import json
import logging
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit
from uuid import UUID

import urllib3
from botocore.auth import UNSIGNED_PAYLOAD, S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from storage import disk_space, engine_waits, limits
from storage.counting.engines import count_error
from storage.embedded.state import EngineTls
from storage.errors import BlobMissing, DiskFull, EngineUnreachable, StorageError
from storage.s3 import pool
from storage.s3.reading import Reading

logger = logging.getLogger(__name__)

FOLDER = "blobs/"
# What goes into an object: a piece of memory may be looked at where it lies.
Bytes = bytes | memoryview
B = TypeVar("B", bytes, bytes | memoryview)

# SeaweedFS and other S3s know neither the checksum trailers of newer SDKs nor names of buckets as names of hosts.
_CONFIG = {
    "s3": {"addressing_style": "path"},
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
_CONNECT_SECONDS = 3.0
_PROBE_SECONDS = 3.0
_COPY_ANSWER_MAX_BYTES = 65_536
# What an S3 answers when it has no space left, besides the status 507.
_FULL = (
    "<Code>InsufficientStorage",
    "<Code>XMinioStorageFull",
    "<Code>QuotaExceeded",
    "no space left",
    "no free volumes",
)


class Owner(NamedTuple):
    """What an object belongs to, as its metadata says: enough to enter it into an empty index.

    `upload_id` and `part` are those of a part; a manifest's body lists the parts' ids in order.
    """

    collection_id: str
    drive: str
    name: str
    content_type: str = ""
    upload_id: str = ""
    part: int = 0
    is_manifest: bool = False


class Hashes(NamedTuple):
    """Of an object's bytes: the MD5 as 32 hexadecimal digits, which clients see, and the SHA-256, by which damage is found."""

    md5: str
    sha256: bytes


class Hashing:
    """Both hashes of bytes that go by."""

    def __init__(self) -> None:
        self._md5, self._sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()

    def watch(self, chunks: Iterable[B]) -> Iterator[B]:
        """The same chunks, each counted in."""
        for chunk in chunks:
            self._md5.update(chunk)
            self._sha256.update(chunk)
            yield chunk

    def found(self) -> Hashes:
        """Of all that went by so far."""
        return Hashes(self._md5.hexdigest(), self._sha256.digest())


class StoredBlob(NamedTuple):
    """An object found in the bucket."""

    id: UUID
    size_bytes: int
    modified_at: datetime


def put(blob_id: UUID, *, length: int, chunks: Iterable[Bytes], owner: Owner) -> Hashes:
    """Store exactly `length` bytes under a key that has never been used, or one whose object is damaged; their hashes.

    What `chunks` raises passes through, and no object comes to be then. Raises EngineUnreachable and DiskFull.
    """
    hashing = Hashing()
    headers = {"Content-Length": str(length), "Content-Type": "application/octet-stream", **_describe(owner)}
    with _send("PUT", blob_id, headers, body=hashing.watch(chunks)) as answer:
        if answer.status == 500 and disk_space.is_short_of(length):
            count_error("s3", "disk_full")
            raise DiskFull()
        _expect(answer, 200)
        told = answer.headers.get("ETag", "").strip('"')
    found = hashing.found()
    if told != found.md5:
        _compare(blob_id, length, found.md5)
    return found


def copy(blob_id: UUID, new_id: UUID, *, length: int, md5: str, owner: Owner) -> None:
    """Have S3 copy an object of this length and MD5 to a key that has never been used, as another owner's.

    Raises EngineUnreachable, DiskFull, and BlobMissing when there is no such object.
    """
    headers = {
        "Content-Length": "0",
        "Content-Type": "application/octet-stream",
        "x-amz-copy-source": f"/{settings.S3_BUCKET}/{key_of(blob_id)}",
        "x-amz-metadata-directive": "REPLACE",
        **_describe(owner),
    }
    with _send("PUT", new_id, headers) as answer:
        if answer.status == 500 and disk_space.is_short_of(length):
            count_error("s3", "disk_full")
            raise DiskFull()
        _expect(answer, 200)
        try:
            told = answer.read(_COPY_ANSWER_MAX_BYTES)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(error) from error
    if find_size(new_id) != length:
        logger.error("S3 copied %s to %s with another length", key_of(blob_id), key_of(new_id))
        count_error("s3", "other_bytes")
        raise EngineUnreachable()
    # An S3 may answer 200 before it knows that it fails: an answer without the ETag is no proof of anything.
    if md5.encode() not in told:
        _compare(new_id, length, md5)


class _FromS3(Reading):
    """An object's bytes while they are read."""

    def __init__(self, answer: urllib3.BaseHTTPResponse, length: int) -> None:
        super().__init__(length)
        self._answer = answer

    def _read(self, size: int) -> bytes:
        try:
            return self._answer.read(size, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(error) from error

    def close(self) -> None:
        """Give the connection back; one with bytes still to come is of no use to anybody else."""
        if self._left > 0:
            self._answer.close()
        self._answer.release_conn()


def read(blob_id: UUID, *, start: int, length: int, size_bytes: int) -> Reading:
    """Begin to read `length` bytes from `start` of an object that has `size_bytes`.

    Raises EngineUnreachable, and BlobMissing when the object is not there or has another length.
    """
    partial = length != size_bytes
    headers = {"Range": f"bytes={start}-{start + length - 1}"} if partial else {}
    answer = _ask("GET", blob_id, headers)
    try:
        _expect(answer, 200, 206)
        # Not every S3 answers 206 for a part, but these two headers are right everywhere.
        told = (answer.headers.get("Content-Length"), answer.headers.get("Content-Range"))
        if told != (str(length), f"bytes {start}-{start + length - 1}/{size_bytes}" if partial else None):
            raise BlobMissing()
    except BaseException:
        answer.close()
        raise
    return _FromS3(answer, length)


def delete(blob_ids: Iterable[UUID]) -> list[UUID]:
    """Delete objects; a missing one is not an error. Returns those that S3 did not delete; the log has its answer.

    Raises EngineUnreachable when there is no answer.
    """
    refused = []
    for blob_id in blob_ids:
        with _send("DELETE", blob_id, {}) as answer:
            try:
                _expect(answer, 204, 200, 404)
            except StorageError:
                refused.append(blob_id)
    return refused


def find_size(blob_id: UUID) -> int | None:
    """An object's size in bytes; None when there is none. Raises EngineUnreachable."""
    with _send("HEAD", blob_id, {}) as answer:
        _expect(answer, 200, 404)
        return int(answer.headers["Content-Length"]) if answer.status == 200 else None


def find_owner(blob_id: UUID) -> Owner | None:
    """What an object's metadata says it belongs to; None when it says nothing of ours. Raises EngineUnreachable."""
    with _send("HEAD", blob_id, {}) as answer:
        _expect(answer, 200, 404)
        return _read_owner(answer.headers)


def find_hashes(blob_id: UUID, size_bytes: int) -> Hashes:
    """The hashes of an object's bytes, read to find them. Raises EngineUnreachable and BlobMissing."""
    hashing = Hashing()
    if size_bytes:
        for _ in hashing.watch(read(blob_id, start=0, length=size_bytes, size_bytes=size_bytes)):
            pass
    elif find_size(blob_id) != 0:
        raise BlobMissing()
    return hashing.found()


def write_manifest(blob_ids: Iterable[UUID]) -> bytes:
    """The body of a manifest: the ids of a file's blobs, in order."""
    return json.dumps([blob_id.hex for blob_id in blob_ids]).encode()


def read_manifest(blob_id: UUID, size_bytes: int) -> list[UUID]:
    """The ids of a file's blobs, in order. Raises EngineUnreachable and BlobMissing."""
    body = b"".join(read(blob_id, start=0, length=size_bytes, size_bytes=size_bytes))
    return [UUID(each) for each in json.loads(body)]


def list_blobs() -> Iterator[StoredBlob]:
    """Every object of ours in the bucket, in no particular order. Raises EngineUnreachable."""
    try:
        pages = _listing_client().get_paginator("list_objects_v2").paginate(Bucket=settings.S3_BUCKET, Prefix=FOLDER)
        for page in pages:
            for entry in page.get("Contents", []):
                name = entry["Key"].rsplit("/", 1)[-1]
                if len(name) == 32:
                    yield StoredBlob(UUID(name), entry["Size"], entry["LastModified"])
    except (BotoCoreError, ClientError) as error:
        raise _unreachable(error) from error


def key_of(blob_id: UUID) -> str:
    """The object's key. Folders of a few thousand suit the engines that keep one file an object."""
    return f"{FOLDER}{blob_id.hex[:2]}/{blob_id.hex[2:4]}/{blob_id.hex}"


class Probe(NamedTuple):
    """What a question to S3 found: what is wrong, None for nothing, and whether what it stores can be read all the same."""

    fault: str | None
    reads: bool = False


def find_fault() -> str | None:
    """Put a small object, get it back and delete it, over the connections that files take.

    None when that works, else what is wrong. Takes three seconds at most, all three together.
    """
    return probe().fault


def probe() -> Probe:
    """As `find_fault`, and whether an S3 that stores nothing, such as a full one, answers when it is asked for an object."""
    key, content = f"probe/{uuid.uuid4().hex}", b"homeport"
    due_at = time.monotonic() + _PROBE_SECONDS
    try:
        for method, body in (("PUT", content), ("GET", None), ("DELETE", None)):
            answer = _ask_for_probe(method, key, due_at, body)
            if answer.status not in (200, 204):
                said = f"S3 answered {answer.status}: {answer.data[:1000].decode(errors='replace')}"
                return Probe(said, reads=_ask_for_probe("GET", key, due_at).status in (200, 404))
            if method == "GET" and answer.data != content:
                return Probe("the object came back changed")
    except urllib3.exceptions.NewConnectionError as error:
        # For urllib3 it is one of the timeouts that follow.
        return Probe(str(error))
    except (urllib3.exceptions.TimeoutError, TimeoutError):
        return Probe(f"no answer within {_PROBE_SECONDS:.0f} s")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return Probe(str(error))
    return Probe(None, reads=True)


def find_server_name(*, seconds: float) -> str:
    """What S3 calls itself in its answers, such as "SeaweedFS 30GB 4.48"; empty when it says nothing, or nothing in time."""
    try:
        answer = _pool().urlopen("GET", "/", timeout=urllib3.Timeout(total=seconds), preload_content=True)
    except (urllib3.exceptions.HTTPError, OSError):
        return ""
    return str(answer.headers.get("Server", ""))


def _ask_for_probe(method: str, key: str, due_at: float, body: bytes | None = None) -> urllib3.BaseHTTPResponse:
    path, options = _signed(method, key, {})
    return _ask_twice(method, path, due_at, {**options, "body": body, "preload_content": True})


def _compare(blob_id: UUID, length: int, md5: str) -> None:
    """Read an object back whose ETag is no MD5, or the wrong one. Raises EngineUnreachable unless it is what was sent."""
    if find_size(blob_id) != length or find_hashes(blob_id, length).md5 != md5:
        logger.error("S3 stored other bytes than it was sent as %s", key_of(blob_id))
        count_error("s3", "other_bytes")
        raise EngineUnreachable()


# Metadata

# S3 allows 2 KB of metadata, in ASCII, and engines differ in what they count. Lines in Base64 keep the longest name within
# that, as no name holds a line break; percent-encoding would not, nor would JSON, which doubles quotes and backslashes.
_META = "x-amz-meta-homeport"
_META_MAX_CHARACTERS = 1_800


def _describe(owner: Owner) -> dict[str, str]:
    lines = [*owner[:5], str(owner.part), str(int(owner.is_manifest))]
    value = base64.urlsafe_b64encode("\n".join(lines).encode()).decode()
    if len(value) > _META_MAX_CHARACTERS:
        # The longest of names and of types together: the type can be guessed again, the name can't.
        return _describe(owner._replace(content_type=""))
    return {_META: value}


def _read_owner(headers: Mapping[str, str]) -> Owner | None:
    try:
        lines = base64.urlsafe_b64decode(headers[_META]).decode().split("\n")
        collection_id, drive, name, content_type, upload_id, part, is_manifest = lines
        return Owner(collection_id, drive, name, content_type, upload_id, int(part), is_manifest == "1")
    except (KeyError, ValueError):
        return None


# Requests


class _Signer(S3SigV4Auth):
    """Signs a request but not its body, whose hash is not known before it is sent; the body's MD5 is checked after."""

    def payload(self, request: AWSRequest) -> str:
        return UNSIGNED_PAYLOAD


@lru_cache(maxsize=1)
def _signer() -> _Signer:
    credentials = Credentials(settings.S3_ACCESS_KEY_ID, settings.S3_SECRET_ACCESS_KEY)
    return _Signer(credentials, "s3", settings.S3_REGION)


@lru_cache(maxsize=1)
def _pool() -> urllib3.HTTPConnectionPool:
    """Connections that all threads share, at most one each."""
    return pool.open_pool(maxsize=limits.TRANSFERS_AT_ONCE, timeout=_timeout(limits.ENGINE_ANSWER_SECONDS))


def _timeout(seconds: float) -> urllib3.Timeout:
    """`seconds` for S3's first word. While connecting and sending, every step has as long."""
    return urllib3.Timeout(connect=min(seconds, _CONNECT_SECONDS), read=seconds)


@contextmanager
def _send(
    method: str, blob_id: UUID, headers: dict[str, str], *, body: Iterable[Bytes] | None = None
) -> Iterator[urllib3.BaseHTTPResponse]:
    """A request whose answer is short: it is read to its end, so that the connection can be used again."""
    answer = _ask(method, blob_id, headers, body=body)
    try:
        yield answer
        answer.drain_conn()
    finally:
        answer.release_conn()


def _ask(
    method: str,
    blob_id: UUID,
    headers: dict[str, str],
    *,
    body: Iterable[Bytes] | None = None,
) -> urllib3.BaseHTTPResponse:
    """The answer, its body not read yet, within what the request has left. Raises EngineUnreachable."""
    budget = engine_waits.current()
    seconds = budget.shorten(limits.ENGINE_ANSWER_SECONDS)
    if not seconds:
        raise _unreachable(TimeoutError())
    path, options = _signed(method, key_of(blob_id), headers)
    try:
        if body is not None:
            # While its bytes go out nobody waits for S3: of these seconds each step has as many.
            # Each piece goes to the socket as it is, which takes looks at memory as well; urllib3's types leave them out.
            pieces = cast(Iterable[bytes], body)
            return _pool().urlopen(method, path, body=pieces, timeout=_timeout(seconds), **options)
        with budget.spending():
            return _ask_twice(method, path, time.monotonic() + seconds, options)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _unreachable(error) from error


def _unreachable(error: Exception) -> EngineUnreachable:
    """Counts what kept S3 from answering."""
    # For urllib3 a connection that is refused is one of its timeouts.
    is_late = isinstance(error, (urllib3.exceptions.TimeoutError, TimeoutError))
    is_refused = isinstance(error, urllib3.exceptions.NewConnectionError)
    count_error("s3", "timeout" if is_late and not is_refused else "unreachable")
    return EngineUnreachable()


def _signed(method: str, key: str, headers: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The path of a request for an object, and the options of `urlopen` for it."""
    path = f"{urlsplit(settings.S3_ENDPOINT_URL).path.rstrip('/')}/{settings.S3_BUCKET}/{key}"
    request = AWSRequest(method=method, url=_origin() + path, headers=headers)
    _signer().add_auth(request)
    return path, {"headers": dict(request.headers.items()), "preload_content": False, "redirect": False}


def _ask_twice(method: str, path: str, due_at: float, options: dict[str, Any]) -> urllib3.BaseHTTPResponse:
    """Ask again over a new connection, as one kept from before may have been closed at the other end at this very moment.

    The first word is due by then in any case, on the clock of `time.monotonic()`.
    """
    try:
        return _pool().urlopen(method, path, timeout=_until(due_at), **options)
    except (urllib3.exceptions.ProtocolError, ConnectionError):
        due_at = max(due_at, time.monotonic() + limits.ENGINE_MIN_SECONDS)
        return _pool().urlopen(method, path, timeout=_until(due_at), **options)


def _until(due_at: float) -> urllib3.Timeout:
    """Raises TimeoutError when it is later than that already."""
    left = due_at - time.monotonic()
    if left <= 0:
        raise TimeoutError()
    return urllib3.Timeout(total=left)


def _origin() -> str:
    parts = urlsplit(settings.S3_ENDPOINT_URL)
    return f"{parts.scheme}://{parts.netloc}"


def _expect(answer: urllib3.BaseHTTPResponse, *statuses: int) -> None:
    """Turn any other status into a named error; what S3 said goes to the log."""
    if answer.status in statuses:
        return
    try:
        # An answer that is no error carries a file's bytes, which are nothing for the log.
        said = answer.read(4096).decode(errors="replace") if answer.status >= 400 else ""
    except (urllib3.exceptions.HTTPError, OSError):
        said = ""
    logger.warning("S3 answered %s: %s", answer.status, said)
    if answer.status == 507 or any(word in said for word in _FULL):
        count_error("s3", "disk_full")
        raise DiskFull()
    if answer.status in (404, 416):
        count_error("s3", "missing")
        raise BlobMissing()
    count_error("s3", "refused")
    raise EngineUnreachable()


# boto3's own client


_making = threading.Lock()


# What boto3's client raises, whatever it is asked for.
CLIENT_ERRORS = (BotoCoreError, ClientError)


@lru_cache(maxsize=1)
def _listing_client() -> Any:
    return open_client(
        settings.S3_ENDPOINT_URL,
        region=settings.S3_REGION,
        access_key=settings.S3_ACCESS_KEY_ID,
        secret_key=settings.S3_SECRET_ACCESS_KEY,
        tls=settings.S3_TLS,
    )


@lru_cache(maxsize=1)
def _session() -> Any:
    """What makes all clients of this process: what it knows of S3 takes 13 MB, which each of several would have of its own."""
    # 5 MB, which processes that list nothing do without.
    import boto3

    return boto3.session.Session()


def open_client(
    endpoint_url: str, *, region: str, access_key: str, secret_key: str, tls: EngineTls | None = None
) -> Any:
    """boto3's client of any S3, for what takes its time; `tls` are the certificates of a bundled one.

    Clients may be shared by threads. What it raises are `CLIENT_ERRORS`.
    """
    config = Config(connect_timeout=3, read_timeout=30, retries={"total_max_attempts": 3}, **_CONFIG)
    if tls:
        # On this machine, whatever proxy the environment names.
        config = config.merge(Config(client_cert=(str(tls.certificate), str(tls.key)), proxies={}))
    # They may be shared by threads, what makes them may not.
    with _making:
        return _session().client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=config,
            verify=str(tls.authority) if tls else None,
        )


def describe_owner(owner: Owner) -> dict[str, str]:
    """What an object's metadata says of its owner, as `open_client`'s puts take it."""
    return {name.removeprefix("x-amz-meta-"): value for name, value in _describe(owner).items()}
