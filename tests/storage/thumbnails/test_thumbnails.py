"""Thumbnails: made of pictures alone, bounded whatever the picture is, and gone when the picture is."""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from uuid import UUID

import pytest
from PIL import Image

from storage import disk_space, limits
from storage.drive import files, moves, reconcile
from storage.errors import FileNotFound, InvalidInput
from storage.models import Blob, Thumbnail
from storage.s3 import blobs
from storage.thumbnails import making, thumbnails
from tests.serving import ROOT
from tests.storage.drive.test_moves import Desk
from tests.sweeping import once_alone, sweep_now
from tests.waiting import eventually


def picture(kind: str = "PNG", size: tuple[int, int] = (600, 300), **more: object) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "teal").save(made, kind, **more)
    return made.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\x00" * 1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


class Album(Desk):
    """A Drive with pictures."""

    def want(self, *names: str) -> dict[str, str]:
        return thumbnails.want_thumbnails(drive_id=self.id, names_given=list(names))

    def made(self, *names: str) -> dict[str, str]:
        """What became of them; the server's own worker may be the one that makes them."""

        def settled() -> dict[str, str]:
            making.make_wanted()
            states = self.want(*names)
            return states if "wanted" not in states.values() else {}

        return eventually(settled)

    def thumbnail(self, name: str) -> Image.Image:
        file = files.get_file(access=self.access, drive=self.drive, name=name)
        small = thumbnails.find_thumbnail(file)
        return Image.open(io.BytesIO(files.read_start(small, small.size_bytes)))


@pytest.fixture
def album(database: None) -> Iterator[Album]:
    made = Album()
    yield made
    if names := made.names():
        made.delete(*names)


def test_each_kind_of_picture_in_small_and_as_it_was_held(album: Album) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # held upright
    for name, content in {
        "a.png": picture(),
        "b.jpg": picture("JPEG", exif=turned, comment=b"where I live"),
        "c.gif": picture("GIF"),
        "d.webp": picture("WEBP"),
        "small.png": picture(size=(8, 4)),
    }.items():
        album.put(name, content)
    assert set(album.want(*album.names()).values()) <= {"wanted", "made"}
    assert set(album.made(*album.names()).values()) == {"made"}
    sizes = {name: album.thumbnail(name).size for name in album.names()}
    assert sizes == {
        "a.png": (256, 128),
        "b.jpg": (128, 256),
        "c.gif": (256, 128),
        "d.webp": (256, 128),
        "small.png": (8, 4),
    }
    small = album.thumbnail("b.jpg")
    assert (small.format, dict(small.getexif()), "comment" in small.info) == ("WEBP", {}, False)


def test_what_is_no_picture_or_a_trap_has_none_and_the_next_one_is_made(album: Album) -> None:
    album.put("1-bomb.png", bomb(200_000, 200_000))
    album.put("2-lies.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    album.put("3-cut.png", picture()[:60])
    album.put("4-text.txt", b"text")
    album.put("5-good.png", picture())
    states = album.made(*album.names())
    assert states == {"1-bomb.png": "none", "2-lies.png": "none", "3-cut.png": "none", "5-good.png": "made"}
    with pytest.raises(FileNotFound):
        album.thumbnail("1-bomb.png")


# What a decoder gone astray could try.
_ASTRAY = """
import resource, tempfile
from storage.thumbnails import shrinking
shrinking.bound()
try:
    bytearray(600_000_000)
except MemoryError:
    print("no memory")
try:
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
except OSError as error:
    print("no file")
print(resource.getrlimit(resource.RLIMIT_CPU))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="macOS keeps no process from having more memory")
def test_the_process_is_bounded() -> None:
    done = subprocess.run([sys.executable, "-c", _ASTRAY], cwd=ROOT, capture_output=True, text=True, check=True)
    cpu = limits.THUMBNAIL_CPU_SECONDS
    assert done.stdout.split("\n") == ["no memory", "no file", f"({cpu}, {cpu})", ""]


def test_one_goes_with_its_file_and_nothing_is_left_in_the_bucket(album: Album) -> None:
    album.put("a.png", picture())
    album.put("b.png", picture(size=(300, 300)))
    assert album.made("a.png", "b.png") == {"a.png": "made", "b.png": "made"}
    ids = {row.thumb_id for row in Thumbnail.objects.filter(blob_id__in=first_blobs(album)) if row.thumb_id}
    assert len(ids) == 2
    assert not ids & {blob.id for blob in Blob.objects.exclude(state="live")}

    # A name is nothing to it: it is the bytes'.
    moves.rename(access=album.access, drive_id=album.id, old="a.png", new="c.png")
    assert album.want("c.png") == {"c.png": "made"}
    gone = set(first_blobs(album))
    album.put("c.png", picture(size=(10, 20)))
    assert album.made("c.png") == {"c.png": "made"}
    assert album.thumbnail("c.png").size == (10, 20)
    album.delete("b.png")

    eventually(lambda: sweep_now() and not Blob.objects.filter(id__in=ids).exists())
    assert Thumbnail.objects.filter(blob_id__in=gone).count() == 0
    assert {blob_id for blob_id in ids if blobs.find_size(blob_id) is not None} == set()
    assert album.thumbnail("c.png").size == (10, 20)


def test_a_lost_one_is_made_anew_after_reconcile(album: Album) -> None:
    album.put("a.png", picture())
    assert album.made("a.png") == {"a.png": "made"}
    thumb_id = Thumbnail.objects.get(blob_id__in=first_blobs(album)).thumb_id
    assert thumb_id is not None
    assert thumb_id not in once_alone(reconcile.compare).unreferenced
    list(blobs.delete([thumb_id]))
    assert thumb_id in once_alone(reconcile.repair).missing
    assert album.made("a.png") == {"a.png": "made"}
    assert album.thumbnail("a.png").size == (256, 128)


def test_so_many_at_once_and_none_on_a_full_disk(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput):
        album.want(*(f"{number}.png" for number in range(limits.ROWS_PER_PAGE + 1)))
    album.put("a.png", picture())
    monkeypatch.setattr(disk_space, "is_short_for_files", lambda: True)
    assert album.want("a.png") == {}
    monkeypatch.undo()
    monkeypatch.setattr(limits, "THUMBNAIL_SOURCE_MAX_BYTES", 10)
    assert album.want("a.png") == {}


def first_blobs(album: Album) -> list[UUID]:
    return [ids[0] for ids, _, _ in album.rows().values()]
