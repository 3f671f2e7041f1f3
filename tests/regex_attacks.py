"""Hostile texts for a regular expression, made from itself.

Whatever it repeats is repeated as often as the length allows, behind what has to stand before it, and followed by something that
makes the match fail: that is what backtracking takes longest over.
"""

import math
import os
import re
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any

# Python's own reading of a pattern, of which its types say nothing.
constants: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

SECONDS = 2
# For millions of characters: the slowest of those that are linear takes 1.8 s for eight of them, and on a slower machine more.
_MILLIONS_SECONDS = 8
# For all attacks on one pattern: what each just ends in time of is not linear either.
_TOGETHER_SECONDS = 10
_REPEATS = (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT)
_CLASSES = {
    constants.CATEGORY_DIGIT: "0",
    constants.CATEGORY_NOT_DIGIT: "a",
    constants.CATEGORY_SPACE: " ",
    constants.CATEGORY_NOT_SPACE: "a",
    constants.CATEGORY_WORD: "a",
    constants.CATEGORY_NOT_WORD: " ",
}
_TRIED = "aA0 _-.\t\n\"'<>/\\{}[]():;,=#%&\x00\x7fé"
_ENDS = ("", "!", "\x00", "\n", "x")
# What has brought down others: comments, spaces at an end, nested quotes, escapes, numbers, marks of every format.
BY_HAND = (
    *(
        "<!---->",
        "<!--",
        "<!DOCTYPE>",
        "<?xml?>",
        " ",
        "\t\n",
        "\n",
        "a",
        "0",
        "a ",
        "a,",
        ",",
        '"',
        "'",
        '\\"',
        "\\",
        "/*",
    ),
    *(
        "//",
        "#",
        "{",
        "[",
        "(",
        "1,",
        "a=",
        "a:",
        "%2",
        "%25",
        "_",
        "a_",
        "cookie",
        "cookie ",
        "cookie=",
        "x-api-key: ",
    ),
    *(
        '"a":',
        "=",
        ":",
        "--",
        "-",
        ".",
        "..",
        "/",
        "./",
        "e",
        "1e",
        "1.",
        "node-fetch",
        "/A#41",
        "/",
        "1 0 obj ",
        "é",
        "\x00",
    ),
)
_VARIANTS_MAX = 12
_REPEATED_MAX = 30
# All attacks are tried at this length, in characters, and those that took longest at the greatest as well: whose time grows by
# the square of it is far ahead of all others here already.
_TRIED_AT = 8_192
_TRIED_AGAIN = 3
# What takes so many times as long for its length there as here is not linear, however quick it is at each character. Of what
# takes less than this many seconds of processor time the clock says too little, and of millions of characters the caches have
# their say. Each pattern is tried at no more than this as well.
_TIMES_AS_LONG = 3
_TELLING_SECONDS = 0.2
_COMPARED_TO = 65_536


