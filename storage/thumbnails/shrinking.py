"""`python -m storage.thumbnails.shrinking`: a picture on standard input, a small one on standard output. It runs for one picture.

The only importer of Pillow. Before the first byte is looked at, the system bounds what this process may take: memory, processor
time, and no file that it writes to. Only the decoders of the formats that a browser shows are let near it.
"""

import io
import os
import resource
import sys
import warnings
from contextlib import suppress

from PIL import Image, ImageOps

from storage import limits

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF")
_SIDE = 256
_QUALITY = 80


def bound() -> None:
    """From here on this process has so much memory and processor time, starts no other, and writes no file."""
    for what, most in (
        (resource.RLIMIT_DATA, limits.THUMBNAIL_MEMORY_BYTES),
        (resource.RLIMIT_CPU, limits.THUMBNAIL_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 16),
    ):
        # macOS knows them all, and keeps no process from having more memory.
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def shrink(picture: bytes) -> bytes:
    """The picture in small, turned as its camera says, without anything else that stood in it. Raises what Pillow does."""
    Image.MAX_IMAGE_PIXELS = limits.THUMBNAIL_MAX_PIXELS
    with Image.open(io.BytesIO(picture), formats=_FORMATS) as opened:
        # A JPEG can be read at a fraction of its size.
        opened.draft("RGB", (2 * _SIDE, 2 * _SIDE))
        opened.thumbnail((_SIDE, _SIDE))
        small = ImageOps.exif_transpose(opened)
        small = small.convert("RGBA" if small.has_transparency_data else "RGB")
    written = io.BytesIO()
    small.save(written, "WEBP", quality=_QUALITY, exif=b"", icc_profile=b"", xmp=b"")
    return written.getvalue()


if __name__ == "__main__":
    os.nice(5)  # pages first
    bound()
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    sys.stdout.buffer.write(shrink(sys.stdin.buffer.read()))
