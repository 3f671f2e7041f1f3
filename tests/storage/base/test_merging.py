"""Three-way merges of single items, without a database."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.base.merging import Edit, merge_edit
from storage.errors import InvalidInput

LOADED = {"a": "1", "b": '"x"', "c": "[1, 2]"}


def edit(**given: Any) -> Edit:
    return Edit("1", "k", given.pop("revision", 7), **given)


@pytest.mark.parametrize(
    "change, members, revision, merged, theirs",
    [
        # Nobody was there in between.
        (edit(loaded={"a": "1"}, set={"a": "2"}), LOADED, 7, {**LOADED, "a": "2"}, {}),
        (edit(loaded={"d": None}, set={"d": "null"}), LOADED, 7, {**LOADED, "d": "null"}, {}),
        (edit(loaded={"b": '"x"'}, unset=("b",)), LOADED, 7, {"a": "1", "c": "[1, 2]"}, {}),
        (edit(set={"a": "2"}), LOADED, 7, {**LOADED, "a": "2"}, {}),
        (edit(), LOADED, 7, LOADED, {}),
        # Others changed something else.
        (
            edit(loaded={"a": "1"}, set={"a": "2"}),
            {**LOADED, "b": '"y"'},
            8,
            {"a": "2", "b": '"y"', "c": "[1, 2]"},
            {},
        ),
        (
            edit(loaded={"a": "1"}, set={"a": "2"}),
            {"a": "1", "new": "true"},
            8,
            {"a": "2", "new": "true"},
            {},
        ),
        # Others did the same already.
        (edit(loaded={"a": "1"}, set={"a": "2"}), {"a": "2"}, 8, {"a": "2"}, {}),
        (edit(loaded={"b": '"x"'}, unset=("b",)), {"a": "1"}, 8, {"a": "1"}, {}),
        (
            edit(loaded={"c": "[1]"}, set={"c": '{"x":1,"y":2}'}),
            {"c": '{"y": 2, "x": 1}'},
            8,
            {"c": '{"x":1,"y":2}'},
            {},
        ),
        # Others changed the same to something else; the rest of the edit is not applied either.
        (edit(loaded={"a": "1", "b": '"x"'}, set={"a": "2", "b": '"z"'}), {**LOADED, "a": "3"}, 8, None, {"a": "3"}),
        (edit(loaded={"a": "1"}, set={"a": "2"}), {"b": '"x"'}, 8, None, {"a": None}),
        (edit(loaded={"d": None}, set={"d": "1"}), {"d": "2"}, 8, None, {"d": "2"}),
        (edit(loaded={"a": "1"}, unset=("a",)), {"a": "2"}, 8, None, {"a": "2"}),
        # The loaded value counts even where the revision has not changed.
        (edit(loaded={"a": "0"}, set={"a": "2"}), LOADED, 7, None, {"a": "1"}),
        # Without a loaded value, the revision decides.
        (edit(set={"a": "2"}), LOADED, 8, None, {"a": "1"}),
        # Digits are a change: 1 is not 1.0, nor true, nor "1".
        (edit(loaded={"a": "1"}, set={"a": "2"}), {"a": "1.0"}, 8, None, {"a": "1.0"}),
        (edit(loaded={"a": "1"}, set={"a": "2"}), {"a": "true"}, 8, None, {"a": "true"}),
        (edit(loaded={"a": "1"}, set={"a": "2"}), {"a": '"1"'}, 8, None, {"a": '"1"'}),
        # But Postgres writes the same number in one way only.
        (edit(loaded={"a": "1e2"}, set={"a": "2"}), {"a": "100"}, 8, {"a": "2"}, {}),
    ],
)
def test_merge(change: Edit, members: dict[str, str], revision: int, merged: Any, theirs: Any) -> None:
    assert merge_edit(change, members=members, revision=revision) == (merged, theirs)


@pytest.mark.parametrize(
    "change",
    [
        edit(set={"key": '"other"'}),
        edit(unset=("key",)),
        edit(set={"a": "{bad"}),
        edit(set={"a": ""}),
        edit(set={"a": "NaN"}),
    ],
)
def test_what_no_item_can_take_is_refused(change: Edit) -> None:
    with pytest.raises(InvalidInput):
        merge_edit(change, members=LOADED, revision=7)


_texts = st.sampled_from(["1", "1.0", "true", '"1"', "null", "[]", '{"a": 1}'])
_members = st.dictionaries(st.sampled_from("abcd"), _texts)


@settings(max_examples=400, derandomize=True, database=None)
@given(_members, _members, _members)
def test_merge_keeps_everybodys_changes_or_none_of_the_edit(
    loaded: dict[str, str], mine: dict[str, str], theirs: dict[str, str]
) -> None:
    touched = [name for name in "abcd" if loaded.get(name) != mine.get(name)]
    change = Edit(
        "1",
        "k",
        1,
        {name: loaded.get(name) for name in touched},
        {name: mine[name] for name in touched if name in mine},
        tuple(name for name in touched if name not in mine),
    )

    merged = merge_edit(change, members=theirs, revision=2)

    clashes = {name: theirs.get(name) for name in touched if theirs.get(name) not in (loaded.get(name), mine.get(name))}
    assert merged.theirs == clashes
    if clashes:
        assert merged.members is None
    else:
        kept = {name: text for name, text in theirs.items() if name not in touched}
        assert merged.members == kept | {name: mine[name] for name in touched if name in mine}
