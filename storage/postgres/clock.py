"""The one clock by which all that has its time is judged: the database's.

The machines of nodes, and those of a node and its database, may differ by any amount.
"""

from datetime import datetime

from storage.postgres.database import run_one
from storage.postgres.sql import sessions as sessions_sql


def now() -> datetime:
    """This moment. Raises EngineUnreachable."""
    return run_one(sessions_sql.read_clock()).moment
