"""How PostgreSQL would run a statement, which it tells without running it."""

# Of the connection that asks: nothing is waited for, and the plan is the one for any values.
CAREFULLY = b"SET lock_timeout = '1s'; SET statement_timeout = '2s'; SET plan_cache_mode = force_generic_plan"


def explain(name: bytes, values: int) -> bytes:
    """The plan of a prepared statement with so many values, one line a row; no value is part of it."""
    nulls = b", ".join([b"NULL"] * values)
    return b"EXPLAIN EXECUTE " + name + (b"(" + nulls + b")" if values else b"")
