"""Locks that a whole kind of work shares. They go with the transaction, so a crash frees them."""

from storage.postgres.statements import NoRow, Statement, YesNo


def try_lock(work: str) -> Statement[YesNo]:
    """Row: whether this transaction is the one that does this work now; it may idle for as long as that takes."""
    return Statement(
        """
        SELECT set_config('idle_in_transaction_session_timeout', '0', true) IS NOT NULL
            AND pg_try_advisory_xact_lock(hashtext($1))
    """,
        [f"homeport {work}"],
        YesNo,
    )


def lock_first_run() -> Statement[NoRow]:
    """Wait until no one else is making the first account; held until the transaction ends."""
    return Statement("SELECT pg_advisory_xact_lock(hashtext('homeport first run'))", [], NoRow)
