"""Whether a PDF may be shown: only when nothing in it can run or act by itself.

A browser's own viewer runs the scripts of a PDF in spite of the sandbox, and what they pop up looks like the console's own
doing. A viewer that finds a file damaged looks for its objects itself, so what counts here is not what the table of a file
lists: every object that its bytes hold is read, replaced and unlisted ones too. What cannot be read is not shown.

Only the helper that reads strangers' files imports this: what reads a PDF takes 6 MB of memory.
"""

import logging
import re
import zlib
from collections.abc import Iterator
from io import BytesIO

import pypdf
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, PdfObject, StreamObject, read_object

from console.drive.pdf_verdicts import ACTS, TOO_MUCH, UNREADABLE
from storage import limits

logger = logging.getLogger(__name__)
# It writes a line for each oddity of a file, as many as a stranger likes.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)

# What runs, sends, plays or unpacks something. Where a document opens is none of it by itself: `_opens_quietly` decides that.
_EVERYWHERE = frozenset(
    b"JavaScript Launch SubmitForm ImportData RichMedia RichMediaExecute RichMediaContent Rendition Movie Sound GoToE XFA"
    b" EmbeddedFile EmbeddedFiles".split()
)
# So short that packed pictures hold them by chance: they count in objects alone.
_IN_OBJECTS = _EVERYWHERE | {b"JS", b"AA"}
_REGULAR = rb"[^\x00\t\n\f\r ()<>\[\]{}/%]"
_NAME = re.compile(rb"/(%b++)" % _REGULAR)
_ESCAPED = re.compile(rb"/([^#\x00\t\n\f\r ()<>\[\]{}/%%]*+#%b*+)" % _REGULAR)
_ESCAPE = re.compile(rb"#(..)", re.DOTALL)
_OBJECT = re.compile(rb"(?<=[\x00\t\n\f\r ])obj(?!%b)" % _REGULAR)
_NUMBERED = re.compile(rb"[0-9][\x00\t\n\f\r ]+[0-9]+[\x00\t\n\f\r ]+\Z")
_SPACES = b"\x00\t\n\f\r "


class _Refused(Exception):
    """The file is not shown; its text says why."""


def judge_pdf(data: bytes) -> str:
    """Why this PDF must not be shown, as a sentence; empty when it may be. How long it takes is the caller's to bound."""
    try:
        # The largest thing that the parser itself unpacks is the table of the objects, which is unpacked in Python.
        with pypdf.apply_configuration(zlib_maximum_output_length=limits.PREVIEW_PDF_TABLE_BYTES):
            _check(data)
    except _Refused as refused:
        return str(refused)
    except Exception as error:  # whatever a parser of strangers' bytes may raise, too deep a nesting included
        logger.info("A PDF could not be read: %s", type(error).__name__)
        return UNREADABLE
    return ""


def _check(data: bytes) -> None:
    _refuse_names(data, _EVERYWHERE)
    if _holds(data, frozenset({b"Encrypt"})):
        raise _Refused(UNREADABLE)
    stream = BytesIO(data)
    reader = pypdf.PdfReader(stream, strict=True)
    _check_values(reader.trailer)
    _check_values(reader.root_object)
    if not _opens_quietly(reader.root_object.get("/OpenAction")):
        raise _Refused(ACTS)
    unpacked_bytes = 0
    for count, start in enumerate(_object_starts(data)):
        if count >= limits.PREVIEW_PDF_OBJECTS:
            raise _Refused(TOO_MUCH)
        stream.seek(start)
        found = read_object(stream, reader)
        _check_values(found)
        if isinstance(found, StreamObject) and ("/First" in found or found.get("/Type") == "/ObjStm"):
            inner = _unpack(found, limits.PREVIEW_PDF_UNPACKED_BYTES - unpacked_bytes)
            unpacked_bytes += len(inner)
            _refuse_names(inner, _IN_OBJECTS)


def _object_starts(data: bytes) -> Iterator[int]:
    """Where an object stands that any viewer may take for one, listed or not."""
    for match in _OBJECT.finditer(data):
        if not _NUMBERED.search(data, max(0, match.start() - 64), match.start()):
            raise _Refused(UNREADABLE)  # such as a number with a comment behind it, which viewers read differently
        start = match.end()
        while data[start : start + 1] in _SPACES and start < len(data):
            start += 1
        yield start


def _check_values(found: PdfObject | None) -> None:
    """Refuses an object that holds a forbidden name, as a key or as a value. References are objects of their own."""
    waiting: list[object] = [found]
    while waiting:
        value = waiting.pop()
        if isinstance(value, NameObject):
            if value.removeprefix("/").encode("utf-8", "surrogatepass") in _IN_OBJECTS:
                raise _Refused(ACTS)
            if "#" in value:
                raise _Refused(UNREADABLE)  # an escape that is none, of which viewers make what they like
        elif isinstance(value, DictionaryObject):
            if not _opens_quietly(value.get("/OpenAction")):
                raise _Refused(ACTS)
            waiting.extend(dict.keys(value))
            waiting.extend(dict.values(value))
        elif isinstance(value, ArrayObject):
            waiting.extend(list.__iter__(value))


def _opens_quietly(action: PdfObject | None) -> bool:
    """Whether what a document does when it is opened is to show a place in itself, which many programs write."""
    found = action.get_object() if action is not None else None
    if isinstance(found, DictionaryObject):
        return found.get("/S") == "/GoTo" and "/Next" not in found
    return found is None or isinstance(found, ArrayObject)


def _unpack(found: StreamObject, at_most: int) -> bytes:
    """The text of an object stream, which must be whole, and packed in the one way that everybody packs them."""
    filters = found.get("/Filter")
    names = list(filters) if isinstance(filters, ArrayObject) else [filters]
    if names != ["/FlateDecode"] or "/DecodeParms" in found:
        raise _Refused(UNREADABLE)
    unpacking = zlib.decompressobj()
    inner = unpacking.decompress(found._data, max(1, at_most))
    if not unpacking.eof:
        raise _Refused(TOO_MUCH if unpacking.unconsumed_tail else UNREADABLE)
    return inner


def _refuse_names(data: bytes, names: frozenset[bytes]) -> None:
    if _holds(data, names):
        raise _Refused(ACTS)


def _holds(data: bytes, names: frozenset[bytes]) -> bool:
    """Whether one of these names stands anywhere in the bytes, in any spelling."""
    return any(match[1] in names for match in _NAME.finditer(data)) or any(
        _decode(match[1]) in names for match in _ESCAPED.finditer(data)
    )


def _decode(name: bytes) -> bytes:
    """A name without its escapes, read as laxly as Chromium does: whatever two characters follow are taken for digits."""
    return _ESCAPE.sub(lambda match: bytes([(_digit(match[1][0]) * 16 + _digit(match[1][1])) % 256]), name)


def _digit(character: int) -> int:
    upper = character - 32 if 97 <= character <= 122 else character
    return upper - 55 if upper > 57 else upper - 48
