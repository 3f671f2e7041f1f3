"""What the pages of a Drive need: a file's icon, and the address of what they look at."""

import re
from urllib.parse import urlencode

from django import template

register = template.Library()

_BY_TYPE = {
    "application/json": "file-braces",
    "application/pdf": "file-text",
    "text/csv": "file-spreadsheet",
    "text/html": "file-code",
    "text/css": "file-code",
    "application/javascript": "file-code",
    "text/javascript": "file-code",
    "application/xml": "file-code",
    "text/xml": "file-code",
    "application/zip": "file-archive",
    "application/gzip": "file-archive",
    "application/x-tar": "file-archive",
    "application/x-7z-compressed": "file-archive",
}
_BY_FAMILY = {"image": "image", "audio": "music", "video": "film", "text": "file-text", "font": "file-type"}

# Letters that turn the direction of what follows: with one of them `gnp.exe` is read as `exe.png`.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


@register.filter
def unturned(name: str) -> str:
    """A name as it is shown: right-to-left letters as they are, but marks that would turn other letters round spelled out."""
    return _TURNING.sub(lambda mark: f"[U+{ord(mark.group()):04X}]", name)


@register.filter
def file_icon(content_type: str) -> str:
    """The name of the icon for a content type; a plain file for one that says nothing."""
    plain = content_type.partition(";")[0].strip().lower()
    return _BY_TYPE.get(plain) or _BY_FAMILY.get(plain.partition("/")[0], "file")


@register.filter
def folder_of(name: str) -> str:
    """The parent folder of a file or folder; empty at the top."""
    return name[: name.removesuffix("/").rfind("/") + 1]


@register.simple_tag
def drive_url(base: str, folder: str = "", sort: str = "", q: str = "", file: str = "", last: str = "") -> str:
    """The address of a folder's page in the Drive at `base`, without parameters that have their default."""
    shown = {"folder": folder, "sort": sort, "q": q, "file": file, "last": last}
    query = urlencode({name: value for name, value in shown.items() if value})
    return f"{base}?{query}" if query else base
