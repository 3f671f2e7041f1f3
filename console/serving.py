"""What `serve` runs besides the engines: the web listeners and the job worker, and their preparation.

Owns granian's options and the preparation of database and static files. The order of things, and their supervision, are
the command's (`management/commands/serve.py`).
"""

import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from storage.embedded import paths
from storage.embedded.certificates import Certificates
from storage.embedded.process import Child

# What a running serve notes of itself in the data folder.
ADDRESS_NOTE = "serve.json"
# How long requests that are under way may go on once the server was asked to stop.
DRAIN_SECONDS = 15
# The server reads a body inside the thread that answers it, and a slow client holds that thread for as long as it likes. Threads
# are made as they are needed and go when they idle; what bounds the work at once is the pool of database connections.
_THREADS_PER_WORKER = 256
# What of our own environment the web processes get: granian copies all of theirs into every request, where `HTTP_PROXY` would
# pass for a header. These are our settings, and what Python and the clients of the engines read.
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
_WEB_PREFIXES = ("HOMEPORT_", "S3_", "PG", "PYTHON", "LC_", "SSL_CERT_")
# Connections one worker holds open at a time. Idle ones cost little, and must not keep others out.
_CONNECTIONS_PER_WORKER = 1024


def url(port: int, *, scheme: str) -> str:
    """A listener's address as one would type it on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.HOST, settings.HOST)  # noqa: S104 (compared, not bound)
    return f"{scheme}://{f'[{host}]' if ':' in host and '[' not in host else host}:{port}"


def typed_command() -> str:
    """How a person types our commands, as serve was started itself: `homeport` when that is enough to find it."""
    program = Path(sys.argv[0])
    if program.name == "homeport":
        return "homeport" if shutil.which("homeport") == str(program) else str(program)
    python = sys.executable.removeprefix(f"{Path.cwd()}/")
    return f"{python} {'-m homeport' if program.name == '__main__.py' else program.name}"


def noted_address() -> str:
    """Where the server of this data folder said it answers; where it would, if it never ran."""
    try:
        return str(json.loads((settings.DATA / ADDRESS_NOTE).read_text())["address"])
    except (OSError, ValueError, KeyError):
        return url(settings.PORT, scheme="http")


def certificate_names() -> list[str]:
    """The names and addresses people may reach this server by, besides this machine's own."""
    names = [name.strip("[]") for name in (settings.HOST, *settings.ALLOWED_HOSTS)]
    return [name for name in names if name not in ("*", "0.0.0.0", "::") and not name.startswith(".")]  # noqa: S104


def max_connections() -> int:
    """How many database connections the bundled Postgres must allow.

    Every worker keeps its own and one to record requests with, on each listener; a worker that was killed and its successor
    overlap for a moment.
    The rest is for the job worker, commands and probes.
    """
    listeners = 2 if settings.TLS_PORT else 1
    return settings.WORKERS * (settings.CONNECTIONS + 1) * listeners * 2 + 40


def web_child(port: int, *, marks: Mapping[str, str], certificates: Certificates | None = None) -> Child:
    """One listener with its workers: http, or https when there are certificates."""
    options = {
        "interface": "wsgi",
        "host": settings.HOST,
        "port": str(port),
        "http": "1",
        "workers": str(settings.WORKERS),
        "blocking-threads": str(_THREADS_PER_WORKER),
        "backlog": "2048",
        "backpressure": str(_CONNECTIONS_PER_WORKER),
        "respawn-interval": "0.1",
        "workers-kill-timeout": str(DRAIN_SECONDS),
        # Its warnings are advice about our own options.
        "log-level": "error",
        "log-config": str(_write_log_config()),
    }
    if certificates:
        options |= {
            "ssl-certificate": str(certificates.certificate),
            "ssl-keyfile": str(certificates.key),
            "ssl-protocol-min": "tls1.2",
        }
    command = [sys.executable, "-m", "console.listener", "--factory", "--no-ws", "--respawn-failed-workers"]
    for name, value in options.items():
        command += [f"--{name}", value]
    return Child(
        name="The https listener" if certificates else "The http listener",
        command=[*command, "console.wsgi:make_application"],
        environment=_environment(marks, _web_variables()),
        folder=settings.BASE_DIR,
        stop_seconds=DRAIN_SECONDS + 1.0,
        # It takes its workers along, which a harsher end would leave behind.
        death_signal=signal.SIGTERM,
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
            "worker",
            # A large deletion or count must not keep the others waiting.
            "--concurrency",
            "4",
            "--shutdown-graceful-timeout",
            "5",
            "--delete-jobs",
            "successful",
        ],
        environment=_environment(marks, os.environ) | {"HOMEPORT_STATEMENT_TIMEOUT_MS": "0"},
        folder=settings.BASE_DIR,
        stop_seconds=7.0,
        death_signal=signal.SIGTERM,
    )


def migrate_if_needed() -> bool:
    """Apply the migrations that are missing; False when there are none, which is looked up in a moment.

    Raises CommandError when the database was made by a version between two releases, or by a newer one.
    """
    _check_history()
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
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
        raise CommandError(
            f"This data was made by a newer version of Homeport (the database has {'.'.join(min(unknown))}, which this one "
            "does not know): start that version or a later one. Nothing was changed."
        )
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
    """Gather, hash and compress the static files into the data folder, unless they are the same as last time."""
    stamp = settings.DATA / "static.stamp"
    now = _static_fingerprint()
    if settings.STATIC_ROOT.is_dir() and stamp.is_file() and stamp.read_text() == now:
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(now)
    return True


def _static_fingerprint() -> str:
    """A hash over the name, size and time of every static file."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            about = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _write_log_config() -> Path:
    """granian reads its logging from a file: ours, so that its entries look like the others."""
    path = settings.DATA / "granian-log.json"
    paths.write_private_file(path, json.dumps(settings.LOGGING))
    return path


def _web_variables() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if name in _WEB_VARIABLES or name.startswith(_WEB_PREFIXES)
    }


def _environment(marks: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    return {**variables, "DJANGO_SETTINGS_MODULE": "console.settings", "PYTHONUNBUFFERED": "1", **marks}
