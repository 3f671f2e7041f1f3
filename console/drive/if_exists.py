"""What a person wants done with names that exist, as the scripts of the Drive pages send it."""

from typing import Any, get_args

from storage.drive.files import IfExists
from storage.errors import InvalidInput


def read_if_exists(value: Any, otherwise: IfExists = "fail") -> IfExists:
    """Raises InvalidInput."""
    if value is None:
        return otherwise
    if value not in get_args(IfExists):
        raise InvalidInput(f"`if_exists` is one of {', '.join(get_args(IfExists))}")
    return value
