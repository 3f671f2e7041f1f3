"""JSON in and out with every digit of its numbers. Pure.

A number is its text, from the server to the file and back: nothing makes a binary float of it.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import Any, Optional


class Number(str):
    """A number as it was written: `1.10`, `123456789012345678901234567890`."""

    __slots__ = ()


class BadJson(ValueError):
    """A text that is not JSON: `reason` says why, `line` and `column` where, each from 1."""

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        super().__init__(f"{reason}, at line {line}, column {column}" if line else reason)
        self.reason, self.line, self.column = reason, line, column


def _no_number(name: str) -> Any:
    raise BadJson(f"{name} is not a JSON number")


decoder = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_no_number)


def parse(text: str) -> Any:
    """The value of a text; numbers come as `Number`. Raises BadJson."""
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        raise BadJson(error.msg, error.lineno, error.colno) from None
    except RecursionError:
        raise BadJson("It is nested too deeply") from None


def dump(value: Any, *, indent: Optional[str] = None) -> str:
    """The JSON of a value made of dict, list, str, `Number`, int, bool and None: compact, or with each level indented."""
    parts: list[str] = []
    _write(value, parts.append, indent, "\n")
    return "".join(parts)


def encode(value: Any) -> bytes:
    """Compact JSON as UTF-8. Raises BadJson for half of a character (a lone surrogate), which nobody can store."""
    try:
        return dump(value).encode()
    except UnicodeEncodeError:
        raise BadJson("A text holds half of a character (a lone surrogate)") from None


def _write(value: Any, add: Any, indent: Optional[str], line: str) -> None:
    if isinstance(value, Number):
        add(str.__str__(value))
    elif isinstance(value, str):
        add(encode_basestring(value))
    elif value is None or isinstance(value, (bool, int)):
        add(json.dumps(value))
    elif isinstance(value, dict):
        if not value:
            add("{}")
            return
        inner = line + indent if indent is not None else ""
        before, colon = "{" + inner, '":' if indent is None else '": '
        for name, member in value.items():
            add(before + encode_basestring(name)[:-1] + colon)
            _write(member, add, indent, inner)
            before = "," + inner
        add((line if indent is not None else "") + "}")
    elif isinstance(value, list):
        if not value:
            add("[]")
            return
        inner = line + indent if indent is not None else ""
        before = "[" + inner
        for member in value:
            add(before)
            _write(member, add, indent, inner)
            before = "," + inner
        add((line if indent is not None else "") + "]")
    else:
        raise TypeError(f"{type(value).__name__} is not JSON")
