"""Objects in S3, the bundled one and another (see `storage/s3/blobs.py`)."""

import hashlib
import tracemalloc
import uuid
from collections.abc import Iterator

import pytest

from storage.errors import BlobMissing, EngineUnreachable, InvalidInput
from storage.s3 import blobs, reading
from storage.s3.blobs import Hashes, Owner
from tests.drives import MOST, md5, noise

OWNER = Owner("c" * 10, "drive", 'a file\'s "name" \\ é 漢 🎈', "text/plain; charset=utf-8", "f" * 32, 10_000, True)


_put: list[uuid.UUID] = []


@pytest.fixture(autouse=True)
def tidy_bucket(request: pytest.FixtureRequest) -> Iterator[None]:
    """Objects that no row knows would be damage to whoever compares bucket and database later."""
    if "s3" in request.fixturenames:
        request.getfixturevalue("s3")
    yield
    assert blobs.delete(_put) == []
    _put.clear()


def put(content: bytes, owner: Owner = OWNER, pieces: int = 3) -> uuid.UUID:
    blob_id = uuid.uuid4()
    step = max(1, -(-len(content) // pieces))
    chunks = [content[at : at + step] for at in range(0, len(content), step)]
    _put.append(blob_id)
    assert blobs.put(blob_id, length=len(content), chunks=chunks, owner=owner) == Hashes(
        md5(content), hashlib.sha256(content).digest()
    )
    return blob_id


def read(blob_id: uuid.UUID, start: int, length: int, size_bytes: int) -> bytes:
    return b"".join(blobs.read(blob_id, start=start, length=length, size_bytes=size_bytes))


@pytest.mark.parametrize("size", [0, 1, 1000, 1_000_000, MOST])
def test_an_object_comes_back(s3: str, size: int) -> None:
    content = noise(MOST)[:size]
    blob_id = put(content)

    assert blobs.find_size(blob_id) == size
    assert blobs.find_hashes(blob_id, size).md5 == md5(content)
    if size:
        assert read(blob_id, 0, size, size) == content


@pytest.mark.parametrize("size", [0, 1000, MOST])
def test_an_object_is_copied_for_another_owner(s3: str, size: int) -> None:
    content = noise(MOST)[:size]
    blob_id, new_id, owner = put(content), uuid.uuid4(), Owner("d" * 10, "copy", "é/n", "text/html")
    _put.append(new_id)
    blobs.copy(blob_id, new_id, length=size, md5=md5(content), owner=owner)
    assert blobs.find_owner(new_id) == owner
    assert blobs.delete([blob_id]) == []
    assert (blobs.find_size(new_id), blobs.find_hashes(new_id, size).md5) == (size, md5(content))


def test_a_copy_of_other_bytes_than_expected_is_none(s3: str) -> None:
    blob_id = put(b"content")
    for missing, length, digest, error in [
        (True, 7, md5(b"content"), BlobMissing),
        (False, 8, md5(b"content"), EngineUnreachable),
        (False, 7, md5(b"CONTENT"), EngineUnreachable),
    ]:
        _put.append(uuid.uuid4())
        with pytest.raises(error):
            blobs.copy(uuid.uuid4() if missing else blob_id, _put[-1], length=length, md5=digest, owner=OWNER)


@pytest.mark.parametrize("start, length", [(0, 1), (999, 1), (0, 999), (500, 500), (10, 20)])
def test_a_part_of_an_object(s3: str, start: int, length: int) -> None:
    content = noise(1000)

    assert read(put(content), start, length, 1000) == content[start : start + length]


OWNERS = [
    OWNER,
    Owner("c" * 10, "d", "n"),
    Owner("c" * 10, "d" * 128, "\\" * 1024, "x" * 255, "f" * 32, 10_000),
    Owner("c" * 10, "d" * 128, '"' * 1024, '"' * 255, "f" * 32, 10_000),
    Owner("c" * 10, "d", "é" * 512),
    Owner("c" * 10, "d", " /../ "),
]


@pytest.mark.parametrize("owner", OWNERS, ids=range(len(OWNERS)))
def test_an_object_says_what_it_belongs_to(owner: Owner) -> None:
    """S3 allows 2,048 bytes for the names and values of all metadata."""
    ((header, value),) = blobs._describe(owner).items()

    assert value.isascii()
    assert len(header) + len(value) <= 1900
    assert blobs._read_owner({header: value}) == kept(owner)


def kept(owner: Owner) -> Owner:
    """What fits of an owner: the longest type gives way to the longest name."""
    return owner._replace(content_type="") if len(owner.name) == 1024 and len(owner.content_type) == 255 else owner


@pytest.mark.parametrize("value", ["", "nonsense", "YQ==", "é", "Cg" * 100])
def test_metadata_of_others_says_nothing(value: str) -> None:
    assert blobs._read_owner({"x-amz-meta-homeport": value}) is None
    assert blobs._read_owner({}) is None


@pytest.mark.parametrize("owner", OWNERS, ids=range(len(OWNERS)))
def test_what_an_object_belongs_to_is_kept(s3: str, owner: Owner) -> None:
    assert blobs.find_owner(put(b"x", owner)) == kept(owner)


def test_an_object_that_is_not_there(s3: str) -> None:
    nothing = uuid.uuid4()

    assert blobs.find_size(nothing) is None
    assert blobs.find_owner(nothing) is None
    with pytest.raises(BlobMissing):
        read(nothing, 0, 10, 10)
    with pytest.raises(BlobMissing):
        read(nothing, 0, 5, 10)
    blobs.delete([nothing])


def test_an_object_of_another_length_is_not_ours(s3: str) -> None:
    blob_id = put(b"12345")

    with pytest.raises(BlobMissing):
        read(blob_id, 0, 6, 6)
    with pytest.raises(BlobMissing):
        read(blob_id, 4, 2, 6)


def test_deleted_objects_are_gone(s3: str) -> None:
    kept, *gone = [put(b"x") for _ in range(4)]

    blobs.delete(gone)

    assert [blobs.find_size(blob_id) for blob_id in gone] == [None] * 3
    assert blobs.find_size(kept) == 1


def test_the_listing_has_every_object(s3: str) -> None:
    wanted = {put(b"x" * size): size for size in range(5)}

    listed = {blob.id: blob.size_bytes for blob in blobs.list_blobs()}

    assert {blob_id: listed.get(blob_id) for blob_id in wanted} == wanted


def test_bytes_that_stop_coming_make_no_object(s3: str) -> None:
    blob_id = uuid.uuid4()

    def cut() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise InvalidInput("cut")

    with pytest.raises(InvalidInput):
        blobs.put(blob_id, length=200_000, chunks=cut(), owner=OWNER)
    assert blobs.find_size(blob_id) is None


def test_fewer_bytes_than_announced_make_no_object(s3: str) -> None:
    blob_id = uuid.uuid4()

    with pytest.raises(EngineUnreachable):
        blobs.put(blob_id, length=200_000, chunks=[b"x" * 100_000], owner=OWNER)
    assert blobs.find_size(blob_id) is None


def test_a_reading_that_is_ended_early_harms_nobody(s3: str) -> None:
    content = noise(5_000_000)
    blob_id = put(content)
    for _ in range(5):
        reading = blobs.read(blob_id, start=0, length=len(content), size_bytes=len(content))
        next(iter(reading))
        reading.close()
        reading.close()

    assert read(blob_id, 0, len(content), len(content)) == content


def test_the_probe_finds_no_fault(s3: str) -> None:
    assert blobs.find_fault() is None


def test_a_manifest(s3: str) -> None:
    parts = [uuid.uuid4() for _ in range(10_000)]
    body = blobs.write_manifest(parts)

    assert blobs.read_manifest(put(body), len(body)) == parts


@pytest.mark.parametrize("slow_after_s, rest", [(60, reading.CHUNK_BYTES), (-1, reading.SLOW_CHUNK_BYTES)])
def test_who_takes_slowly_is_given_small_chunks(
    s3: str, monkeypatch: pytest.MonkeyPatch, slow_after_s: int, rest: int
) -> None:
    monkeypatch.setattr(reading, "_SLOW_SECONDS", slow_after_s)
    blob_id, length = uuid.uuid4(), 2 * reading.CHUNK_BYTES
    blobs.put(blob_id, length=length, chunks=[noise(length)], owner=OWNER)

    chunks = list(blobs.read(blob_id, start=0, length=length, size_bytes=length))

    assert b"".join(chunks) == noise(length)
    assert [len(chunk) for chunk in chunks] == [reading.CHUNK_BYTES] + [rest] * (reading.CHUNK_BYTES // rest)
    blobs.delete([blob_id])


def test_further_clients_take_little_memory() -> None:
    """Restores and drills make one each; what boto3 knows of S3 alone takes 13 MB."""

    def make(number: int) -> object:
        return blobs.open_client("http://127.0.0.1:1", region="r", access_key="a", secret_key=str(number))

    kept = [make(0)]
    tracemalloc.start()
    try:
        kept += [make(number) for number in (1, 2)]
        assert tracemalloc.get_traced_memory()[0] < 2_000_000
    finally:
        tracemalloc.stop()
