"""What is asked of every system: the operations and the right answers.

An ask is what a client wants, free of any system's wording; `pocketbase.py` and `homeport.py` put it into HTTP.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.load.data import AGE_COUNT, AGE_MIN, SCORES_PER_UNIT, Item, group_name, item_key, make_item, make_items

PAGE_ITEMS = 100
AGE_WINDOW = 14
SELECTIVE_SHARE = 0.001
# Ids as long as a system makes them.
OWNER, ROOM = "it0000000001own", "it0000000002roo"


@dataclass(frozen=True)
class Get:
    """One item by its key."""

    key: str


@dataclass(frozen=True)
class Put:
    """Store these items in one request, all or none; each exists already and is replaced."""

    items: Sequence[Item]


@dataclass(frozen=True)
class Insert:
    """Store an item under a new key, which the system makes: a message of a chat, and none of the items."""

    message: Item


@dataclass(frozen=True)
class GroupEquals:
    """Every item of a group."""

    group: str


@dataclass(frozen=True)
class ScoreBetween:
    """Every item with `low <= score <= high`, in key order."""

    low: float
    high: float


@dataclass(frozen=True)
class KeyBetween:
    """Every item with `low <= key <= high`, in key order."""

    low: str
    high: str


@dataclass(frozen=True)
class AgeBetween:
    """The first PAGE_ITEMS items in key order with `low <= age <= high`."""

    low: int
    high: int


Ask = Get | Put | Insert | GroupEquals | KeyBetween | ScoreBetween | AgeBetween


# What is asked, by the name that goals have, and how a table calls it.
OPERATIONS = {
    "get": "get",
    "put": "put",
    "put25": "put 25",
    "equality": "equality, 10 hits",
    "key-range": "selective range of keys",
    "range": "selective range of an attribute",
    "key-order": "range in key order, 100",
}


class Workload:
    """The asks about a set of `item_count` items, drawn with a fixed seed."""

    def __init__(self, item_count: int) -> None:
        self.item_count = item_count

    @cached_property
    def facts(self) -> list[tuple[str, str, float, int]]:
        """(key, group, score, age) of every item, in key order: what the right answers are worked out from."""
        return sorted((item["key"], item["group"], item["score"], item["age"]) for item in make_items(self.item_count))

    def asks(self, operation_name: str) -> list[Ask]:
        """Distinct asks, enough that a round does not run on a handful of hot rows, in an order of no meaning."""
        chance = random.Random(operation_name)
        count = self.item_count
        match operation_name:
            case "get":
                return [Get(item_key(number)) for number in chance.sample(range(count), min(20_000, count))]
            case "put":
                return [Put(items) for items in self._replacements(chance, 4_000, 1)]
            case "put25":
                return [Put(items) for items in self._replacements(chance, 400, 25)]
            case "insert":
                # TrailBase's published benchmark: a hundred thousand messages into a chat's table, 64 at a time.
                return [
                    Insert({"owner": OWNER, "room": ROOM, "data": f"a message {number}"}) for number in range(20_000)
                ]
            case "equality":
                return [GroupEquals(group_name(chance.randrange(count), count)) for _ in range(2_000)]
            case "key-range":
                span = round(count * SELECTIVE_SHARE)
                lows = [chance.randrange(count - span) for _ in range(2_000)]
                return [KeyBetween(self.facts[low][0], self.facts[low + span - 1][0]) for low in lows]
            case "range":
                span = round(count * SELECTIVE_SHARE)
                lows = [chance.randrange(count - span) for _ in range(2_000)]
                return [ScoreBetween(low / SCORES_PER_UNIT, (low + span - 1) / SCORES_PER_UNIT) for low in lows]
            case "key-order":
                lows = list(range(AGE_MIN, AGE_MIN + AGE_COUNT - AGE_WINDOW + 1))
                chance.shuffle(lows)
                return [AgeBetween(low, low + AGE_WINDOW - 1) for low in lows]
        raise ValueError(f"no operation is called {operation_name!r}")

    def expected_keys(self, ask: Ask) -> list[str]:
        """The keys of the right answer, in key order."""
        match ask:
            case Get(key):
                return [key]
            case Put(items):
                return [item["key"] for item in items]
            case Insert():
                raise ValueError("nobody knows beforehand under which key an item is inserted")
            case GroupEquals(wanted):
                return [key for key, group, _, _ in self.facts if group == wanted]
            case KeyBetween(first, last):
                return [key for key, _, _, _ in self.facts if first <= key <= last]
            case ScoreBetween(low, high):
                return [key for key, _, score, _ in self.facts if low <= score <= high]
            case AgeBetween(low, high):
                return [key for key, _, _, age in self.facts if low <= age <= high][:PAGE_ITEMS]

    def _replacements(self, chance: random.Random, requests: int, items_each: int) -> list[list[Item]]:
        """Item lists for puts. No item occurs in two of them, so that requests in flight do not wait for one row."""
        requests = min(requests, self.item_count // items_each)
        numbers = chance.sample(range(self.item_count), requests * items_each)
        items = [make_item(number, self.item_count, visits=chance.randrange(1, 1_000_000)) for number in numbers]
        return [items[start : start + items_each] for start in range(0, len(items), items_each)]