def attack(pattern: str | bytes, flags: int, longest: int) -> Iterator[str]:
    """Texts of at most this length; for a pattern of bytes, one character for each."""
    seen: set[tuple[str, str, str]] = set()
    tree = parser.parse(pattern, flags)
    whole = _samples(tree)
    repeated = list(dict.fromkeys(_repeated(tree, [""])))[:_REPEATED_MAX]
    pairs: list[tuple[str, str, tuple[str, ...]]] = [(before, pump, _ENDS) for before, pump in repeated]
    pairs += [("", before + pump, _ENDS[:2]) for before, pump in repeated]
    pairs += [("", part, _ENDS[:2]) for sample in whole for part in (sample, sample[:-1])]
    pairs += [("", pump, _ENDS[1:2]) for pump in BY_HAND]
    for before, pump, ends in pairs:
        if not pump or len(before) + len(pump) > longest:
            continue
        for end in ends:
            if (before, pump, end) not in seen:
                seen.add((before, pump, end))
                yield before + pump * ((longest - len(before) - len(end)) // len(pump)) + end


def _repeated(tree: Any, before: list[str]) -> Iterator[tuple[str, str]]:
    """What may stand before each repetition, and what it repeats."""
    for operation, argument in tree:
        inner = _inner(operation, argument)
        for part in inner:
            yield from _repeated(part, before)
        if operation in _REPEATS:
            for start in before[:2]:
                pumps = _samples(argument[2])
                yield from ((start, pump) for pump in pumps)
                yield from ((start, one + other) for one in pumps[:4] for other in pumps[:4] if one != other)
        before = _joined(before, _samples([(operation, argument)]))


def _inner(operation: Any, argument: Any) -> list[Any]:
    if operation in _REPEATS:
        return [argument[2]]
    if operation is constants.SUBPATTERN:
        return [argument[3]]
    if operation is constants.ATOMIC_GROUP:
        return [argument]
    if operation is constants.BRANCH:
        return list(argument[1])
    if operation in (constants.ASSERT, constants.ASSERT_NOT):
        return [argument[1]]
    return []


def _samples(tree: Any) -> list[str]:
    """A few texts that these parts match; look-arounds are left out, so some do not match after all."""
    made = [""]
    for operation, argument in tree:
        if operation is constants.LITERAL:
            found = [chr(argument)]
        elif operation is constants.NOT_LITERAL:
            found = [each for each in _TRIED if ord(each) != argument][:2]
        elif operation is constants.ANY:
            found = ["a", " "]
        elif operation is constants.IN:
            found = _members(argument)
        elif operation in _REPEATS:
            fewest, _, part = argument
            inner = _samples(part)
            found = [each * max(fewest, 1) for each in inner] + ([""] if fewest == 0 else [])
        elif operation in (constants.SUBPATTERN, constants.ATOMIC_GROUP, constants.BRANCH):
            found = [each for part in _inner(operation, argument) for each in _samples(part)]
        else:
            found = [""]
        made = _joined(made, found)
    return made


def _members(argument: list[Any]) -> list[str]:
    """Characters of a class: its own first, else those of the usual ones that it does not exclude."""
    own = [_first(each) for each in argument if each[0] is not constants.NEGATE]
    if argument[0][0] is not constants.NEGATE:
        return list(dict.fromkeys(own))[:4]
    excluded = re.compile(f"[{''.join(re.escape(each) for each in own)}]")
    return [each for each in _TRIED if not excluded.match(each)][:4]


def _first(member: Any) -> str:
    operation, argument = member
    if operation is constants.RANGE:
        return chr(argument[0])
    if operation is constants.CATEGORY:
        return _CLASSES[argument]
    return chr(argument)


def _joined(starts: Iterable[str], ends: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(start + end for start in starts for end in ends))[:_VARIANTS_MAX]


def ended_early(pattern: str | bytes, flags: int, methods: Sequence[str], longest: int) -> str:
    """The first text that takes more than 2 s of processor time, of millions of characters 8 s, or more than its length explains.

    Empty when none does. The texts are tried by a process that the system ends then; it says beforehand which text is next.
    """
    made = re.compile(pattern, flags)
    told, tell = os.pipe()
    if (process := os.fork()) == 0:
        _try_all(made, flags, methods, longest, lambda text: os.write(tell, f"{text}\n".encode()))
        os._exit(0)
    os.close(tell)
    with os.fdopen(told) as lines:
        last = "".join(lines).rpartition("\n")[0].rpartition("\n")[2]
    return f"{', '.join(methods)} of {last}" if os.waitpid(process, 0)[1] != 0 else ""


def _try_all(made: Any, flags: int, methods: Sequence[str], longest: int, tell: Callable[[str], object]) -> None:
    taken: list[tuple[float, int]] = []
    for number, text in enumerate(attack(made.pattern, flags, min(longest, _TRIED_AT))):
        tell(_described(text))
        taken.append((_seconds(made, methods, text), number))
        if sum(seconds for seconds, _ in taken) > _TOGETHER_SECONDS:
            os._exit(1)
    if longest > _TRIED_AT:
        worst = {number: seconds for seconds, number in sorted(taken, reverse=True)[:_TRIED_AGAIN]}
        for number, text in enumerate(attack(made.pattern, flags, longest)):
            if number in worst:
                tell(_described(text))
                explained = _TIMES_AS_LONG * worst[number] * longest / _TRIED_AT
                taking = _seconds(made, methods, text)
                if longest <= _COMPARED_TO and taking > max(explained, _TELLING_SECONDS):
                    os._exit(1)


def _described(text: str) -> str:
    return f"{text[:40]!r} ... {text[-20:]!r}, {len(text)} characters"


def _seconds(made: Any, methods: Sequence[str], text: str) -> float:
    """The processor time for one text. Beyond its limit this process ends, by the system, in whole seconds, or itself."""
    most = SECONDS if len(text) <= _COMPARED_TO else _MILLIONS_SECONDS
    began = time.process_time()
    ends_at = math.ceil(began) + most
    resource.setrlimit(resource.RLIMIT_CPU, (ends_at, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    tried = text.encode("latin-1", "replace") if isinstance(made.pattern, bytes) else text
    for method in methods:
        _use(made, method, tried)
    if (taken := time.process_time() - began) > most:
        os._exit(1)
    return taken


def _use(made: Any, method: str, text: Any) -> None:
    if method in ("sub", "subn"):
        made.sub(text[:0], text)
    elif method == "finditer":
        for _ in made.finditer(text):
            pass
    else:
        getattr(made, method)(text)
