"""What a conditional write expects of an item (contract: Base, If-Match)."""

from typing import NamedTuple


class Expected(NamedTuple):
    """That the item is there, at one of these revisions unless None."""

    revisions: list[int] | None
