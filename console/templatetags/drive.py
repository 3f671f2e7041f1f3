"""What the pages of a Drive need: a file's icon, and the address of what they look at."""

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


@register.filter
def file_icon(content_type: str) -> str:
    """The name of the icon for a content type; a plain file for one that says nothing."""
    plain = content_type.partition(";")[0].strip().lower()
    return _BY_TYPE.get(plain) or _BY_FAMILY.get(plain.partition("/")[0], "file")


@register.filter
def folder_of(name: str) -> str:
    """The folder that a file or folder stands in; empty at the top."""
    return name[: name.removesuffix("/").rfind("/") + 1]


@register.simple_tag
def look_url(base: str, folder: str = "", sort: str = "", q: str = "", file: str = "", last: str = "") -> str:
    """The address that shows a folder of the Drive at `base`; only what differs from its plain page stands in it."""
    look = {"folder": folder, "sort": sort, "q": q, "file": file, "last": last}
    query = urlencode({name: value for name, value in look.items() if value})
    return f"{base}?{query}" if query else base
