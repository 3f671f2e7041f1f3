"""The types as JSON Schema, 2020-12."""

import json
from typing import Any

from storage.item_types.shapes import Shape

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def write(base: str, items: Shape, about: str) -> str:
    """The schema of one item, as JSON. `about` says what it was learned from."""
    head = {"$schema": DIALECT, "title": base, "description": about}
    return json.dumps(head | _schema_of(items), indent=2) + "\n"


def _schema_of(shape: Shape) -> dict[str, Any]:
    if shape.is_open or not shape.types:
        return {}
    types = list(shape.types)
    if "integer" in types and "number" in types:
        types.remove("integer")
    schema: dict[str, Any] = {"type": types[0] if len(types) == 1 else types}
    choices = shape.texts.choices
    if choices:
        schema |= {"enum": choices} if types == ["string"] else _with_choices(types, choices)
    elif shape.texts.format:
        schema["format"] = shape.texts.format
    if shape.objects and shape.attributes:
        schema["properties"] = {name: _described(inside, of=shape.objects) for name, inside in shape.attributes.items()}
        schema["required"] = [name for name, inside in shape.attributes.items() if inside.count == shape.objects]
    if shape.elements is not None:
        schema["items"] = _schema_of(shape.elements)
    return schema


def _with_choices(types: list[str], choices: list[str]) -> dict[str, Any]:
    """A text is one of these, and what is no text anything of its type."""
    return {"anyOf": [{"enum": choices}, {"not": {"type": "string"}}]}


def _described(shape: Shape, *, of: int) -> dict[str, Any]:
    types = ", ".join(f"{name} {count:,}" for name, count in shape.types.items())
    told = f"In {shape.count:,} of {of:,}" + (f": {types}" if len(shape.types) > 1 else "")
    return {"description": told} | _schema_of(shape)
