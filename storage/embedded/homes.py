"""Which folder has the engines' data of a data folder, and whether it is really that data folder's.

The engines' home is `engines` in the data folder, or, where their user can't reach that, a folder under /var/lib/homeport to
which `engines` is a link. A data folder that was copied, moved or restored must mean its own data: the copied one, or none at
all. So both sides know each other. A home says in `identity.json` whose it is, and one that lies outside the data folder
changes a mark with the data folder at every start: a copy that was made without the engines' data has an old mark.
"""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from storage.embedded import durable, paths
from storage.embedded.accounts import Account
from storage.embedded.paths import ENGINES, SYSTEM_HOME, PathError

POSTGRES, SEAWEEDFS = "postgres", "seaweedfs"
BOTH = (POSTGRES, SEAWEEDFS)
# What is there in the folder of each once it has data.
_SIGNS = {POSTGRES: "PG_VERSION", SEAWEEDFS: "filerldb2"}
_IDENTITY = "identity.json"
# What 0.1.0 wrote instead, in homes outside the data folder.
_OLD_NOTE = "data-folder"
_STATE = "homeport.json"


@dataclass(frozen=True)
class Known:
    """What the data folder remembers of its engines. `made` are those that have data; `is_old`: 0.1.0 wrote it."""

    instance_id: str
    recorded: str
    mark: str
    made: Collection[str]
    is_old: bool


@dataclass(frozen=True)
class Identity:
    """What a home says of itself. `next_mark` is set while the mark is being changed on both sides."""

    instance_id: str
    data_folder: str
    mark: str = ""
    next_mark: str = ""


def find(data: Path, known: Known | None, *, used: Collection[str] = BOTH, is_accepted: bool = False) -> str | None:
    """Where the engines' data is: "engines" for inside the data folder, or an absolute path. None when there is none yet.

    `used` are the engines that run here. `is_accepted`: somebody said that data outside is the right one whatever its mark.
    Writes nothing. Raises PathError, with what to do, when it is missing, somebody else's, or of another time than the folder.
    """
    if known is None:
        _refuse_without_secrets(data)
        return None
    home = _present(data, known.recorded)
    if home is None:
        if used and (known.made or known.is_old) and set(used) & set(known.made or BOTH):
            raise PathError(_missing(data, known))
    elif used:
        _check(data, data / home, known, used, is_accepted=is_accepted)
    return home


def choose(data: Path, *, instance_id: str, account: Account | None) -> str:
    """Where engines without data are to have it."""
    if account is None or paths.reaches(account, data):
        return ENGINES
    return str(outside_home(instance_id))


def outside_home(instance_id: str) -> Path:
    """A folder outside the data folder that is not there yet."""
    home = SYSTEM_HOME / instance_id
    return home if not home.exists() else SYSTEM_HOME / f"{instance_id}-{secrets.token_hex(4)}"


def made_in(home: Path) -> tuple[str, ...]:
    """The engines that have data in this home."""
    return tuple(name for name in BOTH if (home / name / _SIGNS[name]).exists())


def is_outside(data: Path, home: Path) -> bool:
    """Whether a copy of the data folder would not have the engines' data in it."""
    return not home.resolve().is_relative_to(data.resolve())


def move_out(data: Path, home: Path) -> None:
    """Bring the engines' data from the data folder to a home that their user can reach, and then away from where it was.

    At every moment either the one or the other is whole, and `find` takes the data folder's for as long as it is there.
    Raises PathError.
    """
    inside = data / ENGINES
    paths.make_system_home()
    incoming = home.with_name(f".{home.name}.incoming")
    try:
        inside.rename(home)
    except OSError:
        # Another file system.
        try:
            _copy(inside, incoming)
            incoming.rename(home)
        except BaseException:
            shutil.rmtree(incoming, ignore_errors=True)
            raise
        gone = data / f".{ENGINES}-moved"
        inside.rename(gone)
        durable.sync_folder(data)
        shutil.rmtree(gone)
    durable.sync_folder(home.parent)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder; when this returns the copy survives a power cut. Raises PathError."""
    try:
        shutil.copytree(source, target, symlinks=True)
        os.sync()
    except shutil.Error as error:
        # It has a list of what failed, each with the reason as its last part.
        raise PathError(f"{source} can't be copied to {target}: {error.args[0][0][-1]}.") from error
    except OSError as error:
        raise PathError(f"{source} can't be copied to {target}: {error.strerror}.") from error


def write_identity(data: Path, home: Path, *, instance_id: str) -> None:
    """Write down whose home this is, keeping its mark."""
    old = _read_identity(home)
    new = replace(old or Identity(instance_id, ""), instance_id=instance_id, data_folder=str(data))
    if new != old:
        _write_identity(home, new)


def change_mark(data: Path, home: Path, *, save: Callable[[str], None]) -> None:
    """Change the mark on both sides; `save` writes the data folder's. A crash in between leaves two that still fit."""
    identity = _read_identity(home)
    if identity is None or not is_outside(data, home):
        return
    mark = secrets.token_hex(8)
    _write_identity(home, replace(identity, next_mark=mark))
    save(mark)
    _write_identity(home, replace(identity, mark=mark, next_mark=""))


