"""The wall around a Micro: one bubblewrap for each, with its own users, processes, network and files, and bounds on all it uses.

Inside are `/app` (its code), `/deps` (what was installed for it), `/homeport` (our runtimes, `ca.pem`), `/node`, `/uv`, the
Python at its own path, the system's programs and a small `/etc`, all read-only; `/tmp` is in memory and bounded, and the only
place that can be written (a build writes `/deps` too). There is no network but its own loopback, and no descriptor but 1, 2, 3
(the listening socket; none for a build) and 4 (control). `runtimes/enter.py` is the first program inside.

Everything that is secret goes in by memory files, never by an argument or the environment of a process that others can look at.
Spawn from the main thread of a process that stays: Linux ends a sandbox when the *thread* that started it ends.
"""

import contextlib
import itertools
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, cast

from storage.embedded.accounts import Account
from storage.embedded.micros import usage
from storage.embedded.micros.cgroups import Cgroups, Group
from storage.embedded.micros.programs import Programs, Python
from storage.embedded.micros.seccomp import path_for

APP, DEPENDENCIES, RUNTIMES, NODE, UV = "/app", "/deps", "/homeport", "/node", "/uv"
API_PORT, PROXY_PORT = 4443, 4280  # on 127.0.0.1 inside; `runtimes/enter.py` opens them
DOORS = ("api", "proxy")  # in the order in which their listeners come out

_MB = 1024 * 1024
_STACK_MB = 2  # Node needs half of it
_TMP = "/tmp"  # noqa: S108 (the one inside)
_USER = 1000  # who a Micro is inside
# Users that no machine has: those of containers and of directories lie elsewhere.
_FIRST_USER, _USERS = 1_900_000_000, 65_536
_counter = itertools.count()
_NICENESS = 5  # where no control group shares the processors out
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SYSTEM_FOLDERS = ("bin", "sbin", "lib", "lib64", "lib32")
# Programs and libraries, and no more: people keep things of their own in other folders of /usr.
_USR_FOLDERS = (*_SYSTEM_FOLDERS, "libexec", "share", "include", "local/bin", "local/lib", "local/include")
_SYSTEM_FILES = ("ld.so.cache", "alternatives", "localtime")


class Mode(StrEnum):
    """How a sandbox is made. Without user namespaces only root can, and its Micros give up root at once."""

    USER_NAMESPACE = "user namespace"
    ROOT = "root"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one Micro may use. `memory_mb` is the memory of each process, and of all together; /tmp is in memory too.

    `reserved_mb` is what a process of it asks for and leaves unused: Node keeps room for code.
    """

    memory_mb: int = 512
    reserved_mb: int = 0
    tmp_mb: int = 512
    processes: int = 1024
    open_files: int = 4096
    file_mb: int = 512


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """What is to run. `name` is unique among what runs at a time, of letters, digits and `-`.

    `listener` is the descriptor of the listening socket, `control` that of the sandbox's end of a stream socket pair; both stay
    the caller's to close. `command` and `environment` are as seen inside, and all of the environment there is. A build has no
    listener, and its folder of dependencies, which must belong to the Micros' user (`Means.give`), can be written; nothing here
    bounds what it writes there but the size of a file. `python` is another one to be seen inside beside the server's own.
    """

    name: str
    code: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    control: int
    listener: int | None = None
    dependencies: Path | None = None
    is_build: bool = False
    limits: Limits = field(default_factory=Limits)
    python: Python | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What this machine makes sandboxes with; `finding.find_means` finds it.

    `marks` is the environment of a sandbox's first process, by which one is found that outlived all of ours.
    """

    bwrap: Path
    mode: Mode
    account: Account | None
    programs: Programs
    cgroups: Cgroups | None = None
    marks: Mapping[str, str] = field(default_factory=dict)
    machine: str = field(default_factory=lambda: os.uname().machine)

    def give(self, folder: Path) -> None:
        """Let a build write this folder, and nobody else of the machine look into it."""
        folder.chmod(0o750 if self.account else 0o700)
        if self.account:
            os.chown(folder, self.account.uid, self.account.gid)


