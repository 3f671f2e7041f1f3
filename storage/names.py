"""The rules for names, keys and ids. Every name a caller chooses is checked here before it is used."""

import re
import secrets
import string

from storage import limits
from storage.errors import InvalidInput

_ALPHABET = string.ascii_lowercase + string.digits
# Of a Base or Drive, and of a collection's id, as a regular expression has them.
NAME_PATTERN = rf"[A-Za-z0-9_-][A-Za-z0-9_.-]{{0,{limits.NAME_MAX_CHARACTERS - 1}}}"
COLLECTION_ID_PATTERN = rf"[a-z0-9]{{{limits.COLLECTION_ID_CHARACTERS}}}"
_NAME = re.compile(NAME_PATTERN)
# C0, DEL and C1; and lone surrogates, which are no characters at all.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_COLLECTION_ID = re.compile(COLLECTION_ID_PATTERN)


def new_collection_id() -> str:
    """10 random lower-case letters and digits (contract: Everywhere, "Data key")."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(limits.COLLECTION_ID_CHARACTERS))


def new_micro_id() -> str:
    """12 random lower-case letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(limits.MICRO_ID_CHARACTERS))


def is_text(text: str) -> bool:
    """Whether the database can hold it: it has neither the character NUL nor a lone surrogate."""
    return _UNSTORABLE.search(text) is None


def is_collection_id(text: str) -> bool:
    return _COLLECTION_ID.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether a Base or Drive may have this name (contract: Everywhere)."""
    return _NAME.fullmatch(text) is not None


def check_name(name: str) -> str:
    """The name of a Base or Drive, unchanged. Raises InvalidInput."""
    if not is_name(name):
        raise InvalidInput(
            "Bad name",
            f"A name has 1 to {limits.NAME_MAX_CHARACTERS} letters (a-z), digits, `_`, `-` or `.`, "
            "and does not start with `.`",
        )
    return name


def check_key(key: object) -> str:
    """An item's key, unchanged (contract: Base). Raises InvalidInput."""
    if not isinstance(key, str):
        raise InvalidInput("A key is not a string")
    if "\x00" in key:
        raise InvalidInput("A key holds the character \\u0000")
    if not 1 <= len(key.encode()) <= limits.KEY_MAX_BYTES:
        raise InvalidInput(f"A key is empty or longer than {limits.KEY_MAX_BYTES} bytes")
    return key


def check_file_name(name: object) -> str:
    """A file's name, unchanged: opaque text, never a path (contract: Drive). Raises InvalidInput."""
    if not isinstance(name, str):
        raise InvalidInput("Bad file name", "A file's name is a string")
    if not 1 <= len(name.encode(errors="replace")) <= limits.FILE_NAME_MAX_BYTES:
        raise InvalidInput("Bad file name", f"A file's name has 1 to {limits.FILE_NAME_MAX_BYTES} bytes of UTF-8")
    if name.isspace() or name.endswith("/"):
        raise InvalidInput("Bad file name", "A file's name is not blank and does not end in `/`")
    return check_name_part(name)


def check_name_part(text: str) -> str:
    """A prefix of file names, or a position among them, unchanged; it may be empty. Raises InvalidInput."""
    if _CONTROL.search(text):
        raise InvalidInput("Bad file name", "A file's name holds no control characters")
    if len(text.encode(errors="replace")) > limits.FILE_NAME_MAX_BYTES:
        raise InvalidInput("Bad file name", f"A file's name has at most {limits.FILE_NAME_MAX_BYTES} bytes of UTF-8")
    return text


def end_of_prefix(prefix: str) -> str | None:
    """The lowest text above all that start with the prefix, in the order of UTF-8 bytes; None when there is none.

    Code points sort as their UTF-8 bytes do: all that starts with `ab` comes before `ac`.
    """
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if following == 0xD800 else following)  # surrogates are no characters
