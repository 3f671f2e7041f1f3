"""What `serve` runs besides the engines: the web server and the job worker, and their preparation.

Owns the web server's command line and the preparation of database and static files. The order of things, and their
supervision, are the command's (`management/commands/serve.py`).
"""

import errno
import hashlib
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from console import environment, own_address, static_files
from console.server.processes import ORPHAN_SECONDS
from storage.counting import counted
from storage.embedded import caddy
from storage.embedded.caddy import Caddy
from storage.embedded.certificates import Certificates
from storage.embedded.process import Child
from storage.postgres import locks, newer_schema
from storage.postgres.database import unhurried

# How long requests that are under way may go on once the server was asked to stop.
DRAIN_SECONDS = 15
# How long a node waits for another that migrates the database they share.
MIGRATION_WAIT_SECONDS = 600.0
# What of our own environment the web processes get: our settings, and what Python and the clients of the engines read. A proxy
# that is meant for other programs must not come between us and S3.
_WEB_VARIABLES = (
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "TMPDIR",
    "DATABASE_URL",
    "AWS_CA_BUNDLE",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
)
# Bodies, answers and pieces of backups come and go by the megabyte, in many threads: glibc is to give such memory back at once.
# What a loop reads at a time is a quarter of one, and is wanted again a moment later.
_MEMORY = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "1048576"}
# Those who have many connections to the database go through the pooler, where there is one.
_POOLED = {environment.OF_MANY: "true"}
_WEB_PREFIXES = ("HOMEPORT_", "S3_", "PG", "PYTHON", "LC_", "SSL_CERT_")


def typed_command() -> str:
    """How a person types our commands, as serve was started itself: `homeport` when that is enough to find it."""
    program = Path(sys.argv[0])
    if program.name == "homeport":
        return "homeport" if shutil.which("homeport") == str(program) else str(program)
    python = sys.executable.removeprefix(f"{Path.cwd()}/")
    return f"{python} {'-m homeport' if program.name == '__main__.py' else program.name}"


def certificate_names() -> list[str]:
    """The names and addresses people may reach this server by, besides this machine's own."""
    names = [name.strip("[]") for name in (settings.HOST, *settings.ALLOWED_HOSTS)]
    return [name for name in names if name not in ("*", "0.0.0.0", "::") and not name.startswith(".")]  # noqa: S104


def max_connections() -> int:
    """How many database connections the bundled Postgres must allow.

    Every worker keeps its own and one to record requests with; a worker that was killed and its successor overlap for a moment.
    The rest is for the job worker, commands and probes.
    """
    return settings.WORKERS * (settings.CONNECTIONS + 1) * 2 + 40


def open_sockets(port: int) -> list[socket.socket]:
    """Take the port on every address that `HOMEPORT_HOST` means, without answering there yet. Raises OSError.

    Nobody else gets it until `answer_on`, however long that is.
    """
    taken: list[socket.socket] = []
    found = socket.getaddrinfo(settings.HOST, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, kind, protocol, _, address in dict.fromkeys(found):
        listening = socket.socket(family, kind, protocol)
        taken.append(listening)
        # Without it a port whose last connections linger in TIME_WAIT would count as taken.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # `::` alone means IPv4 as well; beside an IPv4 address of its own it must not.
            is_alone = len(found) == 1
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not is_alone)
        try:
            listening.bind(address)
            # Where both have it, Linux gives two sockets one port while neither listens.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        except OSError:
            for each in taken:
                each.close()
            raise
    return taken


def answer_on(sockets: Sequence[socket.socket], *, backlog: int) -> None:
    """Whoever connects from here on waits for the first worker instead of being refused."""
    for listening in sockets:
        # Connections have it from here, and the next start finds what lingers of them.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.listen(backlog)


def web_child(
    sockets: Sequence[socket.socket],
    tls_sockets: Sequence[socket.socket],
    micros_sockets: Sequence[socket.socket] = (),
    caddy_sockets: Sequence[socket.socket] = (),
    *,
    marks: Mapping[str, str],
    certificates: Certificates | None = None,
) -> Child:
    """The web server with its workers, on sockets that stay ours: they answer again as soon as a new one is there."""
    command = [sys.executable, "-m", "console.listener", "--workers", str(settings.WORKERS)]
    for listening in sockets:
        command += ["--socket", str(listening.fileno())]
    for listening in tls_sockets:
        command += ["--tls-socket", str(listening.fileno())]
    for listening in micros_sockets:
        command += ["--micros-socket", str(listening.fileno())]
    for listening in caddy_sockets:
        command += ["--caddy-socket", str(listening.fileno())]
    if certificates:
        command += ["--certificate", str(certificates.certificate), "--key", str(certificates.key)]
    return Child(
        name="The web server",
        command=command,
        environment=_environment(marks, _web_variables() | _MEMORY | _POOLED),
        folder=settings.BASE_DIR,
        stop_seconds=DRAIN_SECONDS + 1.0,
        # It takes its workers along, which a harsher end would leave behind.
        death_signal=signal.SIGTERM,
        # When it is killed they answer until the next one has its own.
        outlived_seconds=ORPHAN_SECONDS + DRAIN_SECONDS + 1.0,
        descriptors=[
            *(each.fileno() for each in (*sockets, *tls_sockets, *micros_sockets, *caddy_sockets)),
            share_counts()[0],
        ],
    )


