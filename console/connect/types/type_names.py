"""Names for types, made of the names of the Base and of attributes: of ASCII letters and digits, each once."""

import re
from collections import Counter

from storage.item_types.shapes import Shape

_WORDS = re.compile(r"[A-Za-z0-9]++")
# Before a capital letter that begins a word.
_INNER_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAME_MAX = 60


class TypeNames:
    """Gives each object a name: `NotesItem` for the items of `notes`, `NotesItemAddress` for what is in their `address`."""

    def __init__(self, base: str) -> None:
        self.root = f"{pascal_case(base) or 'Base'}Item"
        if self.root[0].isdigit():
            self.root = f"Base{self.root}"
        # How often each was wanted.
        self._wanted = Counter([self.root])

    @property
    def module(self) -> str:
        """A name for a file: `notes_item`, as others import it."""
        return _INNER_CAPITAL.sub("_", self.root).lower()

    def below(self, parent: str, attribute: str) -> str:
        """A name that nothing else has."""
        wanted = f"{parent}{pascal_case(attribute) or 'Part'}"[:_NAME_MAX]
        self._wanted[wanted] += 1
        number = self._wanted[wanted]
        # No other ends like this: what names are made of has no underscore.
        return wanted if number == 1 else f"{wanted}_{number}"


def pascal_case(text: str) -> str:
    """`shipping-address` as `ShippingAddress`; empty where there is no letter or digit."""
    return "".join(word[0].upper() + word[1:] for word in _WORDS.findall(text))[:_NAME_MAX]


def presence(shape: Shape, of: int) -> str:
    """How many have it, and of which types, where it is not all and one: `in 80 of 100, string 70, null 10`."""
    told = [] if shape.count == of else [f"in {shape.count:,} of {of:,}"]
    if len(shape.types) > 1:
        told += [f"{name} {count:,}" for name, count in shape.types.items()]
    return ", ".join(told)
