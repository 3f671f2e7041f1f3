"""Control groups: how much memory, how many processes and what share of the processors one Micro has, held by the kernel.

Both versions are used where we may write; where we may not there are none, and the sandbox's other limits stand alone.
The groups of a server lie below one of its own, under the group that it runs in or the nearest one above that lets us.
"""

import contextlib
import errno
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_OURS = "server"
# Of the server's Micros together, beside one busy thread of all else with 1024 (version 1) or 100 (version 2).
_SHARES_V1, _WEIGHT_V2 = 2048, 200


@dataclass(frozen=True, slots=True)
class Group:
    """One Micro's group: a folder for each controller (version 1) or one for all (version 2)."""

    folders: Mapping[str, Path]
    is_unified: bool

    def open_procs(self) -> list[int]:
        """Descriptors through which a process that writes "0" joins. The caller closes them."""
        return [os.open(folder / "cgroup.procs", os.O_WRONLY) for folder in sorted(set(self.folders.values()))]

    def memory_bytes(self) -> int:
        """What its processes have of their own, without files that are cached or kept in /tmp."""
        counted = dict(line.split()[:2] for line in (self.folders["memory"] / "memory.stat").read_text().splitlines())
        return int(counted["anon" if self.is_unified else "total_rss"])

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel ended a process of it for using too much."""
        name = "memory.events" if self.is_unified else "memory.oom_control"
        with contextlib.suppress(OSError):
            counted = dict(line.split()[:2] for line in (self.folders["memory"] / name).read_text().splitlines())
            return int(counted.get("oom_kill", 0)) > 0
        return False

    def remove(self) -> bool:
        """End what is left of it, and remove it; False while the kernel is still at it."""
        for folder in set(self.folders.values()):
            with contextlib.suppress(OSError):
                for pid in (folder / "cgroup.procs").read_text().split():
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(int(pid), signal.SIGKILL)
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                return False
        return True


@dataclass(frozen=True, slots=True)
class Cgroups:
    """The server's own groups, in which each Micro gets one."""

    parents: Mapping[str, Path]
    is_unified: bool

    @property
    def words(self) -> str:
        """For the log: which version, and of what."""
        return f"version {2 if self.is_unified else 1} ({', '.join(sorted(self.parents))})"

    def make(self, name: str, *, memory_bytes: int, processes: int) -> Group:
        """A fresh group. Raises OSError."""
        group = Group({key: parent / name for key, parent in self.parents.items()}, self.is_unified)
        group.remove()
        for folder in set(group.folders.values()):
            folder.mkdir(exist_ok=True)
        for key, value in self._limits(memory_bytes, processes):
            controller, _, _ = key.partition(".")
            if (group.folders[controller] / key).exists():  # without swap there are no limits of it
                (group.folders[controller] / key).write_text(str(value))
        return group

    def remove(self) -> None:
        """Remove all of them, with what is left of the Micros in them."""
        for parent in set(self.parents.values()):
            for folder in [path for path in parent.iterdir() if path.is_dir()]:
                Group({"": folder}, self.is_unified).remove()
            with contextlib.suppress(OSError):
                parent.rmdir()

    def _limits(self, memory_bytes: int, processes: int) -> list[tuple[str, int]]:
        if self.is_unified:
            limits = [("memory.max", memory_bytes), ("memory.swap.max", 0), ("memory.oom.group", 1)]
        else:
            # In this order: the second, of memory and swap together, may not be under the first.
            limits = [("memory.limit_in_bytes", memory_bytes), ("memory.memsw.limit_in_bytes", memory_bytes)]
        return [*limits, ("pids.max", processes)]


def find(name: str) -> Cgroups | None:
    """Make the server's own group under this name, empty of what an earlier run left. None where we may not."""
    try:
        own = Path("/proc/self/cgroup").read_text(encoding="utf-8")
    except OSError:
        return None
    places = [line.split(":", 2) for line in own.splitlines()]
    found = _find_v1(places, name) or _find_v2(places, name)
    if found:
        for parent in set(found.parents.values()):
            for folder in [path for path in parent.iterdir() if path.is_dir()]:
                Group({"": folder}, found.is_unified).remove()
    return found


def _find_v1(places: Sequence[Sequence[str]], name: str) -> Cgroups | None:
    made: dict[str, Path] = {}
    for _, controllers, path in places:
        for controller in ("memory", "pids", "cpu"):
            if controller in controllers.split(","):
                with contextlib.suppress(OSError):
                    made[controller] = _made_below(_MOUNT / controller, path, name)
    if not {"memory", "pids"} <= made.keys():
        for folder in made.values():
            with contextlib.suppress(OSError):
                folder.rmdir()
        return None
    with contextlib.suppress(OSError):
        (made["memory"] / "memory.use_hierarchy").write_text("1")
    if "cpu" in made:
        with contextlib.suppress(OSError):
            (made["cpu"] / "cpu.shares").write_text(str(_SHARES_V1))
    return Cgroups(made, is_unified=False)


def _made_below(mount: Path, path: str, name: str) -> Path:
    """Where a container sees only its own part of the tree, its own group is the root of what is mounted."""
    own = mount / path.lstrip("/")
    folder = (own if own.is_dir() else mount) / name
    folder.mkdir(exist_ok=True)
    return folder


def _find_v2(places: Sequence[Sequence[str]], name: str) -> Cgroups | None:
    path = next((path for number, controllers, path in places if number == "0" and not controllers), None)
    if path is None or not (_MOUNT / "cgroup.controllers").is_file():
        return None
    own = _MOUNT / path.lstrip("/")
    above = [folder for folder in (own, *own.parents) if folder.is_relative_to(_MOUNT) and folder.is_dir()]
    for folder in above:
        with contextlib.suppress(OSError):
            if _is_delegated(folder):
                _move_down(folder)
            _delegate(folder)
            (folder / name).mkdir(exist_ok=True)
            _delegate(folder / name)
            with contextlib.suppress(OSError):
                (folder / name / "cpu.weight").write_text(str(_WEIGHT_V2))
            return Cgroups(dict.fromkeys(("memory", "pids"), folder / name), is_unified=True)
    return None


def _is_delegated(folder: Path) -> bool:
    """Whether systemd left this group to its service: `Delegate=` in the unit."""
    with contextlib.suppress(OSError):
        return os.getxattr(folder, "user.delegate") == b"1"
    return False


def _move_down(folder: Path) -> None:
    """Move the service's processes into a group below: one that has processes of its own can't have its groups counted."""
    own = folder / _OURS
    own.mkdir(exist_ok=True)
    for pid in (folder / "cgroup.procs").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            (own / "cgroup.procs").write_text(pid)


def _delegate(folder: Path) -> None:
    """Have memory and processes (and processors, where that can be) counted in the groups below. Raises OSError."""
    control = folder / "cgroup.subtree_control"
    if not {"memory", "pids"} <= set(control.read_text().split()):
        control.write_text("+memory +pids")
    with contextlib.suppress(OSError):
        control.write_text("+cpu")
    if not {"memory", "pids"} <= set(control.read_text().split()):
        raise OSError(errno.ENOTSUP, "its memory is not counted")