@dataclass(slots=True)
class Sandboxed:
    """One that was started. The pipes are the caller's to read and close. A `popen` with return code 0 ended by itself."""

    popen: subprocess.Popen[bytes]
    group: Group | None

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def stdout(self) -> IO[bytes]:
        return cast("IO[bytes]", self.popen.stdout)

    @property
    def stderr(self) -> IO[bytes]:
        return cast("IO[bytes]", self.popen.stderr)

    def kill(self) -> None:
        """End everything in it at once. It does not wait."""
        self.popen.kill()

    def memory_bytes(self) -> int:
        """What its processes have of their own in memory now, /tmp not among it; 0 when it is gone."""
        if self.group is not None:
            with contextlib.suppress(OSError, KeyError, ValueError):
                return self.group.memory_bytes()
        return usage.memory_bytes(self.popen.pid)

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel ended a process of it for using too much; never known without control groups."""
        return self.group is not None and self.group.ran_out_of_memory()

    def clean_up(self) -> bool:
        """Remove what is left of it once it has ended. False: not yet, as the kernel is still at it; call again."""
        return self.group is None or self.group.remove()


def spawn(means: Means, spec: SandboxSpec) -> Sandboxed:
    """Start it. Raises OSError when the machine has no process, descriptor or memory left, or a folder is missing."""
    limits = spec.limits
    group = (
        means.cgroups.make(spec.name, memory_bytes=(limits.memory_mb + limits.tmp_mb) * _MB, processes=limits.processes)
        if means.cgroups
        else None
    )
    try:
        with contextlib.ExitStack() as opened:
            procs = group.open_procs() if group else []
            for descriptor in procs:
                opened.callback(os.close, descriptor)
            setup = opened.enter_context(_memory_file("setup", json.dumps(_setup(means, spec, procs)).encode()))
            rules = opened.enter_context(_memory_file("rules", path_for(means.machine).read_bytes()))
            arguments = opened.enter_context(_memory_file("arguments", _joined(_arguments(means, spec, rules))))
            listener = [spec.listener] if spec.listener is not None else []
            python = means.programs.python.executable
            enter = [str(python), "-I", "-S", f"{RUNTIMES}/enter.py", str(setup)]
            popen = subprocess.Popen(
                [means.bwrap, "--args", str(arguments), "--", *enter],
                env=means.marks,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
                umask=0o022,
                pass_fds=[setup, rules, arguments, spec.control, *listener, *procs],
                **_as_user(means),
            )
    except BaseException:
        if group:
            group.remove()
        raise
    return Sandboxed(popen, group)


def _as_user(means: Means) -> dict[str, Any]:
    """In a user namespace bubblewrap starts as the Micros' user; as root it would keep all capabilities and make none."""
    if means.mode is Mode.ROOT or means.account is None:
        return {}
    return {"user": means.account.uid, "group": means.account.gid, "extra_groups": []}


def _user(means: Means, spec: SandboxSpec) -> list[int] | None:
    """Whom to become where there is no user namespace.

    A user of its own each, as the kernel counts processes by user; a build is the Micros' user, whose folder it writes. Their
    group is the same, and reads what they are to read.
    """
    if means.mode is not Mode.ROOT or means.account is None:
        return None
    return [means.account.uid if spec.is_build else _FIRST_USER + next(_counter) % _USERS, means.account.gid]


def _setup(means: Means, spec: SandboxSpec, procs: Sequence[int]) -> dict[str, object]:
    """What `runtimes/enter.py` reads."""
    limits = spec.limits
    return {
        "command": list(spec.command),
        "environment": dict(spec.environment),
        "listener": spec.listener,
        "control": spec.control,
        "groups": list(procs),
        "user": _user(means, spec),
        "niceness": 0 if means.cgroups and "cpu" in means.cgroups.parents else _NICENESS,
        "limits": {
            "RLIMIT_CORE": 0,
            "RLIMIT_MSGQUEUE": 0,
            "RLIMIT_DATA": (limits.memory_mb + limits.reserved_mb) * _MB,
            # A thread's stack counts as data at its full size, whether it is used or not.
            "RLIMIT_STACK": _STACK_MB * _MB,
            "RLIMIT_NPROC": limits.processes,
            "RLIMIT_NOFILE": limits.open_files,
            "RLIMIT_FSIZE": limits.file_mb * _MB,
        },
    }


