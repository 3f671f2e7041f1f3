"""The hash of a file, as the server lists it, so that only what differs is sent.

It is the MD5 of the file's bytes; of a file that was stored in parts it is the MD5 of the parts' MD5s, with their number behind a
dash. The list says how long the parts are, so the same can be made of the file on the disk. It tells files apart and proves
nothing about who made them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

_CHUNK_BYTES = 1024 * 1024


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def join(parts: Sequence[str]) -> str:
    """The hash of a file of the MD5s of its parts."""
    return parts[0] if len(parts) == 1 else f"{md5(bytes.fromhex(''.join(parts)))}-{len(parts)}"


def hash_file(path: Path, parts: Iterable[tuple[int, int]]) -> str:
    """The hash of a file that is cut into `parts`, each a length in bytes and how many follow one another. Raises OSError.

    A file that is longer or shorter than its parts has no hash: the answer is empty.
    """
    found = []
    with path.open("rb") as file:
        for size, amount in parts:
            for _ in range(amount):
                digest = _hash_part(file, size)
                if not digest:
                    return ""
                found.append(digest)
        return "" if file.read(1) else join(found)


def _hash_part(file: IO[bytes], size: int) -> str:
    digest, left = hashlib.md5(usedforsecurity=False), size
    while left:
        chunk = file.read(min(left, _CHUNK_BYTES))
        if not chunk:
            return ""
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest()
