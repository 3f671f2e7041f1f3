"""Items as they are found in files: parsed with every digit, or with what is wrong and where. Pure."""

import json
import re
from typing import Any, NamedTuple

from storage import exact_json, limits
from storage.archive.reading.json_stream import Broken, Value
from storage.errors import InvalidInput

_BYTE = re.compile(r"\(byte (\d+)\)")


class Read(NamedTuple):
    """An item as it was found: its number (from 1), where, and its value; or what is wrong with it and the key, if it has one.

    `line` is where it begins, from 1.
    """

    number: int
    spot: str
    value: dict[str, Any] | None
    size_bytes: int
    fault: str = ""
    key: str = ""
    line: int = 0


def parse_value(number: int, value: Value) -> Read:
    """An item from a value of a long JSON text. One that is no JSON is at fault alone: brackets and quotes said where it ends."""
    spot = f"byte {value.at:,}"
    if value.text is None:
        most = limits.ITEM_MAX_BYTES
        size_bytes = limits.ARCHIVE_ITEM_TEXT_MAX_BYTES
        return Read(number, spot, None, size_bytes, f"An item is larger than {most} bytes", line=value.line)
    try:
        return parse_item(number, spot, value.text)._replace(line=value.line)
    except Broken as error:
        within = _BYTE.search(error.what)
        at = value.at + int(within[1]) if within else value.at
        fault = _BYTE.sub("", error.what).strip()
        return Read(number, f"byte {at:,}", None, len(value.text), fault, line=value.line)


def parse_item(number: int, spot: str, text: bytes) -> Read:
    """An item from its JSON. Raises Broken, with a position in the text, when it is not JSON."""
    try:
        value = exact_json.parse(text)
    except InvalidInput as error:
        # JSON that is only not fit to be stored ends where it seemed to; what follows can be trusted.
        lenient = parse_leniently(text)
        what = error.messages[-1]
        if lenient is None:
            raise Broken(spot, what) from None
        return Read(number, spot, None, len(text), what, _key_of(lenient))
    if not isinstance(value, dict):
        return Read(number, spot, None, len(text), "An item is not an object")
    return Read(number, spot, value, len(text))


def parse_leniently(text: bytes) -> Any:
    """What the standard parser makes of it, with NaN, half surrogate pairs and broken bytes; None when it is not JSON at all."""
    try:
        return json.loads(text.decode("utf-8", "replace"), parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None


def _key_of(item: Any) -> str:
    key = item.get("key") if isinstance(item, dict) else None
    return key.encode(errors="replace").decode() if isinstance(key, str) else ""
