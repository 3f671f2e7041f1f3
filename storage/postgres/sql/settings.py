"""Settings of a session."""

from storage.postgres.statements import Statement


def set_statement_timeout(milliseconds: str) -> Statement[tuple[str]]:
    """Row: the new value. "0" is none."""
    return Statement("SELECT set_config('statement_timeout', $1, false)", [milliseconds], tuple)
