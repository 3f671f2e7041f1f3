"""How PostgreSQL would run a statement, which it tells without running it."""

# In a transaction, which leaves nothing behind in a session that may be others': nothing is waited for, and the plan is the one
# for any values.
CAREFULLY = b"""
    BEGIN READ ONLY;
    SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '2s'; SET LOCAL plan_cache_mode = force_generic_plan
"""


def explain(name: bytes, values: int) -> bytes:
    """The plan of a prepared statement with so many values, one line a row; no value is part of it."""
    nulls = b", ".join([b"NULL"] * values)
    return b"EXPLAIN EXECUTE " + name + (b"(" + nulls + b")" if values else b"")


def forget(name: bytes) -> bytes:
    """End the transaction, and forget the prepared statement, which is the session's."""
    return b"ROLLBACK; DEALLOCATE " + name
