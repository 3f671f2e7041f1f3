"""What a Micro asks to be run by: `python3.9`, `nodejs14.x` and the like, the original's names included. Pure.

What really runs it is the host's to say (`Built.runs_on`).
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from storage.errors import InvalidInput

Kind = Literal["python", "node"]

_ASKED = re.compile(r"(python|nodejs|node\.js|node)[ -]?v?(\d{1,3}(?:\.\d{1,3}){0,2})?(?:\.x)?", re.ASCII)


class Runtime(NamedTuple):
    """`version` is empty when any will do."""

    kind: Kind
    version: str

    def __str__(self) -> str:
        return self.kind + self.version

    @property
    def label(self) -> str:
        """For people: `Python 3.9`."""
        return f"{'Python' if self.kind == 'python' else 'Node.js'} {self.version}".strip()


def read_runtime(text: str) -> Runtime:
    """What a name means. Raises InvalidInput for anything but Python and Node."""
    asked = _ASKED.fullmatch(text.strip().lower())
    if asked is None:
        raise InvalidInput(f"“{text[:100]}” is no runtime: write python, python3.11, nodejs or nodejs20, for example")
    return Runtime("python" if asked[1] == "python" else "node", asked[2] or "")


def choose_release(asked: Runtime, releases: Sequence[str]) -> str:
    """Of what a host can run (`Python 3.11.7`), what it would take: the version asked for, else the next newer, else the newest.

    Where any version will do, the first; empty when there is none of this kind.
    """
    name = "Python " if asked.kind == "python" else "Node.js "
    fitting = [(_numbers(each.removeprefix(name)), each) for each in releases if each.startswith(name)]
    if not fitting:
        return ""
    wanted = _numbers(asked.version)
    if not wanted:
        return fitting[0][1]
    same = [each for numbers, each in fitting if numbers[: len(wanted)] == wanted]
    newer = [each for numbers, each in sorted(fitting) if numbers[: len(wanted)] > wanted]
    return (same or newer or [max(fitting)[1]])[0]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
