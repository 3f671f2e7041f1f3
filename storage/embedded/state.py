"""What one installation keeps about itself: `<data>/homeport.json`, readable by its owner alone.

Owns the generated secrets, the ports of the bundled engines and the place where they keep their data.
`load` only reads, so that settings can call it; `ensure` creates what is missing and is called by `serve` under its lock.
Starting anything on those ports is left to `postgres.py` and `seaweedfs.py`.
"""

import os
import secrets
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import msgspec

from storage.embedded import accounts, durable, homes, paths, ports

FILE_NAME = "homeport.json"
S3_SOCKET = "s3.sock"
# The version of the file's format. One is that of 0.1.0, which did not write it down.
FORMAT = 2

# A Unix socket's address holds 108 bytes on Linux and 104 elsewhere; Postgres appends "/.s.PGSQL.65535.lock".
_LONGEST_SOCKET_FOLDER = 80


class StateError(Exception):
    """The data folder can't be used as it is; the message says why and what to do."""


@dataclass(frozen=True)
class Postgres:
    """How to reach the bundled Postgres. `host` is the folder of its Unix socket where there is one, else 127.0.0.1."""

    host: str
    port: int
    user: str
    password: str
    database: str


@dataclass(frozen=True)
class SeaweedFS:
    """How to reach the bundled S3, and the ports of its parts; each part also takes its gRPC port, 10,000 higher."""

    s3_port: int
    filer_port: int
    master_port: int
    volume_port: int
    admin_port: int
    access_key: str
    secret_key: str
    bucket: str

    @property
    def endpoint_url(self) -> str:
        """The address for an S3 client, who shows the certificate in `engine_tls`."""
        return f"https://127.0.0.1:{self.s3_port}"

    def all_ports(self) -> list[int]:
        """Every port SeaweedFS binds, the gRPC ones included."""
        named = [self.s3_port, self.filer_port, self.master_port, self.volume_port, self.admin_port]
        return named + [ports.grpc(port) for port in named]


@dataclass(frozen=True)
class EngineTls:
    """PEM files by which SeaweedFS and its clients know each other; `certificate` and `key` are everybody's on both sides."""

    folder: Path
    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class LocalState:
    """Everything in `homeport.json`. `engine_home` is relative to the data folder, or absolute when it lies outside.

    `engines_made` are those that have data; `mark` is what an engines' home outside must have as well (see `homes.py`).
    """

    instance_id: str
    secret_key: str
    engine_home: str
    postgres: Postgres
    s3: SeaweedFS
    version: int = 1
    engines_made: tuple[str, ...] = ()
    mark: str = ""

    def home(self, data: Path) -> Path:
        """The folder of the engines' data, logs and sockets."""
        return data / self.engine_home

    def s3_socket(self, data: Path) -> str:
        """The path of S3's Unix socket, where no TLS is needed: only the engines' user gets there. Empty if it is too long."""
        folder = socket_folder(self.home(data))
        return str(folder / S3_SOCKET) if folder else ""


def engine_tls(home: Path) -> EngineTls:
    """Where the engines' folder keeps what `seaweedfs_security.py` writes."""
    folder = home / "security"
    return EngineTls(folder, folder / "ca.pem", folder / "seaweedfs.pem", folder / "seaweedfs.key")


def socket_folder(home: Path) -> Path | None:
    """Where the engines keep their Unix sockets; None when clients can't name them, as the path is too long."""
    folder = home / "run"
    return folder if len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER else None


