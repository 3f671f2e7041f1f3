"""Keys for items without one: 6 characters of seconds, then 6 that nobody can guess.

New items come last, and a key can stand in a link that only those know who were given it. Two draws can meet, if rarely
(docs/http-api.md has the numbers), so each item gets several keys: the statement that stores it takes the first that is not taken
(`storage/base/sql/items.py`), and no item is ever overwritten.
"""

import os
import struct
import threading
import time
from typing import NamedTuple

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_WIDTH = 6
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
# How many there are of either half. The seconds reach to the end of 2038.
SPACE = 36**_WIDTH
_DRAWS = 3

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
    drawn = _draw_numbers(count * _DRAWS)
    # An item's neighbours have numbers that are all lower or all higher, so any of its own keeps the order. Which of them comes
    # first is as random as they are: the one that was drawn first.
    place = {number: at for at, number in enumerate(drawn)}
    ascending = sorted(drawn)
    keys = []
    for first in range(0, len(ascending), _DRAWS):
        key, *spares = (
            start + _base36(each) for each in sorted(ascending[first : first + _DRAWS], key=place.__getitem__)
        )
        keys.append(DrawnKey(key, tuple(spares)))
    return keys


def _draw_numbers(count: int) -> list[int]:
    """So many numbers below SPACE, no two alike, asked of the system at once: to ask for each takes as long as all else."""
    drawn: dict[int, None] = {}
    while (missing := count - len(drawn)) > 0:
        # Of 64 bits what is left over by SPACE makes no number likelier by more than one in 10^9.
        drawn.update(dict.fromkeys(word % SPACE for word in struct.unpack(f"{missing}Q", os.urandom(8 * missing))))
    return list(drawn)


def _second() -> int:
    """The Unix time. A clock that was set back must not put new items before older ones, so it only ever goes up."""
    global _last_second
    with _lock:
        _last_second = max(_last_second, int(time.time()))
        return _last_second


def _base36(number: int) -> str:
    rest, last = divmod(number, len(_PAIRS))
    first, middle = divmod(rest, len(_PAIRS))
    return _PAIRS[first % len(_PAIRS)] + _PAIRS[middle] + _PAIRS[last]
