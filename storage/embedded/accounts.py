"""As which users the engines and the Micros run when we are root: ones of our own, which no other program of the machine shares.

Postgres refuses to run as root, and whoever runs as the engines' user can read all that they keep. So it is not `nobody`, which
other daemons run as, but a system user that is made on first start, or the one that HOMEPORT_ENGINE_USER names. Micros run
as another one, which owns nothing but what they are built into.
"""

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

OWN = "homeport-engines"
MICROS = "homeport-micros"
CADDY = "homeport-caddy"

# Where the tools for users are, whatever the PATH of root's shell says.
_TOOLS = "/usr/sbin:/sbin:/usr/bin:/bin"


class AccountError(Exception):
    """There is no user to run the engines or the Micros as; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """An unprivileged system user."""

    name: str
    uid: int
    gid: int


def engine_account(name: str) -> Account | None:
    """Who runs the engines: None for "the user we are", or the named account when we are root.

    Our own is made when it is missing. Raises AccountError when it can't be, when there is no user of another name, or
    when the name is root's.
    """
    if os.geteuid() != 0:
        return None
    entry = _find(name)
    if entry is None and name == OWN:
        by_hand = f"make one, or set HOMEPORT_ENGINE_USER to a user that runs nothing else (it was to be {OWN!r})."
        entry = _make(OWN, "Homeport's engines", what="its engines", by_hand=by_hand)
    if entry is None:
        raise AccountError(f"There is no user {name!r} to run the engines: set HOMEPORT_ENGINE_USER to one.")
    if entry.pw_uid == 0:
        raise AccountError("Postgres refuses to run as root: set HOMEPORT_ENGINE_USER to an unprivileged user.")
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def micro_account() -> Account | None:
    """Who runs the Micros: None for "the user we are", or their own account when we are root, which is made when it is missing.

    Raises AccountError when it can't be.
    """
    return _account_of_its_own(MICROS, "Homeport's Micros", what="Micros")


def caddy_account() -> Account | None:
    """Who runs Caddy, likewise. Raises AccountError."""
    return _account_of_its_own(CADDY, "Homeport's Caddy", what="Caddy")


def _account_of_its_own(name: str, comment: str, *, what: str) -> Account | None:
    if os.geteuid() != 0:
        return None
    by_hand = f"make the user {name!r}, which should run nothing else."
    entry = _find(name) or _make(name, comment, what=what, by_hand=by_hand)
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def give(home: Path, account: Account) -> None:
    """Make everything below `home` the account's, if it isn't already (another HOMEPORT_ENGINE_USER than last time).

    `home` itself comes last, so that what was interrupted is done again. Until then it is closed to its old user, who could
    put something else in the place of what is given. A file of root's that has another name elsewhere stays root's: anybody
    could have linked it here.
    """
    if home.stat().st_uid == account.uid:
        return
    os.chown(home, 0, 0)
    for _, folders, names, descriptor in os.fwalk(home, topdown=False):
        for name in (*folders, *names):
            about = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if stat.S_ISDIR(about.st_mode) or about.st_uid != 0 or about.st_nlink == 1:
                os.chown(name, account.uid, account.gid, dir_fd=descriptor, follow_symlinks=False)
    os.chown(home, account.uid, account.gid)


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _make(name: str, comment: str, *, what: str, by_hand: str) -> pwd.struct_passwd:
    """Make a user of our own: without a home, a password or a shell. `what` runs as it; `by_hand` says what else can be done."""
    tool = shutil.which("useradd", path=_TOOLS)
    if tool is None:
        raise AccountError(f"As root Homeport runs {what} as a user of their own, and useradd is missing: {by_hand}")
    command = [tool, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    done = subprocess.run(
        [*command, "--shell", "/usr/sbin/nologin", "--comment", comment, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    # Another server on this machine may have made it in the meantime.
    entry = _find(name)
    if entry is None:
        raise AccountError(f"The user {name!r} for {what} could not be made ({done.stdout.strip()}): {by_hand}")
    return entry
