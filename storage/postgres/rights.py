"""The second question for a person's right, asked in the transaction that changes something.

The gate asked the first one when the request began. Its body may have been on the way for long, and a lock waited for. Of those
who follow a stream it is asked again and again.
"""

from collections.abc import Sequence

from storage.errors import Forbidden, StorageError, Unauthorized
from storage.postgres.caller import Access, allowed
from storage.postgres.database import run
from storage.postgres.sql import access as access_sql


def ask_again(access: Access) -> None:
    """In the caller's transaction: whether the person may write to the collection now.

    Raises Unauthorized without any access, and Forbidden.
    """
    allowed(run(access_sql.check_person(access, write=True)))


def ask_for_keys(asked: Sequence[tuple[Access, str]]) -> list[StorageError | None]:
    """Whether these data keys may still read these Bases: for each Unauthorized, Forbidden or None."""
    if not asked:
        return []
    return [
        Unauthorized() if not row.is_valid else None if row.allowed else Forbidden()
        for row in run(access_sql.check_keys(asked))
    ]
