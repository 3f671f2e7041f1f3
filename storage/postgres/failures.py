"""Which of the driver's errors say something about the engine's state, and not about what it was asked.

What is named here is answered by 503 or 507; any other error of the driver is a defect of ours.
"""

import re

import psycopg
from django.db import IntegrityError, OperationalError
from psycopg import errors as pg

from storage.counting.engines import count_error
from storage.errors import CollectionNotFound, DiskFull, EngineUnreachable, StorageError
from storage.postgres.connections import PoolBusy
from storage.postgres.deadlines import NoAnswer

# Trying again may help: the connection is lost (all of class 08, and 57P01 to 57P05), none is to be had, the statement took too
# long or waited for another in vain, or this server has become one that only reads.
_PASSING_CLASSES = ("08", "57P", "40")
_PASSING_CODES = {
    "25006",  # read-only: a standby, or a primary that is one no longer
    "25P03",  # idle in a transaction for too long
    "25P04",  # the transaction took too long
    "53200",  # out of memory
    "53300",  # too many connections
    "55P03",  # a lock is not to be had
    "57014",  # cancelled by `statement_timeout`
}
# What an error is counted as: by the first of these that its code begins with.
_KINDS = {
    "53100": "disk_full",
    "57014": "timeout",
    "25P0": "timeout",
    "25006": "read_only",
    "55P03": "lock",
    "40": "conflict",
    "53": "exhausted",
    "08": "unreachable",
    "57P": "unreachable",
}
# What the driver itself finds wrong with a statement or a value has no code either.
_OF_OURS = (psycopg.DataError, psycopg.IntegrityError, psycopg.NotSupportedError, psycopg.ProgrammingError)


_OF_A_COLLECTION = re.compile(r"_collection_id_[0-9a-f]{8}_fk_storage_c")


class OrmEngineUnreachable(EngineUnreachable, OperationalError):
    """As it leaves the ORM, which takes back its transactions by its own kind of error."""


class OrmDiskFull(DiskFull, OperationalError):
    """Likewise."""


class OrmCollectionNotFound(CollectionNotFound, IntegrityError):
    """Likewise: the collection was deleted between the look at it and the write."""


def count_failure(error: BaseException | None) -> None:
    """Count an error that has become a named one."""
    code = (error.sqlstate if isinstance(error, psycopg.Error) else None) or ""
    kind = next((kind for start, kind in _KINDS.items() if code.startswith(start)), "unreachable")
    if isinstance(error, (NoAnswer, PoolBusy)):
        kind = "timeout" if isinstance(error, NoAnswer) else "pool_busy"
    count_error("postgres", kind)


def name_failure(error: BaseException | None) -> type[DiskFull] | type[EngineUnreachable] | None:
    """The named error that an error of psycopg's is, None for a defect."""
    if not isinstance(error, psycopg.Error):
        return None
    if isinstance(error, pg.DiskFull):
        return DiskFull
    code = error.sqlstate
    if code is None:
        # The server gives every error of its own a code: there was none to answer.
        return None if isinstance(error, _OF_OURS) else EngineUnreachable
    return EngineUnreachable if code.startswith(_PASSING_CLASSES) or code in _PASSING_CODES else None


def name_orm_failure(error: BaseException | None) -> StorageError | None:
    """Likewise, as something to raise from the ORM; there also what was refused because its collection is gone."""
    if _lacks_collection(error):
        return OrmCollectionNotFound("The collection was deleted in the meantime")
    named = name_failure(error)
    if named:
        count_failure(error)
    if named is DiskFull:
        return OrmDiskFull()
    return OrmEngineUnreachable() if named else None


def lacks_collection(error: IntegrityError) -> bool:
    """Whether a row was refused because its collection does not exist, and not by any other rule of its table."""
    return isinstance(error, OrmCollectionNotFound) or _lacks_collection(error.__cause__)


def _lacks_collection(error: BaseException | None) -> bool:
    return (
        isinstance(error, pg.ForeignKeyViolation)
        and error.diag.constraint_name is not None
        and _OF_A_COLLECTION.search(error.diag.constraint_name) is not None
    )
