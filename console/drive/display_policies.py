"""How a stored file may be shown: what its bytes say, asked once. Blobs never change, so an answer is good for ever.

`content_sniffing.py` decides by the first bytes. Those are looked at here and now: its tables and patterns, and the headers of
most images, are passed over once. What can be read many times over, PDFs and AVIF, is read in a helper.
"""

from functools import lru_cache
from uuid import UUID

from console.bounded_work.helpers import Busy, Stopped
from console.drive.content_sniffing import TEXTS, DisplayPolicy, judge, measure, with_pixels
from console.drive.kinds import Kind, kind_of
from console.drive.pdf_verdicts import TOO_MUCH
from console.drive.preview_work import run
from storage import limits
from storage.drive import files
from storage.drive.files import StoredFile
from storage.postgres.database import release_connection

# Enough for every header that tells what a file is, but for the size of an image with a long preview in front.
_HEAD_BYTES = 8_192
_BUSY = "The server is too busy to look at this file. Try again in a moment, or download it."
# The boxes of an AVIF point at each other; the other images' headers are read from front to back.
_MEASURED_ELSEWHERE = ("image/avif",)


def display_policy_of(file: StoredFile, name: str) -> DisplayPolicy:
    """How a file can be shown; its first bytes are read once, all of a PDF. Raises EngineUnreachable and BlobMissing.

    The connection of the database is given back when the file has to be looked at.
    """
    if not file.size_bytes:
        return DisplayPolicy("text" if kind_of(name, file.content_type) in TEXTS else "other", "empty")
    kept = _Kept(tuple(file.blob_ids), file, kind_of(name, file.content_type))
    try:
        return _policy_of(kept)
    except Busy:
        return DisplayPolicy("other", file.content_type, why_not=_BUSY)


class _Kept:
    """A file as the cache knows it: by its blobs, and what its name promises."""

    def __init__(self, blob_ids: tuple[UUID, ...], file: StoredFile, promised: Kind) -> None:
        self._key = (blob_ids[0], len(blob_ids), file.etag, promised)
        self.file = file
        self.promised: Kind = promised

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and self._key == other._key


@lru_cache(maxsize=4_096)
def _policy_of(kept: _Kept) -> DisplayPolicy:
    """Raises Busy, and then nothing is kept."""
    release_connection()
    policy = judge(files.read_start(kept.file, _HEAD_BYTES), kept.promised)
    if policy.kind == "image" and policy.inline_type:
        return with_pixels(policy, _measure(policy, files.read_start(kept.file, limits.PREVIEW_HEAD_BYTES)))
    if policy.kind == "pdf" and (why_not := _why_not_shown(kept.file)):
        return DisplayPolicy("other", policy.sniffed, why_not=why_not)
    return policy


def _measure(policy: DisplayPolicy, head: bytes) -> tuple[int, int]:
    if policy.sniffed not in _MEASURED_ELSEWHERE:
        return measure(head)
    try:
        width, height = run("measure", head)
    except Stopped:
        return -1, -1
    return width, height


def _why_not_shown(file: StoredFile) -> str:
    """Why this PDF must not be shown, as a sentence; empty when it may be."""
    if file.size_bytes > limits.PREVIEW_PDF_BYTES:
        return TOO_MUCH
    try:
        return str(run("judge_pdf", files.read_start(file, limits.PREVIEW_PDF_BYTES)))
    except Stopped:
        return TOO_MUCH
