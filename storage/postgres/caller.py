"""Who asks for the data of a collection.

Whether they may is decided inside the statement that does the work (see `sql/access.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from storage.errors import Forbidden, Unauthorized


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks for a collection: the holder of a data key, or (digest None) a person.

    Without a person either it is the server itself, as for its commands. What a key or a person may do is the database's to
    say, in each statement anew: a gate that let somebody in may have done so long ago, when their request's body began. The
    uploads of a person are theirs alone, those of data keys the collection's.
    """

    collection_id: str
    key_digest: bytes | None = None
    person_id: int | None = None


class AccessRow(Protocol):
    """A row of a statement that began with `access`."""

    @property
    def allowed(self) -> bool: ...


A = TypeVar("A", bound=AccessRow)


def allowed(rows: Sequence[A]) -> A:
    """The first row, when the caller may. Raises Unauthorized, when there is no row, and Forbidden."""
    if not rows:
        raise Unauthorized()
    if not rows[0].allowed:
        raise Forbidden()
    return rows[0]