def _arguments(means: Means, spec: SandboxSpec, rules: int) -> list[str]:
    """What bubblewrap is told. The order of mounts matters: `/` and `/dev` are closed once all is in place."""
    programs = means.programs
    return [
        *_namespaces(means.mode),
        *("--die-with-parent", "--new-session", "--hostname", "micro", "--seccomp", str(rules)),
        *_system(programs),
        *_python(programs, programs.python),
        *(_python(programs, spec.python) if spec.python and spec.python != programs.python else ()),
        *("--ro-bind", str(programs.runtimes), RUNTIMES),
        *("--ro-bind", str(programs.node), NODE),
        *("--ro-bind", str(programs.uv), UV),
        *("--ro-bind", str(spec.code), APP),
        *_dependencies(spec),
        *("--size", str(spec.limits.tmp_mb * _MB), "--perms", "1777", "--tmpfs", _TMP),
        *("--proc", "/proc", "--chdir", APP, "--remount-ro", "/"),
    ]


def _dependencies(spec: SandboxSpec) -> list[str]:
    if spec.dependencies is None:
        return []
    return ["--bind" if spec.is_build else "--ro-bind", str(spec.dependencies), DEPENDENCIES]


def _namespaces(mode: Mode) -> list[str]:
    if mode is Mode.USER_NAMESPACE:
        user = ["--unshare-user", "--disable-userns", "--uid", str(_USER), "--gid", str(_USER)]
        return ["--unshare-all", *user, "--cap-drop", "ALL"]
    others = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    # With these two `enter.py` becomes the Micros' user, and has none left.
    return [*others, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]


def _system(programs: Programs) -> Iterator[str]:
    yield from _folders(Path("/usr/local"))
    for name in _USR_FOLDERS:
        yield from _as_it_is(Path("/usr", name))
    for name in _SYSTEM_FOLDERS:
        yield from _as_it_is(Path("/", name))
    yield from _folders(Path("/etc/ssl/certs"))
    for path in sorted(programs.etc.iterdir()):
        if path.is_file():
            yield from ("--ro-bind", str(path), f"/etc/{path.name}")
    for name in _SYSTEM_FILES:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    yield from ("--ro-bind", str(programs.runtimes / "ca.pem"), "/etc/ssl/certs/ca-certificates.crt")
    yield from ("--symlink", "certs/ca-certificates.crt", "/etc/ssl/cert.pem")
    yield from ("--tmpfs", "/dev")
    for name in _DEVICES:
        yield from ("--dev-bind", f"/dev/{name}", f"/dev/{name}")
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        yield from ("--symlink", target, f"/dev/{name}")
    # Shared memory counts as what is in /tmp does.
    yield from ("--symlink", _TMP, "/dev/shm")  # noqa: S108
    yield from ("--remount-ro", "/dev")


def _python(programs: Programs, python: Python) -> Iterator[str]:
    if python.prefix not in (Path("/usr"), Path("/usr/local")):
        yield from _folders(python.prefix.parent)
        yield from ("--ro-bind", str(python.folder), str(python.prefix))
    for folder in python.hidden:
        yield from ("--ro-bind", str(programs.etc / "empty"), str(folder))


def _as_it_is(folder: Path) -> Iterator[str]:
    if folder.is_symlink():
        yield from ("--symlink", str(folder.readlink()), str(folder))
    elif folder.is_dir():
        yield from ("--ro-bind", str(folder), str(folder))


def _folders(folder: Path) -> Iterator[str]:
    """A folder with all above it, for everybody to pass through; bubblewrap's own are its user's alone."""
    for part in (*reversed(folder.parents), folder):
        if part != Path("/"):
            yield from ("--perms", "0755", "--dir", str(part))


def _joined(arguments: Sequence[str]) -> bytes:
    return b"".join(os.fsencode(argument) + b"\0" for argument in arguments)


@contextlib.contextmanager
def _memory_file(name: str, data: bytes) -> Iterator[int]:
    """A file that only who has its descriptor can read; it is read from its start."""
    descriptor = os.memfd_create(f"homeport-{name}")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)
