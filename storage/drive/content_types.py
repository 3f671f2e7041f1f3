"""The content type of a file that was sent without one, from its name alone. Never reads the bytes."""

import mimetypes
import posixpath

FALLBACK = "application/octet-stream"

# Python's own table, without what this machine's files would add: the same name has the same type everywhere.
_types = mimetypes.MimeTypes()
for _ending, _type in {
    ".avif": "image/avif",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".mkv": "video/x-matroska",
    ".ogg": "audio/ogg",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}.items():
    _types.add_type(_type, _ending)

# A compressed file has the type of its compression: it is not unpacked for a download.
_PACKED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz", "br": FALLBACK}


def guess(name: str) -> str:
    """The type that a name's ending stands for, `application/octet-stream` for none or an unknown one."""
    ending = posixpath.splitext(name.rsplit("/", 1)[-1])[1]
    # A name of our own in front: one like `data:text/html,x` would be taken for an address.
    found, packing = _types.guess_type(f"file{ending}", strict=False)
    if packing:
        return _PACKED.get(packing, FALLBACK)
    return found or FALLBACK
