"""How far the feed may go, while other transactions hold lower ids than those that are there to be read."""

from typing import Any

import pytest

from storage.base import bases
from storage.collections import collections
from storage.history import horizon
from storage.history.sql.horizon import Progress
from storage.models import Base
from tests.storage.history.writers import writers
from tests.waiting import eventually


@pytest.fixture
def base_id(database: None) -> int:
    collection_id = collections.create_collection("Made by a test").id
    bases.ensure_base(collection_id=collection_id, name="b")
    return int(Base.objects.get(collection_id=collection_id).pk)


def settled_horizon() -> horizon.Horizon:
    """Once all that was written is within it: the server that runs beside the tests writes in this database, too."""

    def find() -> horizon.Horizon | None:
        seen = horizon.find_horizon()
        return seen if seen.settled == seen.drawn else None

    found = eventually(find, what="something that was written never settled")
    assert found
    return found


def settles(drawn: int) -> None:
    """It comes to there: others who write in this database may hold it up for a moment."""
    eventually(lambda: horizon.find_horizon().settled >= drawn, what="what was drawn never settled")


def test_what_is_committed_is_within_it(base_id: int) -> None:
    with writers(1, base_id) as [writer]:
        for _ in range(3):
            writer.put("a")
            writer.commit()

            assert settled_horizon().drawn > 0


def test_it_stops_below_a_transaction_that_runs_and_goes_on_behind_it(base_id: int) -> None:
    with writers(2, base_id) as [slow, quick]:
        before = settled_horizon()
        slow.put("a")
        # Nobody else has ended since, so that a snapshot ends below the number of this one.
        assert horizon.find_horizon().settled == before.settled
        quick.put("b")
        quick.commit()
        seen = horizon.find_horizon()
        assert seen.settled < before.drawn + 1 <= seen.drawn
        slow.commit()

        settles(seen.drawn)


def test_it_goes_on_behind_one_that_was_taken_back(base_id: int) -> None:
    with writers(2, base_id) as [slow, quick]:
        slow.put("a")
        quick.put("b")
        quick.commit()
        seen = horizon.find_horizon()
        assert seen.settled < seen.drawn
        slow.roll_back()

        settles(seen.drawn)


def test_it_comes_after_however_many_looks_past_a_long_one(base_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(horizon, "_LINES_KEPT", 3)
    monkeypatch.setattr(horizon, "_LOOKS", 1)
    with writers(2, base_id) as [slow, quick]:
        slow.put("a")
        for _ in range(6):
            quick.put("b")
            quick.commit()
            seen = horizon.find_horizon()
            assert seen.settled < seen.drawn
        slow.commit()

        settles(seen.drawn)


def test_writers_that_follow_each_other_without_a_pause_do_not_hold_it_up(base_id: int) -> None:
    with writers(2, base_id) as [one, other]:
        one.put("a")
        first = horizon.find_horizon()
        for writer, next_one in ((one, other), (other, one), (one, other)):
            next_one.put(f"k{id(next_one)}")
            writer.commit()
            horizon.find_horizon()
            one, other = other, one

        settles(first.drawn)
        next_one.commit()


def test_a_database_that_was_restored_is_begun_anew(base_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    known = horizon._Known()
    known._settled = 2**40
    seen = known.find()

    assert seen.settled <= seen.drawn < 2**40


def test_it_waits_until_the_log_is_on_the_disk(base_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a crash takes back is drawn again."""
    before = horizon.find_horizon()
    with writers(1, base_id) as [writer]:
        writer.put("a")
        writer.commit()
    asked = horizon.run_one

    def with_log_in_memory(statement: Any) -> Any:
        found = asked(statement)
        return found._replace(flushed=0) if isinstance(found, Progress) else found

    monkeypatch.setattr(horizon, "run_one", with_log_in_memory)
    seen = horizon.find_horizon()
    assert seen.drawn > before.settled
    assert seen.settled == before.settled
    monkeypatch.undo()
    eventually(lambda: horizon.find_horizon().settled >= seen.drawn)
