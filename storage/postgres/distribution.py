"""Whether the items are distributed over several servers (docs/citus.md).

The database says so to each connection that this process opens, which costs a statement nothing. Who sets the mark, or takes it
away, wants no other process connected meanwhile (`storage/distribution/`), so what was seen last holds.
"""

from storage.errors import ItemsDistributed
from storage.postgres.connections import seen
from storage.postgres.database import run_one
from storage.postgres.sql import distribution as distribution_sql
from storage.postgres.statements import Statement, YesNo


def items_are_distributed() -> bool:
    """Raises EngineUnreachable where this process had no connection yet, and can have none."""
    if seen.items_are_distributed is None:
        seen.items_are_distributed = run_one(Statement(distribution_sql.IS_MARKED, [], YesNo)).answer
    return seen.items_are_distributed


def refuse_where_distributed() -> None:
    """For what lives by the notes of each change, which nobody makes there. Raises ItemsDistributed."""
    if items_are_distributed():
        raise ItemsDistributed()
