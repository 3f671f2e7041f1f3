"""Bodies that were sent compressed, as they were before that. Pure.

A few bytes can stand for gigabytes: no more is made of a body than is asked for, and the rest
is not looked at.
"""

import zlib
from collections.abc import Callable
from typing import NamedTuple

import brotli
import zstandard

# Behind one another; more is nobody's.
_ENCODINGS_MAX = 3
_GZIP_MEMBERS_MAX = 16
_BETWEEN_MAX_BYTES = 1_048_576
_BROTLI_PIECE_BYTES = 16_384
_ZSTD_PIECE_BYTES = 64
_ZSTD_WINDOW_MAX_BYTES = 8_388_608  # what HTTP allows
_ANY_GZIP, _ZLIB, _BARE = 31, 15, -15


class Decoded(NamedTuple):
    """What a body was; `is_whole` says whether that is all of it."""

    data: bytes
    is_whole: bool


def decode(body: bytes, encoding: str, *, most: int) -> Decoded | None:
    """The first `most` bytes of what a header `Content-Encoding` says was encoded; None for what can't be read as that.

    The body may end too early: then what came is decoded.
    """
    names = [name.strip().lower() for name in encoding.split(",")]
    if not body or len(names) > _ENCODINGS_MAX:
        return None
    data, is_whole = body, True
    for number, name in enumerate(reversed(names), start=1):
        read = _READERS.get(name)
        if read is None:
            return None
        try:
            found = read(data, most if number == len(names) else _BETWEEN_MAX_BYTES)
        except (zlib.error, brotli.error, zstandard.ZstdError):
            return None
        data, is_whole = found.data, is_whole and found.is_whole
    return Decoded(data[:most], is_whole and len(data) <= most)


def _gunzip(data: bytes, most: int) -> Decoded:
    """It may be several behind one another."""
    found = b""
    for _ in range(_GZIP_MEMBERS_MAX):
        member = zlib.decompressobj(_ANY_GZIP)
        found += member.decompress(data, most - len(found))
        data = member.unused_data
        if not member.eof or not data or len(found) >= most:
            return Decoded(found, member.eof and not data)
    return Decoded(found, False)


def _inflate(data: bytes, most: int) -> Decoded:
    """Some leave out zlib's frame."""
    try:
        return _inflate_as(_ZLIB, data, most)
    except zlib.error:
        return _inflate_as(_BARE, data, most)


def _inflate_as(kind: int, data: bytes, most: int) -> Decoded:
    reader = zlib.decompressobj(kind)
    return Decoded(reader.decompress(data, most), reader.eof)


def _unbrotli(data: bytes, most: int) -> Decoded:
    reader = brotli.Decompressor()
    found = reader.process(data, output_buffer_limit=min(most, _BROTLI_PIECE_BYTES))
    while len(found) < most and not reader.is_finished():
        piece = reader.process(b"", output_buffer_limit=min(most, _BROTLI_PIECE_BYTES))
        if not piece:
            break
        found += piece
    return Decoded(found, reader.is_finished())


def _unzstd(data: bytes, most: int) -> Decoded:
    reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_MAX_BYTES).decompressobj()
    found, taken = b"", 0
    while taken < len(data) and len(found) < most and not reader.eof:
        # A block becomes 128 KB at most and takes four bytes at least: of a piece this small come two megabytes at most.
        found += reader.decompress(data[taken : taken + _ZSTD_PIECE_BYTES])
        taken += _ZSTD_PIECE_BYTES
    return Decoded(found, reader.eof and taken >= len(data))


def _as_it_is(data: bytes, most: int) -> Decoded:
    return Decoded(data, True)


_READERS: dict[str, Callable[[bytes, int], Decoded]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
    "identity": _as_it_is,
}
