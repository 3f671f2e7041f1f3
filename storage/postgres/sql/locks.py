"""Locks that a whole kind of work shares. They go with the session or transaction, so a crash frees them."""

from storage.postgres.statements import NoRow, Statement, YesNo


def try_lock(work: str) -> Statement[YesNo]:
    """Row: whether this session is the one that does this work now."""
    return Statement("SELECT pg_try_advisory_lock(hashtext($1))", [f"homeport {work}"], YesNo)


def release_lock(work: str) -> Statement[YesNo]:
    """Row: true."""
    return Statement("SELECT pg_advisory_unlock(hashtext($1))", [f"homeport {work}"], YesNo)


def lock_first_run() -> Statement[NoRow]:
    """Wait until no one else is making the first account; held until the transaction ends."""
    return Statement("SELECT pg_advisory_xact_lock(hashtext('homeport first run'))", [], NoRow)
