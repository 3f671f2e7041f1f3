"""Places where the server dies when a test says so (see `storage/drive/failpoints.py`), and what has to hold afterwards."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx

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


def eventually(call: Callable[[], httpx.Response], seconds: float = 10.0) -> httpx.Response:
    """The answer of the first call that gets one from a process that lives, and is not told to try again."""
    started = time.monotonic()
    while True:
        try:
            response = call()
            if response.status_code != 503:
                return response
        except httpx.TransportError:
            pass
        assert time.monotonic() - started < seconds, "the service did not come back"
        time.sleep(0.05)
