"""Keys for items without one: 6 characters of seconds, then 6 that nobody can guess.

New items come last, and a key can stand in a link that only those know who were given it. Two draws can meet, if rarely
(docs/http-api.md has the numbers), so each item gets several keys: the statement that stores it takes the first that is not taken
(`storage/base/sql/items.py`), and no item is ever overwritten.
"""

import secrets
import threading
import time
from typing import NamedTuple

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_WIDTH = 6
# How many there are of either half. The seconds reach to the end of 2038.
SPACE = 36**_WIDTH
_DRAWS = 3

_random = secrets.SystemRandom()
_lock = threading.Lock()
_last_second = 0


class DrawnKey(NamedTuple):
    """A key for one item, and those to take in its stead, in their order, where it is taken."""

    key: str
    spares: tuple[str, ...]


def draw_keys(count: int) -> list[DrawnKey]:
    """For each of `count` items of a request its keys: 12 lower-case letters and digits (contract: Base, PUT).

    Whichever of its keys each item takes, they ascend in the order of the items.
    """
    if count == 0:
        return []
    start = _base36(_second())
    drawn = sorted(_random.sample(range(SPACE), count * _DRAWS))
    return [_shuffled(start, drawn[first : first + _DRAWS]) for first in range(0, len(drawn), _DRAWS)]


def _shuffled(start: str, numbers: list[int]) -> DrawnKey:
    """One item's keys. Its neighbours' numbers are all lower or all higher, so any of its own keeps the order."""
    key, *spares = (start + _base36(number) for number in _random.sample(numbers, len(numbers)))
    return DrawnKey(key, tuple(spares))


def _second() -> int:
    """The Unix time. A clock that was set back must not put new items before older ones, so it only ever goes up."""
    global _last_second
    with _lock:
        _last_second = max(_last_second, int(time.time()))
        return _last_second


def _base36(number: int) -> str:
    text = ""
    for _ in range(_WIDTH):
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text
