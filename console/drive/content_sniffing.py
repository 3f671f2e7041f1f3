"""How a file may be shown, decided by its first bytes: the one allow-list for inline display (promises: The console). Pure.

A type that is sent to a browser comes only from this table, never from the name or from who stored the file. A name that says
something else than the bytes keeps a file from being shown.
"""

import codecs
import io
import logging
import re
from dataclasses import dataclass

import imagesize
import puremagic

from console.drive.kinds import Kind
from storage import limits
from storage.drive import content_types

logger = logging.getLogger(__name__)

# What the sniffer calls them, and the type that they are shown as.
_SHOWN: dict[str, tuple[Kind, str]] = {
    "image/png": ("image", "image/png"),
    "image/jpeg": ("image", "image/jpeg"),
    "image/gif": ("image", "image/gif"),
    "image/webp": ("image", "image/webp"),
    "image/avif": ("image", "image/avif"),
    "application/pdf": ("pdf", "application/pdf"),
    "audio/mpeg": ("audio", "audio/mpeg"),
    "audio/wave": ("audio", "audio/wav"),
    "audio/x-wav": ("audio", "audio/wav"),
    "audio/wav": ("audio", "audio/wav"),
    "audio/flac": ("audio", "audio/flac"),
    "audio/x-flac": ("audio", "audio/flac"),
    "audio/mp4": ("audio", "audio/mp4"),
    "audio/aac": ("audio", "audio/aac"),
    "audio/ogg": ("audio", "audio/ogg"),
    "video/mp4": ("video", "video/mp4"),
    "video/webm": ("video", "video/webm"),
}
_ALIKE: tuple[frozenset[Kind], ...] = (frozenset({"audio", "video"}), frozenset({"image", "svg"}))
TEXTS: frozenset[Kind] = frozenset({"json", "csv", "markdown", "text"})
# Atomic and possessive: what was passed over once is never read otherwise, or each comment would double the time.
_SVG = re.compile(
    r"\s*+(?:<\?xml[^>]*+(?<=\?)>\s*+)?+(?:(?><!--.*?-->)\s*+|<!DOCTYPE[^>\[]*+>\s*+)*+<svg[\s>]",
    re.DOTALL | re.IGNORECASE,
)
_utf8 = codecs.getincrementaldecoder("utf-8-sig")  # it waits for the rest of a character that is cut
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True)
class DisplayPolicy:
    """How a file can be shown. `inline_type` is what a browser is told then; empty: it is downloaded or shown as text.

    `sniffed` is the type that the bytes have, in words; `pixels` width and height of an image; `why_not` says why a file
    is not shown although its name promises it.
    """

    kind: Kind
    sniffed: str
    inline_type: str = ""
    pixels: tuple[int, int] | None = None
    why_not: str = ""


def judge(head: bytes, promised: Kind) -> DisplayPolicy:
    """How a file that begins like this can be shown, whose name promises this kind."""
    sniffed = sniff(head)
    if sniffed in _SHOWN:
        kind, shown_as = _SHOWN[sniffed]
        if promised in (kind, "other") or any({promised, kind} <= alike for alike in _ALIKE):
            return DisplayPolicy(kind, shown_as, shown_as)
        return DisplayPolicy("other", shown_as, why_not=f"The name does not match the content: {shown_as}.")
    text = read_text(head)
    if text is None:
        return DisplayPolicy("other", sniffed or content_types.FALLBACK)
    if _SVG.match(text) and promised in ("svg", "image", "other"):
        return DisplayPolicy("svg", "image/svg+xml", "image/svg+xml")
    if promised in TEXTS:
        return DisplayPolicy(promised, "text/plain")
    if promised == "other":
        return DisplayPolicy("text", "text/plain")
    return DisplayPolicy("text", "text/plain", why_not="The name does not match the content: text.")


def sniff(head: bytes) -> str:
    """The type that the first bytes mean, empty when they mean none that is known."""
    if head[:4] == b"\x1aE\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ""  # a text in UTF-16, whose mark is a frame of MP3 as well
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return ""
    # What it finds at the end of these bytes is in the middle of the file.
    found = [match for match in matches if match.offset >= 0]
    for match in found:
        if match.extension in (".m4a", ".m4b"):
            return "audio/mp4"
        if match.mime_type in _SHOWN:
            return match.mime_type
    return next((match.mime_type for match in found if match.mime_type and not match.mime_type.startswith("text/")), "")


def read_text(data: bytes) -> str | None:
    """Bytes as text, the last character of which may be cut; None when they are none.

    UTF-8, UTF-16 with its mark, else Windows-1252, which older programs write.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data[: len(data) // 2 * 2].decode("utf-16", errors="replace").removeprefix("\ufeff")
    if b"\x00" in data:
        return None
    try:
        text = _utf8().decode(data)
        if text or not data:
            return None if _CONTROL.search(text) else text
    except UnicodeDecodeError:
        pass
    text = data.decode("cp1252", errors="replace")
    return None if _CONTROL.search(text) or "\ufffd" in text else text


def with_pixels(policy: DisplayPolicy, pixels: tuple[int, int]) -> DisplayPolicy:
    """The policy for an image of this width and height, which is not shown when unpacking it could take all memory."""
    width, height = pixels
    if width <= 0 or height <= 0:
        return DisplayPolicy("other", policy.sniffed, why_not="This image's size cannot be read.")
    if width * height > limits.PREVIEW_MAX_PIXELS:
        why = f"This image is too large to be shown here: {width:,} by {height:,} pixels."
        return DisplayPolicy("other", policy.sniffed, pixels=pixels, why_not=why)
    return DisplayPolicy(policy.kind, policy.sniffed, policy.inline_type, pixels)


def measure(head: bytes) -> tuple[int, int]:
    """Width and height of an image that begins like this, -1 for what cannot be read. It is not decoded."""
    try:
        width, height = imagesize.get(io.BytesIO(head))
    except Exception as error:  # whatever a parser of strangers' bytes may raise
        logger.info("An image's size could not be read: %r", error)
        return -1, -1
    return width, height
