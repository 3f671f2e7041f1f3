"""Of a history that no order explains, the few operations that show it."""

from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import replace
from math import inf

from tests.linearizability.checking import Operation, Step, TooManyOrders, is_linearizable


def shortest_proof(operations: Sequence[Operation], step: Step, state: Hashable = None) -> list[Operation]:
    """The fewest operations found that no order explains, the last of which is the one that cannot be explained.

    The others are no excuse for it: at whatever moment they happened, or if they did not, there is no order.
    """
    known = sorted(each.ended for each in operations if each.is_known)
    low, high = 0, len(known) - 1
    while low < high:
        middle = (low + high) // 2
        if is_linearizable(_until(operations, known[middle]), step, state):
            low = middle + 1
        else:
            high = middle
    left = _until(operations, known[low])
    last = max((each for each in left if each.is_known), key=lambda each: each.ended)
    for each in left.copy():
        if each is not last and each.is_known:
            weaker = [_unheard(other) if other is each else other for other in left]
            left = weaker if _is_impossible(weaker, step, state) else left
    for each in [each for each in left if not each.is_known]:
        # What explains the others is left in.
        without = [other for other in left if other is not each]
        if not _is_impossible([_unheard(other) if other is last else other for other in without], step, state):
            left = without
    return sorted(left, key=lambda each: (each is last, each.began))


def _is_impossible(operations: Sequence[Operation], step: Step, state: Hashable) -> bool:
    """As far as that can be found out."""
    with suppress(TooManyOrders):
        return not is_linearizable(operations, step, state)
    return False


def _unheard(operation: Operation) -> Operation:
    return replace(operation, answer=None, ended=inf)


def _until(operations: Sequence[Operation], moment: float) -> list[Operation]:
    """What was known at that moment."""
    return [each if each.ended <= moment else _unheard(each) for each in operations if each.began <= moment]


def tell(key: str, operations: Sequence[Operation]) -> str:
    """A history as lines, with times since its beginning."""
    start = min(each.began for each in operations)
    lines = [f"The key {key!r}, in milliseconds:"]
    for each in operations:
        ended = f"{(each.ended - start) * 1000:9.1f}" if each.is_known else "  whenever"
        answer = each.answer if each.is_known else "nobody knows"
        began = f"{(each.began - start) * 1000:9.1f}"
        lines.append(f"{began} - {ended}  client {each.client:2}  {each.asked} -> {answer}")
    return "\n".join(lines)
