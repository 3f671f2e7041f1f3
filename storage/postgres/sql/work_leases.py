"""Leases on kinds of work: a row each, by the database's clock. A row stays, so that each taking writes over the same one."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import Affected, Statement


class Renewed(NamedTuple):
    holder: UUID


def take(work: str, holder: UUID, seconds: float) -> Statement[Affected]:
    """A row when nobody has this work, or had it until now; then it is the holder's for so long."""
    return Statement(
        """
        INSERT INTO storage_worklease AS held (work, holder, ends_at)
        VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
        ON CONFLICT (work) DO UPDATE SET holder = EXCLUDED.holder, ends_at = EXCLUDED.ends_at
        WHERE held.ends_at < clock_timestamp()
        RETURNING 1
    """,
        [work, holder, seconds],
        Affected,
    )


def renew(holders: Sequence[UUID], seconds: float) -> Statement[Renewed]:
    """Rows: the holders whose leases had not ended; these are longer now."""
    return Statement(
        """
        UPDATE storage_worklease SET ends_at = clock_timestamp() + make_interval(secs => $2)
        WHERE holder = ANY ($1) AND ends_at >= clock_timestamp()
        RETURNING holder
    """,
        [list(holders), seconds],
        Renewed,
    )


def end(holder: UUID) -> Statement[Affected]:
    """Whoever asks next has the work."""
    return Statement("UPDATE storage_worklease SET ends_at = 'epoch' WHERE holder = $1 RETURNING 1", [holder], Affected)
