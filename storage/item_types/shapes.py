"""What the values at one place look like: of which types they are and how many of each, and what is inside of them.

Deeper than a few levels, and beyond a few thousand places in all, it is not looked: there a value may be anything.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from storage.item_types.texts import Texts

LEVELS_MAX = 12
# Of one object; one with more is a collection of things by name.
ATTRIBUTES_MAX = 200
PLACES_MAX = 3_000


@dataclass(slots=True)
class Shape:
    """Of the `count` values at a place, so many were of each type.

    `attributes` has the shape of each attribute of the objects: its count is how many of them have it. `has_more` says that there
    are others besides. `elements` is the shape of what is in the lists. `is_open`: values may be anything.
    """

    count: int = 0
    nulls: int = 0
    booleans: int = 0
    integers: int = 0
    numbers: int = 0  # those with a fraction or an exponent
    texts: Texts = field(default_factory=Texts)
    objects: int = 0
    attributes: dict[str, "Shape"] = field(default_factory=dict)
    has_more: bool = False
    lists: int = 0
    elements: "Shape | None" = None
    is_open: bool = False

    @property
    def types(self) -> dict[str, int]:
        """How many there are of each type, by JSON's names for them; `integer` are the whole ones of the numbers."""
        found = {
            "string": self.texts.count,
            "integer": self.integers,
            "number": self.numbers,
            "boolean": self.booleans,
            "object": self.objects,
            "array": self.lists,
            "null": self.nulls,
        }
        return {name: count for name, count in found.items() if count}

    @property
    def is_collection(self) -> bool:
        """Whether the objects hold things by name, too many different ones to be attributes."""
        return self.has_more or not self.attributes


class Learner:
    """Learns the shape of a Base's items, item by item."""

    def __init__(self) -> None:
        self.items = Shape()
        self._places_left = PLACES_MAX

    def add(self, item: dict[str, Any]) -> None:
        """One more, as `exact_json.parse` reads it."""
        self._learn(self.items, item, 0)

    def _learn(self, shape: Shape, value: Any, level: int) -> None:
        shape.count += 1
        match value:
            case None:
                shape.nulls += 1
            case bool():
                shape.booleans += 1
            case int():
                shape.integers += 1
            case Decimal():
                shape.numbers += 1
            case str():
                shape.texts.add(value)
            case dict():
                shape.objects += 1
                self._learn_object(shape, value, level + 1)
            case list():
                shape.lists += 1
                self._learn_list(shape, value, level + 1)

    def _learn_object(self, shape: Shape, value: dict[str, Any], level: int) -> None:
        for name, member in value.items():
            inside = shape.attributes.get(name)
            if inside is None:
                if len(shape.attributes) >= ATTRIBUTES_MAX or not self._places_left:
                    shape.has_more = True
                    continue
                inside = shape.attributes[name] = self._new_shape(level)
            self._learn_inside(inside, member, level)

    def _learn_list(self, shape: Shape, value: list[Any], level: int) -> None:
        if value and shape.elements is None:
            shape.elements = self._new_shape(level)
        for element in value:
            self._learn_inside(shape.elements, element, level)  # type: ignore[arg-type]  # there is an element

    def _learn_inside(self, shape: Shape, value: Any, level: int) -> None:
        if shape.is_open:
            shape.count += 1
        else:
            self._learn(shape, value, level)

    def _new_shape(self, level: int) -> Shape:
        is_open = level >= LEVELS_MAX or not self._places_left
        self._places_left -= not is_open
        return Shape(is_open=is_open)