def mark_of(home: Path) -> str:
    """The mark of a home; empty when it has none."""
    identity = _read_identity(home)
    return identity.mark if identity else ""


def _present(data: Path, recorded: str) -> str | None:
    """The home that is there. One in the data folder goes before one that is only recorded: it came with the folder."""
    inside = data / ENGINES
    if inside.is_dir() and not inside.is_symlink() and any(inside.iterdir()):
        return ENGINES
    return recorded if recorded and (data / recorded).is_dir() else None


def _check(data: Path, home: Path, known: Known, used: Collection[str], *, is_accepted: bool) -> None:
    identity = _read_identity(home)
    if identity is None and not known.is_old and made_in(home):
        raise PathError(
            f"{home} has engines' data, but nothing says that it is this server's ({home / _IDENTITY} is missing): restore the"
            f" whole of {data} from one backup."
        )
    if identity and identity.instance_id != known.instance_id:
        raise PathError(
            f"{home} has the engines' data of another server than {data / _STATE}: restore both from one backup."
        )
    _refuse_sharing(data, home, known, identity)
    if identity and is_outside(data, home) and not is_accepted and not _is_of_now(known.mark, identity):
        raise PathError(_of_another_time(data, home))
    gone = sorted(set(used) & set(known.made) - set(made_in(home)))
    if gone or (known.is_old and not made_in(home)):
        raise PathError(
            f"{data / _STATE} belongs to data that is not in {home / (gone or BOTH)[0]}: restore the whole of {data} from one"
            f" backup. Nothing was started, as that would be an empty server."
        )


def _is_of_now(mark: str, identity: Identity) -> bool:
    return mark == identity.mark or bool(mark and mark == identity.next_mark)


def _refuse_sharing(data: Path, home: Path, known: Known, identity: Identity | None) -> None:
    """Stop two data folders from using one home; one that was moved instead of copied is let through."""
    other = Path(identity.data_folder) if identity else _old_note(home)
    if other is None or not (other / _STATE).is_file() or _are_same(other, data):
        return
    try:
        recorded = json.loads((other / _STATE).read_text(encoding="utf-8"))["engine_home"]
    except (OSError, ValueError, KeyError, TypeError):
        recorded = ENGINES
    if _are_same(other / str(recorded), home) or _are_same(other / ENGINES, home):
        raise PathError(
            f"{data} is a copy of {other}, and both would use the engines' data in {home}. Copy it with that data"
            f" (`cp -aL {other}/. {data}/`, while the server is stopped), or set HOMEPORT_DATA={other}."
        )


def _refuse_without_secrets(data: Path) -> None:
    """Engines' data without `homeport.json`: new secrets would not open it, and a new database would hide it."""
    inside = data / ENGINES
    found = [inside] if inside.is_symlink() or (inside.is_dir() and any(inside.iterdir())) else list(_homes_of(data))
    if found:
        raise PathError(
            f"{data / _STATE} is missing, but the engines' data that belongs to it is there: {found[0]}. Restore the file from a"
            f" backup: it has the secrets that open the data. To start empty instead, move {found[0]} away."
        )


def _homes_of(data: Path) -> Iterator[Path]:
    """The homes under /var/lib/homeport that say they are this data folder's."""
    try:
        candidates = sorted(SYSTEM_HOME.iterdir())
    except OSError:
        return
    for home in candidates:
        try:
            identity = _read_identity(home)
            if (identity and identity.data_folder == str(data)) or _old_note(home) == data:
                yield home
        except (OSError, PathError):
            continue


def _missing(data: Path, known: Known) -> str:
    home = data / known.recorded if known.recorded else data / ENGINES
    return (
        f"The engines' data of {data} is missing: it was in {home}, and {data / ENGINES} does not have it either. Restore it from"
        f" the backup that {data / _STATE} is from; nothing was started, as that would be an empty server. If there never was"
        f" any data, remove {data / _STATE}."
    )


def _of_another_time(data: Path, home: Path) -> str:
    return (
        f"{data} is of another time than the engines' data in {home}: it is a copy that was made or restored without that data"
        f" (`cp -aL` takes it along). Restore a copy that has it in {data / ENGINES}. If the data in {home} is what you want,"
        f" start once with `serve --accept-engines`."
    )


def _old_note(home: Path) -> Path | None:
    try:
        return Path((home / _OLD_NOTE).read_text(encoding="utf-8"))
    except OSError:
        return None


def _are_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _read_identity(home: Path) -> Identity | None:
    """What the home says; None when it says nothing. Raises PathError when it can't be understood."""
    path = home / _IDENTITY
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return Identity(**{name: str(raw[name]) for name in ("instance_id", "data_folder", "mark", "next_mark")})
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PathError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise PathError(f"{path} is damaged: restore it with the data beside it from a backup.") from error


def _write_identity(home: Path, identity: Identity) -> None:
    durable.write(home / _IDENTITY, (json.dumps(asdict(identity), indent=2) + "\n").encode())
