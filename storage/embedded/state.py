"""What one installation keeps about itself: `<data>/homeport.json`, readable by its owner alone.

Owns the generated secrets, the ports of the bundled engines and the place where they keep their data.
`load` only reads, so that settings can call it; `ensure` creates what is missing and is called by `serve` under its lock.
Starting anything on those ports is left to `postgres.py` and `seaweedfs.py`.
"""

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from storage.embedded import accounts, paths, ports

FILE_NAME = "homeport.json"
S3_SOCKET = "s3.sock"

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
    """Everything in `homeport.json`. `engine_home` is relative to the data folder, or absolute when it lies outside."""

    instance_id: str
    secret_key: str
    engine_home: str
    postgres: Postgres
    s3: SeaweedFS

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
        raw = json.loads(path.read_text(encoding="utf-8"))
        return LocalState(
            instance_id=raw["instance_id"],
            secret_key=raw["secret_key"],
            engine_home=raw["engine_home"],
            postgres=Postgres(**raw["postgres"]),
            s3=SeaweedFS(**raw["s3"]),
        )
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise StateError(f"{path} can't be read by this user: run Homeport as the user who owns it.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f"{path} is damaged ({error}): restore it from a backup.") from error


def ensure(data: Path, *, engine_user: str = accounts.OWN) -> LocalState:
    """Return the data folder's state, creating the folder, the secrets and free ports where they are missing.

    A recorded port that somebody else listens on is replaced, so call it only while none of this folder's own engines run.
    `engine_user` is who runs the engines when we are root. Raises StateError, paths.PathError or accounts.AccountError when that
    can't work.
    """
    paths.make_data_folder(data)
    old = load(data)
    instance_id = old.instance_id if old else secrets.token_hex(8)
    home = paths.choose_home(
        data,
        instance_id=instance_id,
        recorded=old.engine_home if old else None,
        account=accounts.engine_account(engine_user),
    )
    state = _with_free_ports(old) if old else _new_state(instance_id)
    state = replace(state, engine_home=home)
    state = replace(state, postgres=replace(state.postgres, host=_postgres_host(state.home(data))))
    if state != old:
        _save(data, state)
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


def _save(data: Path, state: LocalState) -> None:
    """Replace the file in one step, so that a reader or a crash never meets half of it."""
    temporary = data / f".{FILE_NAME}.new"
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(state), file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(data / FILE_NAME)
