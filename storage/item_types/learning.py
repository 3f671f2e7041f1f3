"""Reads the items of a Base to learn what they look like: all of a small one, and of a large one parts from all over it.

The parts begin at keys between the first and the last, so that old and new items are among them, and cost as much in a Base
of any size. How long it takes is bounded as well.
"""

import string
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from storage.base import overviews
from storage.base.items import query_items
from storage.base.query import Predicate
from storage.exact_json import parse
from storage.item_types.shapes import Learner
from storage.postgres.caller import Access

SAMPLE_ITEMS = 10_000
SAMPLE_BYTES = 8_388_608
_SECONDS = 2.0
_PARTS = 20
_PAGE_ITEMS = SAMPLE_ITEMS // _PARTS
# Of a key, by which two are told apart, so many characters; and the kinds of characters that come together.
_DIGITS = 12
_KINDS = (string.digits, string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from `looked_at` of a Base's items. There are `total`, or about so many unless it `is_exact`."""

    learner: Learner
    looked_at: int
    total: int
    is_exact: bool

    @property
    def is_all(self) -> bool:
        """Whether each item was looked at."""
        return self.is_exact and self.looked_at >= self.total


def learn_types(*, access: Access, base: str) -> Learned:
    """What the items look like. Raises BaseNotFound, EngineUnreachable."""
    counted = overviews.count_items(access=access, base=base, predicate=Predicate())
    ends_at = time.monotonic() + _SECONDS
    learner: Learner | None = None
    if counted.is_exact and counted.total <= SAMPLE_ITEMS:
        learner = _learn(_all_items(access, base), ends_at, is_whole=True)
    if learner is None:
        learner = _learn(_items_from_all_over(access, base), ends_at) or Learner()
    looked_at = learner.items.count
    return Learned(learner, looked_at, max(counted.last_counted or 0, counted.total, looked_at), counted.is_exact)


def _learn(items: Iterable[str], ends_at: float, *, is_whole: bool = False) -> Learner | None:
    """From as many of the items as there may be; None where it should have been all of them."""
    learner, size = Learner(), 0
    for item in items:
        size += len(item)
        if learner.items.count and (size > SAMPLE_BYTES or time.monotonic() > ends_at):
            return None if is_whole else learner
        learner.add(parse(item.encode()))
    return learner


def _all_items(access: Access, base: str) -> Iterator[str]:
    last: str | None = None
    while True:
        page = query_items(access=access, base=base, predicate=Predicate(), limit=_PAGE_ITEMS, last=last)
        yield from page.items
        if (last := page.last) is None:
            return


def _items_from_all_over(access: Access, base: str) -> Iterator[str]:
    """From each of some keys on a few items, none of them twice. Where keys lie close together, they are fewer."""
    first, end = (_outermost_key(access, base, descending=descending) for descending in (False, True))
    if first is None or end is None:
        return
    seen_to = ""
    for start in starts_between(first, end, parts=_PARTS):
        after = max(start, seen_to) or None
        page = query_items(access=access, base=base, predicate=Predicate(), limit=_PAGE_ITEMS, last=after)
        size = 0
        for item in page.items:
            yield item
            size += len(item)
            if size > SAMPLE_BYTES // _PARTS:
                seen_to = str(parse(item.encode())["key"])
                break
        else:
            if page.last is None:
                return
            seen_to = page.last


def starts_between(first: str, last: str, *, parts: int) -> list[str]:
    """Behind which keys the parts begin: the first behind none, the others behind texts evenly between the two keys.

    Evenly among texts of the kinds of characters that the two have: where keys are numbers, no part begins at a letter.
    """
    same = first[
        : next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    ]
    ends = [key[len(same) :][:_DIGITS] for key in (first, last)]
    alphabet = _alphabet("".join(ends))
    low, high = (_number(end, alphabet) for end in ends)
    # What lies beyond the alphabet is one digit, so that the last may seem to come before the first.
    high = max(low, high)
    return ["", *(same + _text(low + (high - low) * part // parts, alphabet) for part in range(1, parts))]


def _alphabet(used: str) -> str:
    kinds = [kind for kind in _KINDS if not set(kind).isdisjoint(used)]
    others = {each for each in used if each.isascii() and not each.isalnum()}
    return "".join(sorted(others.union(*kinds))) or string.ascii_lowercase


def _number(text: str, alphabet: str) -> int:
    """The beginning of a text as a number, whose digits are the places of its characters; 0 is the text's end."""
    number = 0
    for at in range(_DIGITS):
        digit = max(1, bisect_right(alphabet, text[at])) if at < len(text) else 0
        number = number * (len(alphabet) + 1) + digit
    return number


def _text(number: int, alphabet: str) -> str:
    """The same back, up to its first 0."""
    digits = []
    for _ in range(_DIGITS):
        number, digit = divmod(number, len(alphabet) + 1)
        digits.append(digit)
    return "".join(alphabet[digit - 1] for digit in takewhile(bool, reversed(digits)))


def _outermost_key(access: Access, base: str, *, descending: bool) -> str | None:
    page = query_items(access=access, base=base, predicate=Predicate(), limit=1, descending=descending)
    return str(parse(page.items[0].encode())["key"]) if page.items else None
