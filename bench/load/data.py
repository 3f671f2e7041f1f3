"""The items of the benchmark: the same for every system, and the same in every run.

An item is made from its number alone, so a query's right answer can be worked out here without asking a system. It
owns the shape of an item and its key; what is asked about the items is in `workload.py`.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

HITS_PER_GROUP = 10
SCORES_PER_UNIT = 100
AGE_MIN, AGE_COUNT = 18, 50
KEY_STEP, KEY_SPACE = 2_654_435_761, 2**32

CITIES = ("Amsterdam", "Bergen", "Cork", "Dresden", "Evora", "Florence", "Gdansk", "Hobart", "Izmir", "Jena")
FIRST_NAMES = ("Ada", "Bela", "Chen", "Dita", "Emre", "Femi", "Gala", "Hiro", "Ines", "Jomo", "Kaja", "Lars")
LAST_NAMES = ("Abbott", "Berg", "Costa", "Dubois", "Eriksen", "Fontana", "Garcia", "Haddad", "Ivanov", "Jansen")
TAGS = ("new", "loyal", "trial", "partner", "paused", "beta", "press", "staff")

Item = dict[str, Any]


def item_key(number: int) -> str:
    """The key of item `number`: 12 characters, scattered over the key order so that loading does not follow it."""
    # An odd step is a bijection on the key space: no two numbers below it share a key.
    return f"it{number * KEY_STEP % KEY_SPACE:010d}"


def group_name(number: int, item_count: int) -> str:
    """The group of item `number`: exactly HITS_PER_GROUP items share it when `item_count` is a multiple of that."""
    return f"group-{number % (item_count // HITS_PER_GROUP):06d}"


def make_item(number: int, item_count: int, *, visits: int = 0) -> Item:
    """Item `number` of `item_count`, about 300 bytes of compact JSON.

    `visits` is what a put changes: no query asks for it, so the right answers stay the same while items are replaced.
    """
    chance = random.Random(number)
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    year, month, day = chance.randrange(2010, 2026), chance.randrange(1, 13), chance.randrange(1, 29)
    return {
        "key": item_key(number),
        "name": f"{first} {last}",
        "email": f"{first}.{last}.{number}@example.com".lower(),
        "group": group_name(number, item_count),
        "age": AGE_MIN + chance.randrange(AGE_COUNT),
        # 7919 is prime to every power of ten, so each score occurs once and a window of scores has a known size.
        "score": number * 7919 % item_count / SCORES_PER_UNIT,
        "active": chance.random() < 0.5,
        "visits": visits,
        "tags": chance.sample(TAGS, 3),
        "address": {
            "street": f"{chance.choice(LAST_NAMES)} Street {chance.randrange(1, 200)}",
            "city": chance.choice(CITIES),
            "postcode": f"{chance.randrange(100_000):05d}",
        },
        "created": f"{year}-{month:02d}-{day:02d} 12:00:00.000Z",
    }


def make_items(item_count: int) -> Iterator[Item]:
    """Every item, in the order of its number."""
    return (make_item(number, item_count) for number in range(item_count))


def compact_json(value: object) -> str:
    """JSON without spaces and without line breaks, as clients send it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
