"""What a statement is: its text, its values, and what each of its rows comes back as."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

R = TypeVar("R", bound=tuple[Any, ...])


class Params(list[Any]):
    """The values of a statement; `add` returns the placeholder for one."""

    def add(self, value: Any) -> str:
        self.append(value)
        return f"${len(self)}"


class Statement(NamedTuple, Generic[R]):
    """A text with `$1`, `$2`, ..., the values bound to them, and the named tuple that each row comes back as."""

    text: str
    params: Sequence[Any]
    row: type[R]


class NoRow(NamedTuple):
    """Of a statement that is run for what it does."""


class Affected(NamedTuple):
    """One row for each thing that was changed, deleted or found."""

    one: int


class Total(NamedTuple):
    """How many, or how much."""

    total: int


class YesNo(NamedTuple):
    """The answer to a question."""

    answer: bool
