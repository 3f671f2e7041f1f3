"""The checker accepts what could have happened and nothing else, and shows what could not."""

from collections.abc import Hashable, Sequence
from itertools import permutations
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.linearizability.checking import IMPOSSIBLE, Operation, is_linearizable
from tests.linearizability.clients import check
from tests.linearizability.items import Ask, Item, Told, changes, prepared, step
from tests.linearizability.telling import shortest_proof, tell

NOBODY = None


def did(asked: Ask, answer: Told | None, began: float, ended: float = inf, client: int = 0) -> Operation:
    return Operation(client, asked, answer, began, ended if answer else inf, changes(asked, answer))


def read(n: int, began: float, ended: float, *, by: str = "a", log: tuple[str, ...] = ()) -> Operation:
    return did(Ask("get"), Told(200, Item(by, n, log)), began, ended)


def put(value: str, began: float, ended: float, revision: str | None = None) -> Operation:
    return did(Ask("put", value), Told(207, None, revision), began, ended)


def gone(began: float, ended: float) -> Operation:
    return did(Ask("get"), Told(404), began, ended)


def added(began: float, ended: float, status: int = 200) -> Operation:
    return did(Ask("increment"), Told(status), began, ended)


def inserted(value: str, began: float, ended: float, status: int = 201) -> Operation:
    return did(Ask("insert", value), Told(status), began, ended)


def replaced(value: str, revision: str, began: float, ended: float, status: int = 207) -> Operation:
    made = f"{revision} and {value}" if status == 207 else None
    return did(Ask("replace", value, revision), Told(status, None, made), began, ended)


def unheard(ask: Ask, began: float) -> Operation:
    return did(ask, NOBODY, began)


GOOD: dict[str, list[Operation]] = {
    "nothing": [],
    "one after the other": [
        put("a", 0, 1),
        added(2, 3),
        read(1, 4, 5),
        did(Ask("delete"), Told(200), 6, 7),
        gone(8, 9),
    ],
    "a read beside a write sees the old": [put("a", 0, 1), put("b", 2, 9), read(0, 3, 4)],
    "a read beside a write sees the new": [put("a", 0, 1), put("b", 2, 9), read(0, 3, 4, by="b")],
    "two increments at once": [put("a", 0, 1), added(2, 5), added(3, 4), read(2, 6, 7)],
    "the second of two inserts at once is first": [
        inserted("a", 0, 5, 409),
        inserted("b", 1, 2),
        read(0, 6, 7, by="b"),
    ],
    "what nobody heard of happened": [put("a", 0, 1), unheard(Ask("increment"), 2), read(1, 3, 4)],
    "what nobody heard of did not happen": [put("a", 0, 1), unheard(Ask("increment"), 2), read(0, 3, 4)],
    "it happened later, between two reads": [
        *(put("a", 0, 1), unheard(Ask("put", "b"), 2), read(0, 3, 4), read(0, 50, 51, by="b")),
    ],
    "of two nobody heard of, the later one happened": [
        *(put("a", 0, 1), unheard(Ask("put", "b"), 2), unheard(Ask("append", "x"), 3), read(0, 5, 6, log=("x",))),
    ],
    "one of two writers from one revision": [
        *(put("a", 0, 1, "7"), replaced("b", "7", 2, 5, 412), replaced("c", "7", 3, 4), read(0, 6, 7, by="c")),
    ],
    "a deletion that nobody heard of lets an insert in": [
        *(put("a", 0, 1), unheard(Ask("delete"), 2), inserted("b", 8, 9), read(0, 10, 11, by="b")),
    ],
}
BAD: dict[str, list[Operation]] = {
    "stale read": [put("a", 0, 1), put("b", 2, 3), read(0, 4, 5)],
    "a value nobody wrote": [put("a", 0, 1), read(0, 2, 3, by="z")],
    "lost update": [put("a", 0, 1), did(Ask("set", "b"), Told(200), 2, 3), added(4, 5), read(1, 6, 7)],
    "increment lost": [put("a", 0, 1), added(2, 5), added(3, 4), read(1, 6, 7)],
    "increment made twice": [put("a", 0, 1), unheard(Ask("increment"), 2), read(2, 3, 4)],
    "duplicate insert": [inserted("a", 0, 5), inserted("b", 1, 4)],
    "insert refused by nothing": [inserted("a", 0, 1, 409)],
    "back in time": [put("a", 0, 1), put("b", 2, 9), read(0, 3, 4, by="b"), read(0, 5, 6)],
    "acknowledged and gone": [put("a", 0, 1), gone(2, 3)],
    "acknowledged, and only what nobody heard of is there": [
        *(unheard(Ask("put", "b"), 0), put("a", 1, 2), read(0, 3, 4, by="b"), read(0, 5, 6)),
    ],
    "happened before it was asked for": [put("a", 0, 1), read(1, 2, 3), unheard(Ask("increment"), 4)],
    "appended in two orders": [
        *(put("a", 0, 1), did(Ask("append", "x"), Told(200), 2, 9), did(Ask("append", "y"), Told(200), 2, 9)),
        *(read(0, 10, 11, log=("x", "y")), read(0, 12, 13, log=("y", "x"))),
    ],
    "both of two writers from one revision": [
        *(put("a", 0, 1, "7"), replaced("b", "7", 2, 5), replaced("c", "7", 3, 4)),
    ],
    "the revision that a writer was given is another one's state": [
        *(unheard(Ask("put", "b"), 0), put("a", 1, 2, "7"), unheard(Ask("put", "a"), 3)),
        *(
            did(Ask("get"), Told(200, Item("a", 0, (), "8")), 5, 6),
            did(Ask("get"), Told(200, Item("a", 0, (), "7")), 7, 8),
        ),
    ],
    "none of two writers from one revision": [
        *(put("a", 0, 1, "7"), replaced("b", "7", 2, 5, 412), replaced("c", "7", 3, 4, 412)),
    ],
}


