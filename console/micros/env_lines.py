"""Reads the lines of a `.env` file as people paste them."""

import io

from dotenv import dotenv_values
from dotenv.parser import Original, parse_stream

from storage.errors import InvalidInput


def read_env_lines(text: str) -> dict[str, str]:
    """The variables in their order; `export ` before a name, quotes and comments are understood, nothing is filled in.

    Raises InvalidInput, with the number of the first line that is none.
    """
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            raise InvalidInput(f"Line {_number_of(binding.original)} is not NAME=value")
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value or "" for name, value in values.items()}


def _number_of(found: Original) -> int:
    """The number of the line where something begins, behind the empty lines that are counted to it."""
    blank = len(found.string) - len(found.string.lstrip())
    return found.line + found.string[:blank].count("\n")
