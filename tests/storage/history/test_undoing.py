"""How one writer's changes are taken back: case by case, and as a property."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.history.undoing import State, Step, Undone, Written, find_step, take_back

ADA = {"name": '"Ada"', "age": "36"}
OLDER = {"name": '"Ada"', "age": "37"}
RENAMED = {"name": '"Ada L."', "age": "36"}


def changes(*steps: tuple[str, State], start: State = None) -> list[Written]:
    """Steps of who (`w` is the writer) and what the item became."""
    made, before = [], start
    for who, after in steps:
        made.append(Written(who == "w", before, after))
        before = after
    return made


CASES: dict[str, tuple[State, list[tuple[str, State]], Step | None]] = {
    "nothing of the writer's": (ADA, [("o", OLDER)], None),
    "a changed attribute": (ADA, [("w", OLDER)], Step("edit", {"age": "36"}, {"age": "37"})),
    "an attribute that was added": (
        ADA,
        [("w", {**ADA, "vip": "true"})],
        Step("edit", {"vip": None}, {"vip": "true"}),
    ),
    "an attribute that was removed": (ADA, [("w", {"age": "36"})], Step("edit", {"name": '"Ada"'}, {"name": None})),
    "several changes": (ADA, [("w", OLDER), ("w", RENAMED)], Step("edit", {"name": '"Ada"'}, {"name": '"Ada L."'})),
    "back and forth": (ADA, [("w", OLDER), ("w", ADA)], Step("leave")),
    "a new item": (None, [("w", ADA), ("w", OLDER)], Step("delete")),
    "a deleted item": (ADA, [("w", None)], Step("add", ADA)),
    "changed, then deleted": (ADA, [("w", OLDER), ("w", None)], Step("add", ADA)),
    "deleted and made again": (ADA, [("w", None), ("w", OLDER)], Step("edit", {"age": "36"}, {"age": "37"})),
    "others changed something else": (
        ADA,
        [("w", OLDER), ("o", {**OLDER, "name": '"A."'})],
        Step("edit", {"age": "36"}, {"age": "37"}),
    ),
    "others changed the same": (
        ADA,
        [("w", OLDER), ("o", {**ADA, "age": "99"})],
        Step("edit", {"age": "36"}, {"age": "37"}, {"age": "99"}),
    ),
    "others undid it": (ADA, [("w", OLDER), ("o", ADA)], Step("leave")),
    "others between": (
        ADA,
        [("w", OLDER), ("o", {**ADA, "age": "50"}), ("w", {**ADA, "age": "51"})],
        Step("edit", {"age": "50"}, {"age": "51"}),
    ),
    "others changed a new item": (None, [("w", ADA), ("o", OLDER)], Step("conflict")),
    "others deleted it": (ADA, [("w", OLDER), ("o", None)], Step("conflict")),
    "others made it again": (ADA, [("w", None), ("o", OLDER)], Step("conflict")),
}


@pytest.mark.parametrize("case", CASES)
def test_undoing_says_what_each_item_takes(case: str) -> None:
    start, steps, expected = CASES[case]
    undone = take_back(changes(*steps, start=start))
    assert (find_step(undone, steps[-1][1]) if undone else None) == expected


states = st.none() | st.dictionaries(st.sampled_from("abc"), st.sampled_from("123"), max_size=3)


@given(states, st.lists(st.tuples(st.sampled_from("wo"), states), min_size=1, max_size=6))
def test_undoing_keeps_what_others_did_and_ends(start: State, steps: list[tuple[str, State]]) -> None:
    """With nobody else in it the item becomes what it was; done once, nothing is left to do."""
    now = steps[-1][1]
    undone = take_back(changes(*steps, start=start))
    if undone is None:
        assert all(who == "o" for who, _ in steps)
        return
    step = find_step(undone, now)
    if all(who == "w" for who, _ in steps):
        assert apply(step, now) == start
        assert not step.clashing
    if step.way in ("edit", "add", "delete") and not step.clashing:
        assert find_step(Undone(undone.wanted, undone.left), apply(step, now)).way == "leave"
    if step.way == "edit":
        assert now is not None
        assert {name: now.get(name) for name in step.item} == {**step.loaded, **step.clashing}


def apply(step: Step, now: State) -> State:
    if step.way == "delete":
        return None
    if step.way not in ("add", "edit"):
        return now
    before: Mapping[str, str] = now or {}
    after = {**before, **step.item}
    return {name: text for name, text in after.items() if text is not None}
