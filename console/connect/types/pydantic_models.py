"""The types as Python code for pydantic 2: a model for each kind of object.

A model takes in more attributes than it names and gives them back, as the next item may have them. Moments and the like stay
texts, so that an item goes back as it came.
"""

import keyword
import re

from console.connect.types.type_names import TypeNames, presence
from storage.item_types.shapes import Shape

_FIELD_MAX = 60
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_]++")
# What a field must not be called: names of pydantic's models, and of what stands in the types.
_OF_TYPES = ("BaseModel", "ConfigDict", "Field", "Literal", "Any", "str", "int", "float", "bool", "list", "dict")
_OF_MODELS = (
    *("copy", "json", "construct", "schema", "schema_json", "validate", "parse_obj", "parse_raw", "parse_file"),
    *("from_orm", "update_forward_refs"),
)
TAKEN = frozenset((*_OF_TYPES, *_OF_MODELS))
_MODULES = {"typing": ("Any", "Literal"), "pydantic": ("BaseModel", "ConfigDict", "Field")}


def write(base: str, items: Shape, about: str) -> str:
    """A module. `about` says what it was learned from."""
    return _Writer(base).module(items, about)


class _Writer:
    def __init__(self, base: str) -> None:
        self._names = TypeNames(base)
        self._classes: list[str] = []
        self._used = {"BaseModel", "ConfigDict"}

    def module(self, items: Shape, about: str) -> str:
        self._write_class(self._names.root, items)
        imports = "".join(
            f"\nfrom {module} import {', '.join(used)}\n"
            for module, names in _MODULES.items()
            if (used := [name for name in names if name in self._used])
        )
        return "\n\n".join([f'"""{about}"""\n{imports}', *self._classes])

    def _write_class(self, name: str, shape: Shape) -> None:
        fields = _field_names(list(shape.attributes), not_like=self._names.root)
        lines = [f"class {name}(BaseModel):", '    model_config = ConfigDict(extra="allow")', ""]
        for attribute, inside in shape.attributes.items():
            told = presence(inside, shape.objects)
            type_ = self._type_of(inside, name, attribute)
            is_optional = inside.count < shape.objects
            if is_optional and not (inside.nulls or type_ == "Any"):
                type_ = f"{type_} | None"
            line = f"    {fields[attribute]}: {type_}{self._default(attribute, fields[attribute], is_optional=is_optional)}"
            lines.append(f"{line}  # {told}" if told else line)
        self._classes.append("\n".join(lines) + "\n")

    def _type_of(self, shape: Shape, parent: str, attribute: str) -> str:
        if shape.is_open or not shape.types:
            return self._use("Any")
        found: list[str] = []
        if shape.texts.count:
            choices = ", ".join(map(ascii, shape.texts.choices))
            found.append(f"{self._use('Literal')}[{choices}]" if choices else "str")
        counted = {
            "int": shape.integers,
            "float": shape.numbers,
            "bool": shape.booleans,
        }
        found += [name for name, count in counted.items() if count]
        if shape.objects:
            found.append(self._object_type(shape, parent, attribute))
        if shape.lists:
            element = self._use("Any") if shape.elements is None else self._type_of(shape.elements, parent, attribute)
            found.append(f"list[{element}]")
        if shape.nulls:
            found.append("None")
        return " | ".join(found)

    def _object_type(self, shape: Shape, parent: str, attribute: str) -> str:
        if shape.is_collection:
            return f"dict[str, {self._use('Any')}]"
        name = self._names.below(parent, attribute)
        self._write_class(name, shape)
        return name

    def _default(self, attribute: str, field: str, *, is_optional: bool) -> str:
        if field == attribute:
            return " = None" if is_optional else ""
        return f" = {self._use('Field')}({'None, ' if is_optional else ''}alias={attribute!a})"

    def _use(self, name: str) -> str:
        self._used.add(name)
        return name


def _field_names(attributes: list[str], *, not_like: str) -> dict[str, str]:
    """What the field of each attribute is called: its own name where Python and pydantic allow it.

    None is like a class, whose names begin all alike.
    """
    names = {each: each for each in attributes if _is_allowed(each) and not each.startswith(not_like)}
    taken = set(names.values())
    for attribute in attributes:
        if attribute not in names:
            names[attribute] = _find_free(_made_of(attribute, not_like), taken)
            taken.add(names[attribute])
    return names


def _made_of(attribute: str, not_like: str) -> str:
    """A name of the attribute's letters and digits, which is allowed with a number behind it at the latest."""
    wanted = _NOT_A_NAME.sub("_", attribute)[:_FIELD_MAX].strip("_") or "attribute"
    return f"attribute_{wanted}" if wanted[0].isdigit() or wanted.startswith(("model_", not_like)) else wanted


def _find_free(wanted: str, taken: set[str]) -> str:
    name = wanted if _is_allowed(wanted) else f"{wanted}_"
    number = 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name


def _is_allowed(name: str) -> bool:
    return (
        name.isascii()
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and not name.startswith(("_", "model_"))
        and name not in TAKEN
    )
