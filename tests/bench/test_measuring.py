"""The arithmetic of the benchmark: turns, ratios, counted syncs, and asks with their right answers."""

import pytest

from bench.load import wrk
from bench.load.data import make_items
from bench.load.workload import OPERATIONS, Workload
from bench.measures.rounds import Ran, Rounds, Turn, measure_round
from bench.meters.syncs import count_calls

ITEMS = 1_000


def test_turns_are_taken_forwards_and_backwards() -> None:
    asked: list[str] = []

    def turn(name: str, answers: float) -> Turn:
        def run() -> Ran:
            asked.append(name)
            return Ran(answers, 2.0)

        return Turn(name, run, list)

    found = Rounds()
    for number in range(2):
        measure_round([turn("one", 10 * (number + 1)), turn("two", 10)], found, number=number)
    assert asked == ["one", "two", "two", "one"]
    assert found.per_s == {"one": [5, 10], "two": [5, 5]}
    assert found.ratios("one", "two") == [1, 2]
    assert found.ratio("one", "two") == 1.5


def test_ratios_are_those_of_a_round_not_of_the_medians() -> None:
    # A machine three times as slow in the second round: both are, and the ratio stays.
    found = Rounds({"one": [300, 100, 200], "two": [150, 50, 50]})
    assert found.ratio("one", "two") == 2
    assert found.rate("one") / found.rate("two") == 4


TOTAL = "total requests=100 duration_us=2000000 status={status} connect=0 read={read} write=0 timeout=0 p50_us=900 p99_us=4000\n"


def test_a_round_counts_when_every_answer_was_good() -> None:
    rate = wrk.read_output(TOTAL.format(status=0, read=0))
    assert (rate.requests_per_s, rate.p50_ms, rate.p99_ms, rate.refused) == (50, 0.9, 4, 0)


@pytest.mark.parametrize(
    "output",
    [
        TOTAL.format(status=1, read=0),
        TOTAL.format(status=0, read=1),
        "refused 503 busy\n" + TOTAL.format(status=0, read=0),
        "wrk: unable to connect",
    ],
)
def test_a_round_does_not_count_otherwise(output: str) -> None:
    with pytest.raises(wrk.LoadFailedError):
        wrk.read_output(output)


def test_what_a_system_may_refuse_is_told_and_not_counted() -> None:
    rate = wrk.read_output(TOTAL.format(status=20, read=0), may_refuse=True)
    assert (rate.requests, rate.refused) == (80, 20)
    with pytest.raises(wrk.LoadFailedError):
        wrk.read_output(TOTAL.format(status=0, read=1), may_refuse=True)


def test_syncs_are_counted_once_each() -> None:
    log = (
        "101 fdatasync(5) = 0\n"
        "102 fsync(7 <unfinished ...>\n"
        "101 fdatasync(5) = 0\n"
        "102 <... fsync resumed>) = 0\n"
        "103 +++ exited with 0 +++\n"
    )
    assert count_calls(log) == 3


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_asked_has_an_answer(operation: str) -> None:
    workload = Workload(ITEMS)
    asks = workload.asks(operation)
    keys = {item["key"] for item in make_items(ITEMS)}
    for ask in asks[:5]:
        found = workload.expected_keys(ask)
        assert found
        assert set(found) <= keys


def test_inserts_have_no_key() -> None:
    asks = Workload(ITEMS).asks("insert")
    assert len({str(ask) for ask in asks}) == len(asks)
    assert "key" not in str(asks[0])
