"""Locks that a whole kind of work shares. They go with the session or transaction, so a crash frees them."""

from storage.postgres.sql.access import Statement


def try_sweeper_lock() -> Statement:
    """Row: whether this session is the one sweeper now."""
    return "SELECT pg_try_advisory_lock(hashtext('homeport sweeper'))", []


def release_sweeper_lock() -> Statement:
    """Row: true."""
    return "SELECT pg_advisory_unlock(hashtext('homeport sweeper'))", []


def lock_first_run() -> Statement:
    """Wait until no one else is making the first account; held until the transaction ends."""
    return "SELECT pg_advisory_xact_lock(hashtext('homeport first run'))", []


def try_blob_lock() -> Statement:
    """Row: whether this session is the one that tidies the bucket now."""
    return "SELECT pg_try_advisory_lock(hashtext('homeport blobs'))", []


def release_blob_lock() -> Statement:
    """Row: true."""
    return "SELECT pg_advisory_unlock(hashtext('homeport blobs'))", []


def try_tidying_lock() -> Statement:
    """Row: whether this session is the one that works off deletions of files now."""
    return "SELECT pg_try_advisory_lock(hashtext('homeport tidying'))", []


def release_tidying_lock() -> Statement:
    """Row: true."""
    return "SELECT pg_advisory_unlock(hashtext('homeport tidying'))", []
