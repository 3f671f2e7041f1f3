"""JSON in and out without losing a digit, and the rules for what a stored value may hold.

Owns parsing, writing and the check of values (contract: "Base", first paragraph). Knows nothing of items or
patches. Numbers arrive as `int` or `Decimal`, never as `float`.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from storage import limits
from storage.errors import EmptyAttributeName, InvalidInput

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_splitter = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encoder = msgspec.json.Encoder(decimal_format="number")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
# A second look at a text that was refused costs several times what the first did.
_EXPLAINED_MAX_BYTES = 1_048_576
_SAFE_INTEGER = 10**limits.NUMBER_MAX_DIGITS


def parse(text: bytes) -> Any:
    """Parse UTF-8 JSON. Of two attributes with one name the last wins.

    Raises InvalidInput for anything that is not JSON (NaN, Infinity, a byte order mark, another encoding), for a
    lone surrogate and for nesting too deep to be read.
    """
    try:
        return _decoder.decode(text)
    except RecursionError:
        raise InvalidInput(_too_deep()) from None
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError) as error:
        raise InvalidInput("The body is not JSON", _explain(text, error)) from None


def split(text: str) -> dict[str, str]:
    """The attributes of a JSON object's text, each value as the very text that stands there.

    Raises InvalidInput when it is not one.
    """
    try:
        return {name: bytes(raw).decode() for name, raw in _splitter.decode(text).items()}
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput("The value is not a JSON object", str(error)) from None


def join(members: Mapping[str, str]) -> str:
    """The JSON object that `split` takes apart."""
    return "{" + ",".join(f"{dump(name).decode()}:{text}" for name, text in members.items()) + "}"


def is_same(one: Any, other: Any) -> bool:
    """Whether Postgres keeps two parsed values as the same one, digits included: 1 is not 1.0, and 1e2 is 100."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if is_number(one) and is_number(other):
        return _as_stored(one) == _as_stored(other)
    return type(one) is type(other) and bool(one == other)


def _as_stored(number: int | Decimal) -> str:
    """A number as Postgres writes it: without an exponent, and zero without a sign."""
    text = format(Decimal(number), "f")
    return text.removeprefix("-") if not number else text


def dump(value: Any) -> bytes:
    """The compact UTF-8 JSON of a value made of dict, list, str, int, Decimal, bool and None."""
    return _encoder.encode(value)


def check_value(value: Any, level: int = 1) -> None:
    """Check what Postgres cannot hold exactly or give back safely. `level` is the nesting level a container here has.

    Raises InvalidInput (EmptyAttributeName for that rule) with the place of the offending part in `place`.
    """
    kind = type(value)
    if kind is str:
        if "\x00" in value:
            raise InvalidInput("A text holds the character \\u0000, which cannot be stored")
    elif kind is dict:
        _check_level(level)
        for name, member in value.items():
            if not name:
                raise EmptyAttributeName()
            if "\x00" in name:
                raise InvalidInput("An attribute name holds the character \\u0000, which cannot be stored")
            try:
                check_value(member, level + 1)
            except InvalidInput as error:
                raise error.within(name) from None
    elif kind is list:
        _check_level(level)
        for index, member in enumerate(value):
            try:
                check_value(member, level + 1)
            except InvalidInput as error:
                raise error.within(index) from None
    elif kind is int:
        if not -_SAFE_INTEGER < value < _SAFE_INTEGER:
            _check_number(Decimal(value))
    elif kind is Decimal:
        _check_number(value)
    elif kind is not bool and value is not None:
        raise TypeError(f"{kind.__name__} is not a type that parse() makes")


def is_number(value: Any) -> bool:
    """Whether a parsed value is a JSON number (a boolean is not, though Python's `bool` is an `int`)."""
    return type(value) is int or type(value) is Decimal


def _check_number(number: Decimal) -> None:
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 -- NaN and Infinity, which have none, are not JSON and never get here
    # The zeros at the end of 1000 only carry its size; those at the end of 1.000 are digits somebody wrote.
    is_short = len(digits) <= limits.NUMBER_MAX_DIGITS + limits.NUMBER_MAX_EXPONENT
    significant = len("".join(map(str, digits)).rstrip("0")) if exponent >= 0 and is_short else len(digits)
    if significant > limits.NUMBER_MAX_DIGITS:
        raise InvalidInput(f"A number has more than {limits.NUMBER_MAX_DIGITS} significant digits")
    if not -limits.NUMBER_MAX_EXPONENT <= number.adjusted() <= limits.NUMBER_MAX_EXPONENT:
        raise InvalidInput(f"A number's exponent is beyond +-{limits.NUMBER_MAX_EXPONENT}")


def _check_level(level: int) -> None:
    if level > limits.NESTING_MAX_LEVELS:
        raise InvalidInput(_too_deep())


def _too_deep() -> str:
    return f"The value is nested deeper than {limits.NESTING_MAX_LEVELS} levels"


def _explain(text: bytes, error: Exception) -> str:
    """Why the strict parser refused: the standard one lets the two common cases through and so can name them."""
    if text.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return "It begins with a byte order mark: send plain UTF-8"
    if len(text) <= _EXPLAINED_MAX_BYTES and (why := _explain_leniency(text)):
        return why
    if isinstance(error, ArithmeticError) or "Integer value out of range" in str(error):
        return f"A number has more than {limits.NUMBER_MAX_DIGITS} digits or an exponent beyond +-125"
    if isinstance(error, UnicodeDecodeError):
        return "It is not UTF-8"
    return str(error)


def _explain_leniency(text: bytes) -> str:
    """What the standard parser lets through and the strict one refuses; empty for none of it."""
    found: list[str] = []
    try:
        value = json.loads(text, parse_constant=lambda name: found.append(name))
        if found:
            return f"{found[0]} is not a JSON number"
        if _LONE_SURROGATE.search(json.dumps(value, ensure_ascii=False)):
            return "A text holds a lone surrogate (half of a \\ud800-\\udfff pair), which cannot be stored"
    except (ValueError, RecursionError):
        pass
    return ""
