"""What a sync has to do: files here against files there. Nothing is sent or written."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Optional, Union

from deta.cli.drives import local_files
from deta.cli.drives.hashes import hash_file
from deta.cli.drives.local_files import Folder, LocalFile

_THREADS = 4


@dataclass(frozen=True)
class RemoteFile:
    """A file of a Drive. `parts` are lengths in bytes with how many parts of it follow one another."""

    name: str
    size: int
    hash: str
    parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Step:
    """A file to send or fetch. `is_new`: there is none yet where it goes."""

    name: str
    size: int
    is_new: bool


@dataclass
class Plan:
    """The steps, the names to delete, how many files are the same, and the names left out with the reason of each.

    What is `refused` somebody may miss; what is `skipped` nobody means to move.
    """

    steps: list[Step] = field(default_factory=list)
    deletions: list[str] = field(default_factory=list)
    same: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(step.size for step in self.steps)


def plan_up(here: Folder, there: dict[str, RemoteFile], *, delete: bool) -> Plan:
    """From the disk to the Drive."""
    plan = Plan(refused=dict(here.refused), skipped=dict(here.skipped))
    _compare(plan, here.files.values(), here.files, there)
    if delete:
        plan.deletions = [name for name in there if name not in here.files and not here.covers(name)]
    return plan


def plan_down(
    here: Folder, there: dict[str, RemoteFile], *, delete: bool, folds_names: bool = sys.platform in ("darwin", "win32")
) -> Plan:
    """From the Drive to the disk. Names that no file may have are refused; `folds_names`: the disk takes `A` and `a` for one."""
    unsafe = {name: why for name in there if (why := local_files.why_unsafe(name))}
    doubles = local_files.find_double(name for name in there if name not in unsafe)
    unsafe.update({name: f"“{other}” needs a folder of that name" for name, other in doubles.items()})
    if folds_names:
        alike = local_files.find_alike(name for name in there if name not in unsafe)
        unsafe.update({name: f"this disk takes it for “{other}”" for name, other in alike.items()})
    plan = Plan(refused=unsafe)
    _compare(plan, (file for name, file in there.items() if name not in unsafe), here.files, there)
    if delete:
        plan.deletions = [name for name in here.files if name not in there]
    return plan


def _compare(
    plan: Plan, wanted: Iterable[Union[LocalFile, RemoteFile]], here: dict[str, LocalFile], there: dict[str, RemoteFile]
) -> None:
    doubtful: list[str] = []
    for file in wanted:
        name, size = file.name, file.size
        one, other = here.get(name), there.get(name)
        if one is not None and other is not None and one.size == other.size:
            doubtful.append(name)
        else:
            plan.steps.append(Step(name, size, is_new=one is None or other is None))
    with ThreadPoolExecutor(_THREADS) as threads:
        for name, is_same in zip(doubtful, threads.map(lambda name: _is_same(here[name], there[name]), doubtful)):
            if is_same is None:
                plan.refused[name] = "it cannot be read"
            elif is_same:
                plan.same += 1
            else:
                plan.steps.append(Step(name, there[name].size, is_new=False))
    plan.steps.sort(key=lambda step: step.name)


def _is_same(here: LocalFile, there: RemoteFile) -> Optional[bool]:
    """None when the file cannot be read."""
    try:
        return hash_file(here.path, there.parts) == there.hash
    except OSError:
        return None
