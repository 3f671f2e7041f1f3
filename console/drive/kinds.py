"""What kind of thing a file is, by its name and its stored type. Its bytes have the last word (`content_sniffing.py`).

Pure: texts in, words out.
"""

import posixpath
from functools import lru_cache
from typing import Literal

from pygments.lexers import get_all_lexers

from storage.drive import content_types

Kind = Literal["image", "svg", "pdf", "audio", "video", "json", "csv", "markdown", "text", "other"]

_BY_TYPE: dict[str, Kind] = {
    "image/svg+xml": "svg",
    "application/pdf": "pdf",
    "application/json": "json",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "text/markdown": "markdown",
}
_BY_FAMILY: dict[str, Kind] = {"image": "image", "audio": "audio", "video": "video", "text": "text"}
_BY_ENDING: dict[str, Kind] = {
    ".csv": "csv",
    ".geojson": "json",
    ".json": "json",
    ".jsonl": "text",
    ".log": "text",
    ".markdown": "markdown",
    ".md": "markdown",
    ".tsv": "csv",
    ".txt": "text",
    ".webmanifest": "json",
}
# Images that no browser shows.
_NOT_SHOWN = ("image/heic", "image/heif", "image/tiff", "image/vnd.adobe.photoshop")
_NOUNS = {
    "image": "image",
    "svg": "image",
    "audio": "audio",
    "video": "video",
    "pdf": "document",
    "csv": "table",
    "markdown": "text",
}
_ENDING_MAX_CHARACTERS = 6


def kind_of(name: str, content_type: str) -> Kind:
    """What a file seems to be: by its name's ending, else by the type it was stored with."""
    label = name.rsplit("/", 1)[-1].lower()
    ending = posixpath.splitext(label)[1]
    if ending in _BY_ENDING:
        return _BY_ENDING[ending]
    by_name = _kind_of_type(content_types.guess(name))
    if by_name != "other":
        return by_name
    if ending in _code_names() or label in _code_names():
        return "text"
    return _kind_of_type(content_type) if content_types.guess(name) == content_types.FALLBACK else "other"


def kind_label(name: str, content_type: str) -> str:
    """The kind in words, as a list of files shows it: "PNG image", "ZIP file"."""
    ending = posixpath.splitext(name.rsplit("/", 1)[-1])[1][1:]
    kind = kind_of(name, content_type)
    if kind == "markdown":
        return "Markdown text"
    if not ending.isalnum() or not ending.isascii() or len(ending) > _ENDING_MAX_CHARACTERS:
        return {"json": "JSON", "pdf": "PDF document"}.get(
            kind, _NOUNS.get(kind, kind).capitalize() if kind != "other" else "File"
        )
    return f"{ending.upper()} {_NOUNS.get(kind, 'file')}"


def plain_type(content_type: str) -> str:
    """A content type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def _kind_of_type(content_type: str) -> Kind:
    plain = plain_type(content_type)
    if plain in _NOT_SHOWN:
        return "other"
    if plain in _BY_TYPE:
        return _BY_TYPE[plain]
    if plain.endswith("+json"):
        return "json"
    if plain.endswith(("xml", "javascript", "yaml", "toml", "/x-sh", "/sql")):
        return "text"
    return _BY_FAMILY.get(plain.partition("/")[0], "other")


@lru_cache(maxsize=1)
def _code_names() -> frozenset[str]:
    """The endings and names of files that there are colours for."""
    found = set()
    for _, _, patterns, _ in get_all_lexers(plugins=False):
        for pattern in patterns:
            plain = pattern.removeprefix("*").lower()
            if not set(plain) & set("*?["):
                found.add(plain)
    return frozenset(found)
