"""A process of its own, started by `ignoring.py`: says what the expressions of a `.detaignore` make of paths.

A regular expression can take for ever, and Python gives nobody a turn meanwhile; but a process can be ended. Each line that it
reads is JSON, and so is each that it answers with.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from typing import Any, Optional


def main() -> None:
    rules = _compile(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        _answer([_judge(rules, path, is_folder) for path, is_folder in json.loads(line)])


def _compile(lines: Sequence[tuple[int, str]]) -> list[tuple[Any, bool]]:
    """The expressions, the last first, and whether each includes; the number of a line that is none is the answer."""
    rules = []
    for number, line in lines:
        includes = line.startswith("!")
        try:
            rules.append((re.compile(line[1:] if includes else line), includes))
        except (re.error, OverflowError, RecursionError) as error:
            _answer({"line": number, "why": str(error)})
            sys.exit()
    _answer({})
    return rules[::-1]


def _judge(rules: Sequence[tuple[Any, bool]], path: str, is_folder: bool) -> Optional[bool]:
    """Whether the last line that fits takes the path in; None when no line fits."""
    for expression, includes in rules:
        if expression.search(path) or (includes and is_folder and expression.search(f"{path}/")):
            return includes
    return None


def _answer(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
