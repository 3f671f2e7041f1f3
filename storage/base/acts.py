"""What a change of many items does to each: the pure half of `changes.py`.

An item is its attributes but the key, each as its JSON text, so that what an act does not touch keeps every digit.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, get_args

from storage import names
from storage.base.merging import Members
from storage.errors import InvalidInput
from storage.exact_json import check_value, dump, is_same, parse

ConvertedType = Literal["string", "number", "boolean"]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+")
_BOOLEANS = {"true": "true", "yes": "true", "1": "true", "false": "false", "no": "false", "0": "false"}
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Set:
    """Give every item this attribute with this value."""

    kind: ClassVar[str] = "set"
    attribute: str
    value: str  # JSON

    def apply(self, members: Members) -> Members:
        present = members.get(self.attribute)
        if present is not None and is_same(parse(present.encode()), parse(self.value.encode())):
            return members
        return {**members, self.attribute: self.value}


@dataclass(frozen=True, slots=True)
class Unset:
    """Remove an attribute."""

    kind: ClassVar[str] = "unset"
    attribute: str

    def apply(self, members: Members) -> Members:
        return {name: text for name, text in members.items() if name != self.attribute}


@dataclass(frozen=True, slots=True)
class Rename:
    """Give an attribute another name."""

    kind: ClassVar[str] = "rename"
    attribute: str
    new_name: str

    def apply(self, members: Members) -> Members:
        """Raises InvalidInput when the item has an attribute of the new name: one of the two would be lost."""
        if self.attribute not in members:
            return members
        if self.new_name in members:
            raise InvalidInput(f"it has “{self.new_name}” already")
        return {self.new_name if name == self.attribute else name: text for name, text in members.items()}


@dataclass(frozen=True, slots=True)
class Convert:
    """Give an attribute's value another type, where it can be said in that. Null and missing stay what they are."""

    kind: ClassVar[str] = "convert"
    attribute: str
    to: ConvertedType

    def apply(self, members: Members) -> Members:
        """Raises InvalidInput for a value that the type cannot say."""
        text = members.get(self.attribute)
        if text is None or text == "null":
            return members
        converted = _CONVERSIONS[self.to](text)
        if converted is None:
            raise InvalidInput(f"“{_shown(text)}” is no {_WORDS[self.to]}")
        return members if converted == text else {**members, self.attribute: converted}


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete every item."""

    kind: ClassVar[str] = "delete"


@dataclass(frozen=True, slots=True)
class Copy:
    """Copy every item into another Base of the collection, under its key; an item that is there is replaced, or stays."""

    kind: ClassVar[str] = "copy"
    base: str
    replace: bool = False


Act = Set | Unset | Rename | Convert | Delete | Copy
_KINDS: dict[str, type[Act]] = {act.kind: act for act in get_args(Act)}


def read_act(given: Any) -> Act:
    """An act out of parsed JSON: `kind`, and the fields of its class. Raises InvalidInput."""
    kind = given.get("kind") if isinstance(given, dict) else None
    of = _KINDS.get(kind) if isinstance(kind, str) else None
    if of is None:
        raise InvalidInput(f"An act's `kind` is one of {', '.join(_KINDS)}")
    fields = {name: value for name, value in given.items() if name != "kind"}
    for name, value in fields.items():
        if name != "replace" and not isinstance(value, str):
            raise InvalidInput(f"`{name}` is not a text")
    try:
        act = of(**fields)
    except TypeError:
        raise InvalidInput(f"An act of the kind `{kind}` has other fields") from None
    return _checked(act)


def write_act(act: Act) -> str:
    """As JSON, which `read_act` reads."""
    return dump({"kind": act.kind, **asdict(act)}).decode()


def describe_act(act: Act) -> str:
    """In words, as the end of "120 items: ..."."""
    match act:
        case Set():
            return f"set “{act.attribute}” to {_shown(act.value)}"
        case Unset():
            return f"remove “{act.attribute}”"
        case Rename():
            return f"rename “{act.attribute}” to “{act.new_name}”"
        case Convert():
            return f"make “{act.attribute}” a {_WORDS[act.to]}"
        case Delete():
            return "delete"
        case Copy():
            return f"copy into “{act.base}”"


def _checked(act: Act) -> Act:
    match act:
        case Copy():
            names.check_name(act.base)
            if not isinstance(act.replace, bool):
                raise InvalidInput("`replace` is not true or false")
        case Delete():
            pass
        case Set():
            _check_attribute(act.attribute)
            try:
                check_value(parse(act.value.encode()), level=2)
            except InvalidInput as error:
                raise InvalidInput("The value is not JSON", *error.messages[1:]) from None
        case Rename():
            _check_attribute(act.attribute)
            _check_attribute(act.new_name)
            if act.new_name == act.attribute:
                raise InvalidInput("The new name is the old one")
        case Convert():
            _check_attribute(act.attribute)
            if act.to not in _CONVERSIONS:
                raise InvalidInput(f"`to` is one of {', '.join(_CONVERSIONS)}")
        case Unset():
            _check_attribute(act.attribute)
    return act


def _check_attribute(name: str) -> None:
    if name == "key":
        raise InvalidInput("The key of an item cannot be changed")
    check_value({name: None})


def _shown(text: str) -> str:
    plain = parse(text.encode())
    shown = plain if isinstance(plain, str) else text
    return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}…"


def _to_string(text: str) -> str:
    return text if text.startswith('"') else dump(text).decode()


def _to_number(text: str) -> str | None:
    if text in ("true", "false"):
        return "1" if text == "true" else "0"
    if not text.startswith('"'):
        return None if text[0] in "{[" else text
    written = str(parse(text.encode())).strip()
    return written if _NUMBER.fullmatch(written) else None


def _to_boolean(text: str) -> str | None:
    if text in ("true", "false"):
        return text
    return None if text[0] in "{[" else _BOOLEANS.get(str(parse(text.encode())).strip().lower())


_CONVERSIONS = {"string": _to_string, "number": _to_number, "boolean": _to_boolean}
_WORDS = {"string": "text", "number": "number", "boolean": "boolean"}