@pytest.mark.parametrize("history", GOOD.values(), ids=GOOD)
def test_accepts_what_could_have_happened(history: list[Operation]) -> None:
    assert is_linearizable(history, step)
    assert is_linearizable(prepared(history), step)
    check("k", history)


@pytest.mark.parametrize("history", BAD.values(), ids=BAD)
def test_rejects_what_could_not(history: list[Operation]) -> None:
    assert not is_linearizable(prepared(history), step)
    assert not is_linearizable(shortest_proof(prepared(history), step), step)
    with pytest.raises(AssertionError, match="No order explains the last of these"):
        check("k", history)


def test_shows_the_few_operations_that_prove_it() -> None:
    around = [added(2 * number, 2 * number + 1, 404) for number in range(20)]
    after = [put("c", 200, 201), read(0, 202, 203, by="c")]
    told = tell("k", shortest_proof([*around, put("a", 100, 101), put("b", 102, 103), read(0, 104, 105), *after], step))
    assert told.splitlines() == [
        "The key 'k', in milliseconds:",
        "      0.0 -    1000.0  client  0  put a -> 207",
        "   2000.0 -    3000.0  client  0  put b -> 207",
        "   4000.0 -    5000.0  client  0  get -> 200 by=a n=0 log=",
    ]


def test_many_requests_that_nobody_heard_of_are_soon_looked_through() -> None:
    lost = [unheard(Ask("put", f"lost {number}"), 1.5) for number in range(60)]
    seen = [read(0, 10 + number, 10.5 + number, by=f"lost {number}") for number in range(0, 60, 7)]
    check("k", [put("a", 0, 1), *lost, *seen])
    with pytest.raises(AssertionError, match="No order explains"):
        check("k", [put("a", 0, 1), *lost, *seen, read(0, 100, 101)])


# A counter that may be read, set and counted up, whose answers are drawn: few are possible.


def count(state: Hashable, operation: Operation) -> Hashable:
    assert isinstance(state, int)
    verb, value = operation.asked
    if verb == "read":
        return state if operation.answer in (None, state) else IMPOSSIBLE
    return value if verb == "write" else state + 1


@st.composite
def histories(draw: Any) -> list[Operation]:
    found = []
    for client in range(draw(st.integers(1, 5))):
        asked = draw(st.sampled_from([("read", 0), ("write", 1), ("write", 2), ("add", 0)]))
        began = draw(st.integers(0, 6))
        is_heard = draw(st.integers(0, 3)) > 0
        answer = draw(st.integers(0, 3)) if is_heard else None
        ended = began + draw(st.integers(1, 5)) if is_heard else inf
        found.append(Operation(client, asked, answer, began, ended, asked[0] != "read"))
    return found


def is_possible(history: Sequence[Operation]) -> bool:
    """By trying every order of every choice."""
    known = [each for each in history if each.is_known]
    unknown = [each for each in history if not each.is_known]
    for chosen in range(1 << len(unknown)):
        happened = known + [each for place, each in enumerate(unknown) if chosen >> place & 1]
        for order in permutations(happened):
            if any(later.ended < earlier.began for place, earlier in enumerate(order) for later in order[place + 1 :]):
                continue
            state: Hashable = 0
            for each in order:
                state = count(state, each)
                if state is IMPOSSIBLE:
                    break
            else:
                return True
    return False


@settings(max_examples=150)
@given(history=histories())
def test_says_what_trying_every_order_says(history: list[Operation]) -> None:
    assert is_linearizable(history, count, 0) == is_possible(history)


@settings(max_examples=40)
@given(history=histories().filter(lambda history: not is_possible(history)))
def test_what_is_shown_is_no_less_impossible(history: list[Operation]) -> None:
    shown = shortest_proof(history, count, 0)
    assert not is_possible(shown)
    assert len(shown) <= len(history)


@st.composite
def item_histories(draw: Any) -> list[Operation]:
    """Mostly made by a simulation, so that many are possible; then some answers are exchanged."""
    state: Hashable = None
    found = []
    now = 0.0
    for number in range(draw(st.integers(1, 7))):
        verb = draw(st.sampled_from(["put", "set", "append", "increment", "delete", "insert", "get"]))
        ask = Ask(verb, f"{number}" if verb in ("put", "set", "append", "insert") else "")
        now += 1
        happens = draw(st.integers(0, 4)) > 0
        answer = answer_to(state, ask)
        if happens:
            state = step(state, did(ask, answer, now, now))
        if draw(st.integers(0, 9)) == 0:
            answer = Told(200, Item(f"{draw(st.integers(0, 6))}", 0, ()))
        is_heard = happens and draw(st.integers(0, 4)) > 0
        began, ended = now - draw(st.floats(0, 3)), now + draw(st.floats(0, 3))
        found.append(did(ask, answer if is_heard else None, began, ended))
    return found


def answer_to(state: Hashable, ask: Ask) -> Told:
    if ask.verb == "get" and isinstance(state, Item):
        return Told(200, state)
    statuses = {"put": 207, "delete": 200, "insert": 201 if state is None else 409}
    return Told(statuses.get(ask.verb, 404 if state is None else 200))


@settings(max_examples=150)
@given(history=item_histories())
def test_a_prepared_history_is_as_easy_to_explain(history: list[Operation]) -> None:
    assert is_linearizable(prepared(history), step) == is_linearizable(history, step)
