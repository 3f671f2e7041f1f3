"""How much memory a tree of processes has, where no control group counts it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def memory_bytes(pid: int) -> int:
    """The memory of this process and all below it: what is shared by several counts once among them. 0 when it is gone."""
    return sum(_of_one(each) for each in _tree(pid))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in _listed(_PROC / str(pid) / "task"):
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _listed(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return list(folder.iterdir())
    return []


def _of_one(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
