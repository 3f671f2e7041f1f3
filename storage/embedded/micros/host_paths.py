"""This machine's paths in what is told of a Micro: who may read its log need not learn where the server keeps things.

What can be seen inside a sandbox gets the name that it has there, a Python `/python`, and all else of ours three dots.
"""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from storage.embedded.micros import sandbox
from storage.embedded.micros.places import Places
from storage.embedded.micros.programs import Programs, Python
from storage.micro_host import Wanted

PYTHON = "/python"
_NOWHERE = "…"
# What every machine has: nothing is learned from it, and inside it is the same.
_SYSTEM = (Path("/usr"), Path("/usr/local"))


class HostPaths:
    """Of a machine whose Micros have their files in `places`; before it is known what they run with, no `programs`."""

    def __init__(self, places: Places, programs: Programs | None = None) -> None:
        self._places = places
        self._names = {places.root: _NOWHERE, Path(sys.prefix): _NOWHERE}
        if programs is not None:
            self._names |= {programs.node: sandbox.NODE, programs.uv: sandbox.UV}
            self._names |= {programs.runtimes: sandbox.RUNTIMES, programs.etc: "/etc"}
            self.add_python(programs.python)

    def add_python(self, python: Python) -> None:
        """Another one that Micros run on, whose folder is its own."""
        self._names = self._names | {python.prefix: PYTHON, python.folder: PYTHON}

    def hiding(self, wanted: Wanted | None = None) -> Callable[[str], str]:
        """The same as `hide`, for whoever tells more than once."""
        return partial(self.hide, wanted=wanted)

    def hide(self, text: str, wanted: Wanted | None = None) -> str:
        """The text without them. Of the deployment in `wanted`, code and dependencies are called as they are inside."""
        if "/" not in text:
            return text
        names = dict(self._names)
        if wanted is not None:
            names[self._places.code(wanted.deployment_id)] = sandbox.APP
            if wanted.dependencies_id is not None:
                names[self._places.dependencies(wanted.dependencies_id)] = sandbox.DEPENDENCIES
        for path in _longest_first(names):
            text = text.replace(str(path), names[path])
        return text


def _longest_first(paths: Iterable[Path]) -> list[Path]:
    """Of a folder and what lies in it, the latter is found first."""
    return sorted((path for path in paths if path not in _SYSTEM), key=lambda path: -len(str(path)))
