"""The errors of the engines that requests and jobs met with: by engine, "postgres" or "s3", and by kind."""

from storage.counting.counted import Counter

ERRORS = Counter("homeport_engine_errors")


def count_error(engine: str, kind: str) -> None:
    """Count one. A kind is one of a few words that the engine's room knows."""
    ERRORS.add(engine, kind)
