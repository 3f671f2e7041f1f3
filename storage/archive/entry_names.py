"""Names of zip entries that any system can unpack, out of names that are opaque text. Pure.

Names in a Drive may be `../x`, `C:\\x`, `CON`, `a` beside `A` or beside `a/b`, or 1,024 bytes long. An entry keeps as much of
the name as is safe everywhere; what the file is really called stands in the manifest (`manifest.py`).
"""

import hashlib
import re
import unicodedata

# What Windows forbids in a name, control characters, and marks that turn the reading direction and so hide an ending.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"\\|?*\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)
# Most file systems take 255 bytes, and some of them count what they make of other alphabets.
_SEGMENT_MAX_BYTES = 180
_ENTRY_MAX_BYTES = 800


class EntryNames:
    """Gives each Base and file of one archive an entry of its own. Ask in the same order, and the answers are the same."""

    def __init__(self) -> None:
        # Hashes of folded paths: of a million files these take 100 MB less than the paths themselves.
        self._files: set[int] = set()
        self._folders: set[int] = set()

    def for_base(self, name: str) -> str:
        """`bases/<name>.json`."""
        return self._taken("bases", safe_segment(f"{name}.json"), name)

    def for_file(self, drive: str, name: str) -> str:
        """`drives/<drive>/<name>`."""
        folder = f"drives/{safe_segment(drive)}"
        path = "/".join(safe_segment(segment) for segment in name.split("/"))
        if len(path.encode()) > _ENTRY_MAX_BYTES:
            path = _stand_in(name, path)
        return self._taken(folder, path, name, salt=drive)

    def _taken(self, folder: str, path: str, name: str, salt: str = "") -> str:
        """The path, or a stand-in when somebody else's would unpack to the same place. Taken from now on."""
        entry, attempt = f"{folder}/{path}", 0
        while self._is_in_the_way(entry):
            entry = f"{folder}/{_stand_in(f'{salt}/{name}/{attempt}', path)}"
            attempt += 1
        *above, whole = _prefixes(entry)
        self._files.add(whole)
        self._folders.update(above)
        return entry

    def _is_in_the_way(self, entry: str) -> bool:
        *above, whole = _prefixes(entry)
        return whole in self._files or whole in self._folders or not self._files.isdisjoint(above)


def safe_segment(segment: str) -> str:
    """One step of a path as a name for a file or folder on any system; unchanged when it is one already."""
    safe = _UNSAFE.sub(lambda found: _percent(found[0]), segment)
    if safe in ("", ".", ".."):
        return "_" + safe.replace(".", _percent("."))
    if safe[-1] in ". ":
        safe = safe[:-1] + _percent(safe[-1])
    if safe[0] == " ":
        safe = _percent(" ") + safe[1:]
    if _RESERVED.match(safe):
        safe = "_" + safe
    if len(safe.encode()) > _SEGMENT_MAX_BYTES:
        safe = _shortened(safe, segment)
    return safe


def _shortened(safe: str, original: str) -> str:
    """The beginning, a hash of the whole and the ending."""
    stem, dot, ending = safe.rpartition(".")
    kept = f".{ending}" if dot and stem and len(ending.encode()) <= 16 else ""
    tail = f"~{_digest(original)}{kept}"
    return safe.encode()[: _SEGMENT_MAX_BYTES - len(tail.encode())].decode(errors="ignore").rstrip(". ") + tail


def _stand_in(name: str, path: str) -> str:
    """A folder of its own for a file whose path is taken, or too long. The file keeps its own name."""
    return f"~{_digest(name)}/{path.rpartition('/')[2]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _prefixes(entry: str) -> list[int]:
    """A number for each folder on the way to an entry, and for the entry: the same for paths that some system confuses."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", entry).casefold())
    steps = folded.split("/")
    return [_number("/".join(steps[: end + 1])) for end in range(len(steps))]


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
