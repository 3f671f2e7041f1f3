"""What counts as growing, and what a soak ends with: it must be able to fail."""

import math
import os
import random
import socket
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.soak.report import WARM_UP, wrong
from tests.soak.watching import (
    DESCRIPTORS,
    GROWING,
    MB,
    MEMORY,
    MEMORY_OF_EACH,
    ROWS,
    Bound,
    Series,
    count_descriptors,
    count_rows,
    line_through,
)

MINUTE = 12  # samples


def samples_of(shape: Any, *, minutes: int = 60) -> list[float]:
    return [shape(number / MINUTE) for number in range(minutes * MINUTE)]


@pytest.mark.parametrize(
    "bound, shape, has_grown",
    [
        (MEMORY, lambda minute: 300 * MB, False),
        (MEMORY, lambda minute: 300 * MB + 40 * MB * math.sin(minute), False),
        (MEMORY, lambda minute: 200 * MB + 80 * MB * (minute % 4) / 4, False),  # a garbage collector's
        (MEMORY, lambda minute: 300 * MB * (1 - math.exp(-minute / 4)), False),  # caches that fill
        (MEMORY, lambda minute: 300 * MB + minute * MB, True),
        (MEMORY, lambda minute: 100 * MB + minute * 0.5 * MB, False),  # 20 MB in 40 minutes
        (MEMORY, lambda minute: 2_000 * MB + minute * 4 * MB, False),  # less than a tenth
        (MEMORY, lambda minute: 300 * MB - minute * 4 * MB, False),
        (MEMORY_OF_EACH, lambda minute: 6 * MB + minute * 0.004 * MB, False),
        (MEMORY_OF_EACH, lambda minute: 6 * MB + minute * 0.03 * MB, True),
        (DESCRIPTORS, lambda minute: 80 + minute // 2, True),
        (DESCRIPTORS, lambda minute: 80 + 10 * math.sin(minute), False),
        (DESCRIPTORS, lambda minute: 1_200 + minute // 1, True),  # one a minute, among many
        (DESCRIPTORS, lambda minute: 80 + minute // 1 + 10 * math.sin(3 * minute), True),
        (DESCRIPTORS, lambda minute: 80 + 24 * (minute > 40), False),  # a pool that opens late
        (DESCRIPTORS, lambda minute: 80 + 40 * (1 - math.exp(-minute / 10)), False),  # levels off
        (ROWS, lambda minute: 40 * minute, True),
        (ROWS, lambda minute: minute, False),
    ],
)
def test_what_grows_is_told_from_what_is_flat(bound: Bound, shape: Any, has_grown: bool) -> None:
    assert Series(bound, samples_of(shape)).has_grown(WARM_UP) == has_grown


def test_a_line_is_laid_through_the_samples() -> None:
    assert line_through([1, 2, 3, 4]) == pytest.approx((3, 2.5))
    assert line_through([5]) == (0, 5)
    assert Series(MEMORY, [9, 9, 9, 9, 1, 1, 2, 2, 3, 3, 4, 4]).quarters(WARM_UP) == [1, 2, 3, 4]


def test_files_that_a_process_has_open_are_told_from_sockets(tmp_path: Path) -> None:
    own = os.getpid()
    before = {with_files: count_descriptors(own, with_files=with_files) for with_files in (True, False)}
    with (tmp_path / "f").open("w"), socket.socket():
        assert count_descriptors(own, with_files=True) == before[True] + 2
        assert count_descriptors(own, with_files=False) == before[False] + 1


@pytest.mark.parametrize("minutes, a_minute, is_seen", [(60, 1, True), (10, 1, False), (10, 20, True)])
def test_chance_alone_never_grows_and_a_leak_of_one_a_minute_shows_in_an_hour(
    minutes: int, a_minute: int, is_seen: bool
) -> None:
    """Load that comes and goes, each for some samples: a walk that is drawn back; a hundred such runs."""
    noise = random.Random(8)
    seen = 0
    for _ in range(100):
        level, flat, leaking = 0.0, Series(DESCRIPTORS), Series(DESCRIPTORS)
        for number in range(minutes * MINUTE):
            level = 0.8 * level + noise.gauss(0, 4)
            flat.samples.append(300 + round(level))
            leaking.samples.append(300 + round(level) + number * a_minute // MINUTE)
        assert not flat.has_grown(WARM_UP)
        seen += leaking.has_grown(WARM_UP)
    assert seen == (100 if is_seen else 0)


def run(**changes: Any) -> SimpleNamespace:
    watch: dict[str, Any] = {"failure": None, "memory": {}, "descriptors": {}, "processes": {}, "rows": {}}
    return SimpleNamespace(wrong=[], answered={"items": Counter({200: 1})}, **watch | changes)


def test_each_thing_that_is_wrong_is_said(tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    log.write_text("all is well\n")
    climbing = Series(MEMORY, samples_of(lambda minute: minute * 10 * MB))
    rows = {"storage_file": Series(ROWS, climbing.samples), "storage_itemversion": Series(ROWS, climbing.samples)}
    good, bad = run(), run(memory={"web": climbing}, descriptors={"jobs": climbing}, rows=rows, failure=ValueError())
    assert wrong(good, good, [log]) == []  # type: ignore[arg-type]
    bad.wrong, bad.answered = ["items: 500 to GET /"], {"items": Counter()}
    log.write_text("Traceback (most recent call last):\n")
    assert wrong(bad, bad, [log]) == [  # type: ignore[arg-type]
        "a 5xx, or no answer: items: 500 to GET /",
        "a traceback in a log: Traceback (most recent call last):",
        "the watch ended: ValueError()",
        "memory of web grew",
        "descriptors of jobs grew",
        "rows of storage_file grew",
        "items was never answered",
    ]


@pytest.mark.usefixtures("database")
def test_rows_of_every_table_are_counted() -> None:
    counted = count_rows()
    assert {"storage_item", "procrastinate_jobs", *GROWING} <= set(counted)
    assert counted["django_migrations"] > 10
