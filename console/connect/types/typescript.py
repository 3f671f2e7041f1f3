"""The types as TypeScript: an interface for each kind of object."""

import json
import re

from console.connect.types.type_names import TypeNames, presence
from storage.item_types.shapes import Shape

_PLAIN_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*+")
# What an object without such an attribute has all the same is a function.
_INHERITED = frozenset(
    ("constructor", "toString", "toLocaleString", "valueOf", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable")
)
_FORMATS = {
    "date-time": "a moment, ISO 8601 with its time zone",
    "date": "a day, YYYY-MM-DD",
    "uuid": "a UUID",
    "email": "an e-mail address",
    "uri": "an address of the web",
}


def write(base: str, items: Shape, about: str) -> str:
    """A module. `about` says what it was learned from."""
    return _Writer(base).module(items, about)


class _Writer:
    def __init__(self, base: str) -> None:
        self._names = TypeNames(base)
        self._interfaces: list[str] = []

    def module(self, items: Shape, about: str) -> str:
        root = self._names.root
        self._write_interface(root, items, is_root=True)
        return "\n".join([f"/** {about} */", *self._interfaces])

    def _write_interface(self, name: str, shape: Shape, *, is_root: bool = False) -> None:
        # Its place is before those of the objects inside.
        place = len(self._interfaces)
        self._interfaces.append("")
        lines = [f"export interface {name} {{"]
        for attribute, inside in shape.attributes.items():
            if told := "; ".join(filter(None, [_FORMATS.get(_format_of(inside), ""), presence(inside, shape.objects)])):
                lines.append(f"  /** {told} */")
            is_optional = inside.count < shape.objects
            type_ = "unknown" if is_optional and attribute in _INHERITED else self._type_of(inside, name, attribute)
            lines.append(f"  {_written(attribute)}{'?' if is_optional else ''}: {type_};")
        if is_root and shape.has_more:
            lines.append("  [attribute: string]: unknown;")
        self._interfaces[place] = "\n".join([*lines, "}\n"])

    def _type_of(self, shape: Shape, parent: str, attribute: str) -> str:
        if shape.is_open or not shape.types:
            return "unknown"
        found: list[str] = []
        if shape.texts.count:
            found += [json.dumps(choice) for choice in shape.texts.choices] or ["string"]
        if shape.integers or shape.numbers:
            found.append("number")
        if shape.booleans:
            found.append("boolean")
        if shape.objects:
            found.append(self._object_type(shape, parent, attribute))
        if shape.lists:
            element = "unknown" if shape.elements is None else self._type_of(shape.elements, parent, attribute)
            found.append(f"({element})[]" if " " in element else f"{element}[]")
        if shape.nulls:
            found.append("null")
        return " | ".join(found)

    def _object_type(self, shape: Shape, parent: str, attribute: str) -> str:
        if shape.is_collection:
            return "Record<string, unknown>"
        name = self._names.below(parent, attribute)
        self._write_interface(name, shape)
        return name


def _format_of(shape: Shape) -> str:
    return "" if shape.texts.choices else shape.texts.format


def _written(name: str) -> str:
    """A name as it stands, or as a text of ASCII in quotes."""
    return name if _PLAIN_NAME.fullmatch(name) else json.dumps(name)