def load(data: Path) -> LocalState | None:
    """Read the state of the data folder; None when there is none yet. Writes nothing.

    Raises StateError when the file is there but can't be read or understood: generating new secrets over it would lock
    the owner out of the data.
    """
    path = data / FILE_NAME
    try:
        raw = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise StateError(f"{path} can't be read by this user: run Homeport as the user who owns it.") from error
    except NotADirectoryError as error:
        raise StateError(f"{data} is not a folder: set HOMEPORT_DATA to one, or move that file away.") from error
    except OSError as error:
        raise StateError(f"{path} can't be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateError(_damaged(path, error)) from error
    try:
        _refuse_newer(path, raw)
        state = msgspec.convert(raw, LocalState)
        _check_values(state)
    except (msgspec.ValidationError, ValueError) as error:
        raise StateError(_damaged(path, error)) from error
    return state


def _damaged(path: Path, error: Exception) -> str:
    return f"{path} is damaged ({error}): restore it from a backup. It has the secrets that open the data beside it."


def _refuse_newer(path: Path, raw: Any) -> None:
    """What a newer version wrote may mean what this one does not know. Raises StateError."""
    if not isinstance(raw, dict):
        return
    version = raw.get("version", 1)
    unknown = sorted(
        _unknown(raw, LocalState) + _unknown(raw.get("postgres"), Postgres) + _unknown(raw.get("s3"), SeaweedFS)
    )
    if (type(version) is int and version > FORMAT) or unknown:
        why = (
            f"its format is {version}, and this version knows {FORMAT}"
            if not unknown
            else f"it has {', '.join(unknown)}"
        )
        raise StateError(
            f"{path} was written by a newer version of Homeport ({why}): start that version or a later one."
        )


def _unknown(raw: Any, known: Any) -> list[str]:
    return sorted(raw.keys() - {each.name for each in fields(known)}) if isinstance(raw, dict) else []


def _check_values(state: LocalState) -> None:
    """Raises ValueError for what has the right type and can't be true."""
    texts = [state.instance_id, state.secret_key, state.postgres.user, state.postgres.password, state.postgres.database]
    texts += [state.s3.access_key, state.s3.secret_key, state.s3.bucket]
    if not all(texts) or any("\0" in text for text in (*texts, state.engine_home, state.postgres.host)):
        raise ValueError("a value is empty or has the character NUL")
    if not state.instance_id.isalnum():
        raise ValueError("instance_id is not of letters and digits")
    if not all(0 < port < 65_536 for port in (state.postgres.port, *state.s3.all_ports())):
        raise ValueError("a port is not between 1 and 65535")
    if state.engine_home not in ("", paths.ENGINES) and not Path(state.engine_home).is_absolute():
        raise ValueError("engine_home is no absolute path")


def ensure(
    data: Path, *, engine_user: str = accounts.OWN, used: Collection[str] = homes.BOTH, is_accepted: bool = False
) -> LocalState:
    """Return the data folder's state, creating the folder, the secrets and free ports where they are missing.

    A recorded port that somebody else listens on is replaced, so call it only while none of this folder's own engines run.
    `engine_user` is who runs the engines when we are root, `used` are those that run here; `is_accepted` as in `homes.find`.
    Raises StateError or paths.PathError when that can't work.
    """
    paths.make_data_folder(data)
    old = load(data)
    found = find_home(data, old, used=used, is_accepted=is_accepted)
    account = accounts.engine_account(engine_user)
    state = _with_free_ports(old) if old else _new_state(secrets.token_hex(8))
    home = found or state.engine_home or homes.choose(data, instance_id=state.instance_id, account=account)
    is_restored = found == paths.ENGINES and Path(state.engine_home).is_absolute()
    if is_restored and account and not paths.reaches(account, data):
        home = str(homes.outside_home(state.instance_id))
        state = replace(state, mark=homes.mark_of(data / paths.ENGINES))
    made = state.engines_made if state.version == FORMAT else homes.made_in(data / (found or home))
    state = replace(state, engine_home=home, version=FORMAT, engines_made=made)
    state = replace(state, postgres=replace(state.postgres, host=_postgres_host(state.home(data))))
    if old and found and old.version < FORMAT:
        # Before the file says that they know each other.
        homes.write_identity(data, data / found, instance_id=state.instance_id)
    if state != old:
        save(data, state)
    if found and found != home:
        homes.move_out(data, state.home(data))
    return state


def find_home(
    data: Path, state: LocalState | None, *, used: Collection[str] = homes.BOTH, is_accepted: bool = False
) -> str | None:
    """Where the engines' data is, as `homes.find` has it. Raises paths.PathError."""
    known = None
    if state:
        is_old = state.version < FORMAT
        known = homes.Known(state.instance_id, state.engine_home, state.mark, state.engines_made, is_old=is_old)
    return homes.find(data, known, used=used, is_accepted=is_accepted)


def claim_home(data: Path, state: LocalState) -> LocalState:
    """Before the engines start: write down in their home whose it is, and change the mark of one outside. The new state."""
    home = state.home(data)
    homes.write_identity(data, home, instance_id=state.instance_id)

    def save_mark(mark: str) -> None:
        nonlocal state
        state = replace(state, mark=mark)
        save(data, state)

    homes.change_mark(data, home, save=save_mark)
    return state


def note_made(data: Path, state: LocalState) -> LocalState:
    """Write down which engines have data by now: from then on they must have it at every start. Returns the new state."""
    made = tuple(sorted({*state.engines_made, *homes.made_in(state.home(data))}))
    if made != state.engines_made:
        state = replace(state, engines_made=made)
        save(data, state)
    return state


def _new_state(instance_id: str) -> LocalState:
    postgres, s3, filer, master, volume, admin = ports.free_ports(6)
    return LocalState(
        instance_id=instance_id,
        secret_key=secrets.token_urlsafe(50),
        engine_home="",
        postgres=Postgres("", postgres, "homeport", secrets.token_urlsafe(24), "homeport"),
        s3=SeaweedFS(
            s3_port=s3,
            filer_port=filer,
            master_port=master,
            volume_port=volume,
            admin_port=admin,
            access_key=secrets.token_hex(10),
            secret_key=secrets.token_urlsafe(30),
            bucket="homeport",
        ),
    )


def _with_free_ports(state: LocalState) -> LocalState:
    """The same state, every taken port replaced by a free one."""
    if not ports.all_free([state.postgres.port]):
        state = replace(state, postgres=replace(state.postgres, port=ports.free_ports(1)[0]))
    if not ports.all_free(state.s3.all_ports()):
        s3, filer, master, volume, admin = ports.free_ports(5)
        moved = replace(
            state.s3, s3_port=s3, filer_port=filer, master_port=master, volume_port=volume, admin_port=admin
        )
        state = replace(state, s3=moved)
    return state


def _postgres_host(home: Path) -> str:
    """A Unix socket spares about 15% of a small query against TCP; where its path would be too long, loopback does."""
    return str(socket_folder(home) or "127.0.0.1")


def save(data: Path, state: LocalState) -> None:
    """Replace the file in one step, so that a reader or a crash never meets half of it. Raises OSError."""
    text = msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n"
    durable.write(data / FILE_NAME, text)
