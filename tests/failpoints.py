"""Places where the server dies when a test says so (see `storage/drive/failpoints.py`), and what has to hold afterwards."""

import os
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.waiting import eventually

_ARMED = Path(os.environ["HOMEPORT_FAILPOINTS"])


def arm(place: str) -> None:
    """The next process that reaches this place dies there."""
    (_ARMED / place).touch()


def is_armed(place: str) -> bool:
    """Whether nobody has been there yet."""
    return (_ARMED / place).exists()


def disarm_all() -> None:
    for armed in _ARMED.iterdir():
        armed.unlink()


def once_back(call: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer of the first call that gets one from a process that lives, and is not told to try again."""

    def answered() -> list[httpx.Response]:
        try:
            response = call()
        except httpx.TransportError:
            return []
        return [] if response.status_code == 503 else [response]

    (response,) = eventually(answered, what="the service did not come back")
    return response
