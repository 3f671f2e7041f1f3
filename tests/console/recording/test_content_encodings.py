"""Compressed bodies as what they were: all of them, their beginnings, and none that would fill the memory."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from console.recording.bodies import MOST, Sample, whole_body
from console.recording.content_encodings import decode

Encode = Callable[[bytes], bytes]
TEXT = b"Homeport, " * 20
BARE = lambda data: zlib.compress(data, wbits=-15)  # noqa: E731 (one of many)
KINDS: list[tuple[str, Encode]] = [
    ("gzip", gzip.compress),
    ("X-Gzip", gzip.compress),
    ("gzip", lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:])),
    ("deflate", zlib.compress),
    ("deflate", BARE),
    ("br", brotli.compress),
    ("zstd", zstandard.compress),
    ("identity", bytes),
    ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    ("br, zstd", lambda data: zstandard.compress(brotli.compress(data))),
]
COMPRESSED = [kind for kind in KINDS if kind[0] != "identity"]


@pytest.mark.parametrize("encoding, encode", KINDS)
def test_all_of_it(encoding: str, encode: Encode) -> None:
    assert decode(encode(TEXT), encoding, most=10_000) == (TEXT, True)


@pytest.mark.parametrize("encoding, encode", COMPRESSED)
def test_its_beginning_when_it_broke_off(encoding: str, encode: Encode) -> None:
    found = decode(encode(TEXT)[:-5], encoding, most=10_000)
    assert found is not None
    assert not found.is_whole
    assert TEXT.startswith(found.data)


@pytest.mark.parametrize("encoding, encode", COMPRESSED)
def test_bombs_do_not_go_off(encoding: str, encode: Encode) -> None:
    bomb = encode(bytes(300_000_000) if encoding == "zstd" else bytes(30_000_000))
    tracemalloc.start()
    found = decode(bomb, encoding, most=70_000)
    _, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found is not None
    assert (len(found.data) <= 70_000, found.is_whole) == (True, False)
    assert highest < 8_000_000


def test_very_many_members_are_not_all_read() -> None:
    assert decode(gzip.compress(b"") * 10_000, "gzip", most=100) == (b"", False)


@pytest.mark.parametrize(
    "encoding, body",
    [
        ("gzip", b"no gzip at all"),
        ("deflate", b"\xff\xff\xff"),
        ("br", b"\xff\xff\xff no brotli"),
        ("zstd", b"no zstd"),
        ("compress", TEXT),
        ("gzip, gzip, gzip, gzip", gzip.compress(b"x", mtime=0)),
        ("", TEXT),
        ("gzip", b""),
    ],
)
def test_what_cannot_be_read_is_none(encoding: str, body: bytes) -> None:
    assert decode(body, encoding, most=100) is None


@pytest.mark.parametrize("step", [3, 1_000_000])
@pytest.mark.parametrize("encoding, encode", COMPRESSED)
def test_bodies_are_kept_as_text_in_whatever_pieces_they_come(encoding: str, encode: Encode, step: int) -> None:
    sent, sample = encode(TEXT), Sample()
    for start in range(0, len(sent), step):
        sample.add(sent[start : start + step])
    kept = sample.keep("text/plain", encoding=encoding)
    assert (kept.text, kept.size_bytes, kept.is_cut) == (TEXT.decode(), len(sent), False)
    assert kept.decoded_from == encoding


def test_a_long_text_is_cut_and_bytes_are_described() -> None:
    kept = whole_body(gzip.compress(b"x" * 10_000_000), "text/plain", encoding="gzip")
    assert kept.is_cut
    assert MOST < len(kept.text or "") < 2 * MOST
    image = gzip.compress(b"\x00\x01" * 1_000)
    kept = whole_body(image, "image/png", encoding="gzip")
    assert (kept.text, kept.size_bytes, kept.decoded_from) == (None, len(image), "")
    assert kept.digest.startswith("SHA-256 ")
