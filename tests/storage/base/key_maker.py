"""Many items without keys, put at once by threads or by processes of their own, with few random bits in their keys."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from storage.postgres.caller import Access
from tests.test_house import ROOT
from tests.waiting import LONG_SECONDS

EACH = 25


def put_many(access: Access, base: str, *, by: int, rounds: int) -> list[list[Any]]:
    """The items of each request as they were answered."""
    from storage.base import items

    return [
        [
            json.loads(item.json)
            for item in items.put_items(
                access=access, base=base, items=[{"by": by, "n": number * EACH + n} for n in range(EACH)]
            ).processed
        ]
        for number in range(rounds)
    ]


def check(stored: Sequence[Any], made: Sequence[Any]) -> None:
    """Every item that was answered is there, as it was answered, and no other."""
    answered = [item for requests in made for request in requests for item in request]
    assert len({item["key"] for item in answered}) == len(answered) == len(stored)
    assert stored == sorted(answered, key=lambda item: str(item["key"]))
    for requests in made:
        by = requests[0][0]["by"]
        numbers = [(item["by"], item["n"]) for request in requests for item in request]
        assert numbers == [(by, n) for n in range(len(numbers))]


def pages(access: Access, base: str) -> Iterator[list[Any]]:
    """All items of a Base, a page at a time."""
    from storage.base import items
    from storage.base.query import parse_query

    last = None
    while True:
        page = items.query_items(access=access, base=base, predicate=parse_query([]), limit=1000, last=last)
        yield [json.loads(text) for text in page.items]
        if (last := page.last) is None:
            return


def run_processes(access: Access, base: str, *, count: int, rounds: int, space: int) -> list[tuple[Any, int]]:
    """Of each process the items of its requests, and how many did not get the key that was drawn first."""
    second = int(time.time()) + 3600
    started = [
        subprocess.Popen(
            [sys.executable, "-m", __name__, access.collection_id, base, *map(str, (by, rounds, space, second))],
            cwd=ROOT,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "console.settings"},
            stdout=subprocess.PIPE,
        )
        for by in range(count)
    ]
    answers = [process.communicate(timeout=LONG_SECONDS)[0] for process in started]
    assert [process.returncode for process in started] == [0] * count
    return [tuple(json.loads(answer)) for answer in answers]


def _main() -> None:
    import django

    django.setup()
    from storage.base import generated_keys

    collection_id, base, *numbers = sys.argv[1:]
    by, rounds, space, second = map(int, numbers)
    generated_keys.SPACE, generated_keys._last_second = space, second
    firsts: set[str] = set()
    draw_keys = generated_keys.draw_keys

    def draw_and_note(count: int) -> list[generated_keys.DrawnKey]:
        drawn = draw_keys(count)
        firsts.update(each.key for each in drawn)
        return drawn

    generated_keys.draw_keys = draw_and_note  # type: ignore[assignment]
    requests = put_many(Access(collection_id), base, by=by, rounds=rounds)
    redrawn = sum(item["key"] not in firsts for request in requests for item in request)
    sys.stdout.write(json.dumps([requests, redrawn]))


if __name__ == "__main__":
    _main()
