"""Whether this machine can wall Micros off, and with what; and where it can't, why, in a sentence for people.

Nothing is taken for granted: each way is tried by starting a program in a sandbox of the very kind that Micros get.
"""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from storage.embedded import accounts, paths
from storage.embedded.accounts import Account
from storage.embedded.micros import cgroups, programs, sandbox
from storage.embedded.micros.places import Places
from storage.embedded.micros.sandbox import Means, Mode, SandboxSpec
from storage.embedded.micros.seccomp import MACHINES

_TRY_SECONDS = 20


class NoSandbox(Exception):
    """Micros can't run on this machine; the message is a sentence for people that says why, and what to do."""


def find_means(
    places: Places, *, name: str, authority: Path | None = None, marks: Mapping[str, str] | None = None
) -> Means:
    """Make ready all that sandboxes are made with, by trying.

    `name` is for this server's control groups, of letters, digits and `-`; `authority` is the file with its own certificate
    authority, which Micros are to trust; `marks` are as in `Means`. It takes a second, and longer when programs have to be
    copied. Raises NoSandbox.
    """
    if sys.platform != "linux":
        raise NoSandbox("Micros need Linux: no other system has what walls them off.")
    if os.uname().machine not in MACHINES:
        raise NoSandbox(f"Micros run on {' and '.join(MACHINES)} only, and this machine is {os.uname().machine}.")
    try:
        account = accounts.micro_account()
        if account:
            places.open_to(account.gid)
        found = programs.prepare(places, account, authority=authority)
    except (accounts.AccountError, programs.ProgramsMissing) as error:
        raise NoSandbox(f"Micros are off: {error}") from error
    except OSError as error:
        raise NoSandbox(f"Micros are off, because {places.programs} can't be written: {error.strerror}.") from error
    if account and not paths.reaches(account, found.runtimes):
        raise NoSandbox(f"Micros are off, because their user {account.name!r} can't reach {places.root}.")
    groups = cgroups.find(name)
    reasons = []
    for means in _ways(found, account, groups):
        reason = why_not(means)
        if not reason:
            return replace(means, marks=marks or {})
        reasons.append(reason)
    if groups:
        groups.remove()
    raise NoSandbox(_sentence(reasons[0]))


def _ways(found: programs.Programs, account: Account | None, groups: cgroups.Cgroups | None) -> list[Means]:
    """All that may do, the best first. Control groups that can't be joined are done without."""
    modes = [Mode.USER_NAMESPACE, *([Mode.ROOT] if account else [])]
    ways = [Means(bwrap, mode, account, found, groups) for mode in modes for bwrap in found.bwraps]
    return [way for means in ways for way in ([means, replace(means, cgroups=None)] if groups else [means])]


def why_not(means: Means) -> str:
    """Start a program that does nothing; empty when it ended well, else what was said, or the exit code."""
    ours, theirs = socket.socketpair()
    with ours, theirs, contextlib.ExitStack() as stack:
        spec = SandboxSpec(
            name="try",
            code=means.programs.etc / "empty",
            command=[str(means.programs.python.executable), "-I", "-S", "-c", ""],
            environment={},
            control=theirs.fileno(),
        )
        try:
            tried = sandbox.spawn(means, spec)
        except OSError as error:
            return str(error)
        stack.callback(tried.clean_up)
        try:
            _, said = tried.popen.communicate(timeout=_TRY_SECONDS)
        except subprocess.TimeoutExpired:
            tried.kill()
            tried.popen.communicate()
            return "it did not come to an end"
    if tried.popen.returncode == 0:
        return ""
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it ended with {tried.popen.returncode}"


def _sentence(reason: str) -> str:
    return f"Micros are off, because this machine's kernel lets no sandbox be made ({reason}). {_advice(reason)}"


def _advice(reason: str) -> str:
    if "0" in (_read("/proc/sys/user/max_user_namespaces"), _read("/proc/sys/kernel/unprivileged_userns_clone")):
        return "Allow user namespaces: `sysctl user.max_user_namespaces=10000 kernel.unprivileged_userns_clone=1`."
    if _is_in_container():
        return (
            "In a container it takes `--security-opt seccomp=unconfined --security-opt apparmor=unconfined"
            " --security-opt systempaths=unconfined`, or `--privileged`."
        )
    if "mount proc" in reason:
        return "Parts of /proc are covered here, as systemd's ProtectKernelTunables= does: the kernel makes no other /proc then."
    if _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "AppArmor keeps user namespaces to programs that have a profile: install the system's `bubblewrap` with one, or set"
            " `sysctl kernel.apparmor_restrict_unprivileged_userns=0`."
        )
    return "Run Homeport as root, or allow user namespaces."


def _is_in_container() -> bool:
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()


def _read(path: str) -> str:
    with contextlib.suppress(OSError):
        return Path(path).read_text(encoding="utf-8").strip()
    return ""
