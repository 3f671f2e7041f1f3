"""What was learned as the rows of a table: each place in an item, how many have it, and of which types it is."""

from collections.abc import Iterator
from typing import NamedTuple

from storage.item_types.shapes import Shape

ROWS_MAX = 500
_FORMATS = {
    "date-time": "each a moment, ISO 8601 with its time zone",
    "date": "each a day, YYYY-MM-DD",
    "uuid": "each a UUID",
    "email": "each an e-mail address",
    "uri": "each an address of the web",
}


class Row(NamedTuple):
    """One place: `steps` lead to it, `[]` into a list. `present` of `of` objects have it, or so many elements are there."""

    steps: tuple[str, ...]
    present: int
    of: int | None
    types: list[tuple[str, int]]
    note: str

    @property
    def is_in_all(self) -> bool:
        """Whether no object is without it."""
        return self.of is None or self.present == self.of


def list_rows(items: Shape) -> list[Row]:
    """In the order in which they were found, each object before what is inside of it; no more than a page may have."""
    return [row for row, _ in zip(_inside(items, ()), range(ROWS_MAX), strict=False)]


def _inside(shape: Shape, steps: tuple[str, ...]) -> Iterator[Row]:
    if not (shape.has_more and steps):
        for name, inside in shape.attributes.items():
            yield from _row(inside, (*steps, name), of=shape.objects)
    if shape.elements is not None:
        yield from _row(shape.elements, (*steps, "[]"), of=None)


def _row(shape: Shape, steps: tuple[str, ...], *, of: int | None) -> Iterator[Row]:
    yield Row(steps, shape.count, of, list(shape.types.items()), _note(shape))
    yield from _inside(shape, steps)


def _note(shape: Shape) -> str:
    if shape.is_open:
        return "too deep to be looked at"
    if shape.has_more:
        return "things by name, too many to be attributes"
    if choices := shape.texts.choices:
        return f"one of {', '.join(choices)}"
    return _FORMATS.get(shape.texts.format, "")