def caddy_child(
    front: Caddy, http: Sequence[socket.socket], https: Sequence[socket.socket], *, marks: Mapping[str, str]
) -> Child:
    """Caddy on the ports that people ask for, in front of the web server."""
    answer_on((*http, *https), backlog=2048)
    return caddy.child(
        front,
        http=[each.fileno() for each in http],
        https=[each.fileno() for each in https],
        ask=f"{own_address.url(settings.PORT, scheme='http')}/domains/ask",
        issuer=settings.CADDY_ISSUER,
        marks=marks,
    )


def jobs_child(*, marks: Mapping[str, str]) -> Child:
    """The process that sweeps and does the long work. Its statements may take their time."""
    return Child(
        name="The job worker",
        command=[
            sys.executable,
            "-m",
            "homeport",
            "procrastinate",
            "-v",
            "0",
            # They load every route and page, which the worker needs none of; tests run them.
            "--skip-checks",
            "worker",
            # Neither a large deletion or count must keep the others waiting, nor two archives, two deployments and a backup.
            "--concurrency",
            "7",
            "--shutdown-graceful-timeout",
            "5",
            "--delete-jobs",
            "successful",
        ],
        environment=_environment(marks, os.environ) | _MEMORY | {"HOMEPORT_STATEMENT_TIMEOUT_MS": "0"},
        folder=settings.BASE_DIR,
        stop_seconds=7.0,
        death_signal=signal.SIGTERM,
        descriptors=[share_counts()[0]],
    )


def micros_child(*, marks: Mapping[str, str]) -> Child:
    """The process that runs people's apps. When it is killed, so are they."""
    return Child(
        name="What runs Micros",
        command=[sys.executable, "-m", "storage.micros"],
        environment=_environment(marks, os.environ) | _POOLED,
        folder=settings.BASE_DIR,
        stop_seconds=settings.MICRO_REQUEST_SECONDS + 5.0,
        descriptors=[share_counts()[0]],
    )


def migrate_if_needed(tell: Callable[[str], None]) -> bool:
    """Apply the migrations that are missing; False when there are none, which is looked up in a moment.

    One node does it, others that start at the same time wait and `tell` so. Raises CommandError when the database was made by a
    version between two releases or by a newer one, and when another node takes too long.
    """
    waits = "Another node brings the database up to date. This one waits for it ..."
    try:
        with locks.in_turn("migrations", wait_seconds=MIGRATION_WAIT_SECONDS, tell=lambda: tell(waits)):
            return _migrate()
    except locks.StillBusy:
        raise CommandError(
            f"Another node has been bringing the database up to date for {MIGRATION_WAIT_SECONDS / 60:.0f} minutes. "
            "See what it says, then start this one again."
        ) from None


def _migrate() -> bool:
    _check_history()
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    with unhurried():
        call_command("migrate", interactive=False, verbosity=0)
    return True


def _check_history() -> None:
    """Refuse a database with migrations that are not known here, and one with only some of those that a squashed one replaces."""
    applied = MigrationRecorder(connection).applied_migrations().keys()
    loader = MigrationLoader(None)
    known = loader.disk_migrations
    replaced = {name for migration in known.values() for name in migration.replaces}
    # Packages may drop old migrations of theirs; an app that is not here came with a newer version.
    foreign = loader.migrated_apps - {"storage"}
    unknown = {each for each in applied - known.keys() - replaced if each[0] not in foreign}
    if unknown:
        raise CommandError(newer_schema.say(".".join(min(unknown))))
    for migration in known.values():
        if migration.app_label == "storage" and applied & set(migration.replaces) not in (
            set(),
            set(migration.replaces),
        ):
            raise CommandError(
                "This data was made by an unfinished version of Homeport from before 0.1.0 and cannot be upgraded. "
                "Start it with the version that made it, export its collections, and import them into a new data folder."
            )


def collect_static_if_changed() -> bool:
    """Gather, hash and compress the static files into the data folder, unless they are the same as last time.

    Raises CommandError when those that are there belong to somebody else, as after a start as root: what this process cannot
    read, the web processes cannot either.
    """
    stamp = settings.DATA / "static.stamp"
    now = _static_fingerprint()
    try:
        for folder, _, names in os.walk(settings.STATIC_ROOT, onerror=_raise):
            _check_access(Path(folder), os.R_OK | os.W_OK | os.X_OK)
            for name in names:
                _check_access(Path(folder, name), os.R_OK)
        if settings.STATIC_ROOT.is_dir() and stamp.is_file() and stamp.read_text() == now:
            return False
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        stamp.write_text(now)
    except PermissionError as error:
        raise CommandError(
            f"{error.filename} belongs to another user. It can be deleted with {settings.STATIC_ROOT} and {stamp}:"
            " they are made again at the next start."
        ) from None
    return True


def _check_access(path: Path, mode: int) -> None:
    if not os.access(path, mode):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _static_fingerprint() -> str:
    """A hash over the name, size and time of every static file, and of what gathers them."""
    digest = hashlib.sha256()
    read = [(name, Path(storage.path(name))) for finder in get_finders() for name, storage in finder.list([])]
    gathering = sorted(Path(static_files.__file__).parent.glob("*.py"))
    for name, path in [*read, *((path.name, path) for path in gathering)]:
        about = path.stat()
        digest.update(f"{name}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _web_variables() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if name in _WEB_VARIABLES or name.startswith(_WEB_PREFIXES)
    }


def _environment(marks: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    ours = {"DJANGO_SETTINGS_MODULE": "console.settings", "PYTHONUNBUFFERED": "1"}
    return {**variables, **ours, **share_counts()[1], **marks}


def share_counts() -> tuple[int, dict[str, str]]:
    """What all of these count in, and this process too: workers that a killed main process left behind still have their places
    while others begin. The descriptor, and the variable that tells a child of it."""
    return counted.share(places=settings.WORKERS * 2 + 8)
