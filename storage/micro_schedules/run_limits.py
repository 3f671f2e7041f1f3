"""How long a run of a Micro's functions may take."""

from storage import limits
from storage.errors import InvalidInput


def check_limit(seconds: int | None) -> None:
    """Raises InvalidInput unless a run may take so long."""
    if seconds is not None and not 1 <= seconds <= limits.MICRO_RUN_SECONDS_MAX:
        raise InvalidInput(f"A run may take 1 to {limits.MICRO_RUN_SECONDS_MAX:,} seconds")
