"""`manage.py serve`: the whole of Homeport in one command, from the engines to the web listeners.

Owns the order in which things start and stop, and what the person in front of the terminal reads. How a thing is started
is said in `storage/embedded/` and `console/serving.py`.
"""

import errno
import importlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from filelock import FileLock, Timeout

from console import own_address, serving
from console.connect import python_client
from console.forked import in_fork
from storage import disk_space
from storage.backups.faults import BackupFault
from storage.backups.restoring import folders
from storage.embedded import (
    accounts,
    caddy,
    certificates,
    homes,
    leftovers,
    paths,
    ports,
    postgres,
    process,
    seaweedfs,
    state,
    upgrade,
)
from storage.embedded.micros import places, sockets
from storage.embedded.reserve import Reserve
from storage.embedded.stuck_journal import StuckJournal
from storage.embedded.upkeep import Upkeep
from storage.micros import hosts
from storage.postgres import poolers
from storage.s3 import blobs, durability
from storage.s3.cache import copies

logger = logging.getLogger("homeport.serve")

_TICK_SECONDS = 0.05
# Connections that wait until a worker accepts them.
_BACKLOG = 2048
_HTTPS_PORT = 443
# An engine that died this often in a row while we wait for it will not come up by itself.
_HOPELESS_AFTER = 4


# What is wrong with this machine or its settings: the message is for people.
_IN_WORDS = (
    BackupFault,
    accounts.AccountError,
    caddy.CaddyMissing,
    certificates.CertificateError,
    paths.PathError,
    state.StateError,
    upgrade.UpgradeError,
)


class Stopped(Exception):
    """Somebody asked serve to stop while it was still starting."""


class Command(BaseCommand):
    """Start everything, keep it running, and stop it again on Ctrl-C."""

    help = "Starts Homeport: its engines, the web server and the job worker. Ctrl-C stops it all."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--accept-engines",
            action="store_true",
            help="use the engines' data outside the data folder although it is of another time than the data folder",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Hold the data folder's lock for as long as the server runs."""
        self.children: list[process.Child] = []
        self.stop_asked = False
        self.is_up = False
        self.accepts_engines: bool = options["accept_engines"]
        self.upkeep = Upkeep()
        self.micros: process.Child | None = None
        with _in_words():
            paths.make_data_folder(settings.DATA)
            # From here on: the folders above it are not ours alone.
            os.umask(process.PRIVATE)
            try:
                with FileLock(settings.DATA / "serve.lock", timeout=0, mode=0o600):
                    self._serve()
            except Timeout:
                raise CommandError(self._already_running()) from None

    def _serve(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)
        self._prepare_state()
        serving.share_counts()
        self.tls_sockets += self._open_for_original_clients()
        self.micros_sockets = self._open_micros_socket() if hosts.can_run() else []
        self._open_for_caddy()
        self._note_address()
        try:
            self._start()
            self._watch()
        except Stopped:
            pass
        finally:
            self._stop()

    def _open_for_original_clients(self) -> list[socket.socket]:
        """Port 443 beside the one for https, as clients with a fixed host know no other. Where it can't be had, say so."""
        if not settings.ORIGINAL_HOSTS or not settings.TLS_PORT or settings.TLS_PORT == _HTTPS_PORT:
            return []
        try:
            if settings.CADDY_IS_ON and settings.CADDY_HTTPS_PORT == _HTTPS_PORT:
                raise OSError(errno.EADDRINUSE, "Caddy has it")
            return serving.open_sockets(_HTTPS_PORT)
        except OSError as error:
            self._say(
                f"Port {_HTTPS_PORT} is not to be had ({error.strerror}). Clients with a fixed host"
                f" ({', '.join(settings.ORIGINAL_HOSTS)}) reach this server once something passes {_HTTPS_PORT} on"
                f" to {settings.TLS_PORT}."
            )
            return []

    def _prepare_state(self) -> None:
        """Clear the way, take the ports, generate what is missing, and start over when the settings were loaded without it."""
        folders.refuse_unfinished(settings.DATA)
        old = state.load(settings.DATA)
        if old:
            upgrade.finish_swap((settings.DATA / old.engine_home).resolve())
        chosen: dict[str, Any] = {"used": self._engines_used(), "is_accepted": self.accepts_engines}
        # Before anything is ended: of a copy that is refused, they would be somebody else's engines.
        home = state.find_home(settings.DATA, old, **chosen)
        if old:
            at = (settings.DATA / (home or old.engine_home)).resolve()
            leftovers.clear(old.instance_id, settings.DATA, postgres.folder(at))
        paths.close_to_others(settings.DATA)
        # Before some are chosen for the engines.
        self.sockets = self._take_port(settings.PORT, "HOMEPORT_PORT")
        self.tls_sockets = self._take_port(settings.TLS_PORT, "HOMEPORT_TLS_PORT") if settings.TLS_PORT else []
        self.state = state.ensure(settings.DATA, engine_user=settings.ENGINE_USER, **chosen)
        if self.state != settings.LOCAL_STATE:
            sys.stdout.flush()
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 (our own command line again)
        self._say(f"Homeport keeps its data in {settings.DATA}")
        self.marks = leftovers.marks(self.state.instance_id, settings.DATA)

    def _note_made(self) -> None:
        self.state = state.note_made(settings.DATA, self.state)

    def _engines_used(self) -> list[str]:
        is_used = {homes.POSTGRES: not settings.DATABASE_URL, homes.SEAWEEDFS: settings.S3_IS_BUNDLED}
        return [name for name, used in is_used.items() if used]

    def _take_port(self, port: int, name: str) -> list[socket.socket]:
        try:
            return serving.open_sockets(port)
        except OSError:
            if not ports.is_free(settings.HOST, 0):
                raise CommandError(
                    f"{settings.HOST} is no address of this machine: choose another one with HOMEPORT_HOST"
                ) from None
            raise CommandError(
                f"{settings.HOST}:{port} is in use or not allowed."
                f" Choose another port, for example: {name}={port + 1} {serving.typed_command()} serve"
            ) from None

    def _open_micros_socket(self) -> list[socket.socket]:
        """Where Micros will reach the API."""
        at = places.places(self.state.home(settings.DATA))
        at.make()
        return [sockets.listen(at.api, backlog=_BACKLOG)]

    def _open_for_caddy(self) -> None:
        """The ports that it answers on, and the socket by which it reaches the web server."""
        self.caddy_sockets: list[socket.socket] = []
        if not settings.CADDY_IS_ON:
            return
        self.caddy_http = self._take_port(settings.CADDY_HTTP_PORT, "HOMEPORT_CADDY_HTTP_PORT")
        self.caddy_https = self._take_port(settings.CADDY_HTTPS_PORT, "HOMEPORT_CADDY_HTTPS_PORT")
        self.caddy = caddy.find(settings.DATA)
        self.caddy_sockets = [sockets.listen(self.caddy.socket, backlog=_BACKLOG)]
        if self.caddy.account:
            os.chown(self.caddy.socket, self.caddy.account.uid, self.caddy.account.gid, follow_symlinks=False)

    def _note_address(self) -> None:
        about = {"pid": os.getpid(), "address": own_address.url(settings.PORT, scheme="http")}
        with suppress(OSError):
            # Only `homeport` commands read it, and guess without it.
            paths.write_private_file(settings.DATA / own_address.ADDRESS_NOTE, json.dumps(about))

    def _already_running(self) -> str:
        try:
            about = json.loads((settings.DATA / own_address.ADDRESS_NOTE).read_text())
            where = f": process {about['pid']} serves it at {about['address']}"
        except (OSError, ValueError, KeyError):
            where = ""
        return f"Homeport is running already on {settings.DATA}{where}. For a second one, set HOMEPORT_DATA and HOMEPORT_PORT."

    def _start(self) -> None:
        """The engines start side by side; the web server waits for the database alone."""
        started = time.monotonic()
        if settings.TLS_PORT or self.micros_sockets:
            self.certificates = certificates.ensure(settings.DATA, serving.certificate_names())
        if self._engines_used():
            self._start_engines()
        self._wait("PostgreSQL", _find_database_fault)
        if settings.DATABASE_URL:
            self._wait("What leads to PostgreSQL", self._find_way_fault)
        in_fork(self._prepare)
        self.upkeep.attempt("The copies of files", copies.tidy)
        self._start_web()
        self._wait("The web server", self._find_web_fault)
        if self.caddy_sockets:
            self._run(serving.caddy_child(self.caddy, self.caddy_http, self.caddy_https, marks=self.marks))
        self._run(serving.jobs_child(marks=self.marks))
        self._wait("S3", blobs.find_fault)
        if settings.S3_IS_BUNDLED:
            # It is up by now and may serve what is there: a full disk has to be waited for, and is no reason to end.
            self._wait("SeaweedFS", self._find_durability_fault)
        for finding in durability.find_problems():
            self._say(f"{finding.title} {finding.what_to_do}")
        if self._engines_used():
            self.upkeep.attempt(state.FILE_NAME, self._note_made)
        if self.micros_sockets:
            # Nothing else waits for it, or needs it.
            self.micros = serving.micros_child(marks=self.marks)
            self._run(self.micros)
        self._greet(time.monotonic() - started)

    def _prepare(self) -> None:
        """What the web server needs before it starts. Raises CommandError."""
        with _in_words():
            if serving.migrate_if_needed(self._say):
                self._say("The database is up to date.")
            serving.collect_static_if_changed()
            python_client.build_wheel_if_changed()

    def _find_way_fault(self) -> str | None:
        """What keeps a pooler from being looked at, which may come up later than PostgreSQL itself."""
        urls = (settings.DATABASE_URL, settings.DIRECT_DATABASE_URL)
        try:
            for sentence in poolers.check(*urls, session_settings=settings.SESSION_SETTINGS):
                self._say(sentence)
        except poolers.Refused as error:
            raise CommandError(str(error)) from None
        except psycopg.Error as error:
            return str(error).strip() or type(error).__name__
        return None

    def _start_engines(self) -> None:
        self.account = accounts.engine_account(settings.ENGINE_USER)
        self.home = self.state.home(settings.DATA)
        paths.prepare_home(settings.DATA, self.home, self.account)
        size = settings.DISK_RESERVE_MB * 1_048_576
        self.upkeep.keep(Reserve(self.home, size_bytes=size, keep_free_bytes=disk_space.reserved_bytes()))
        self.state = state.claim_home(settings.DATA, self.state)
        if not settings.DATABASE_URL:
            upgrade.check_major(postgres.folder(self.home), command=f"{serving.typed_command()} upgrade")
        if not self.home.is_relative_to(settings.DATA):
            self._say(
                f"The user {settings.ENGINE_USER} can't reach {settings.DATA}, so the engines' data is in {self.home}"
            )
        self.binaries = paths.binaries(self.account)
        common: dict[str, Any] = {"binaries": self.binaries, "account": self.account}
        if settings.S3_IS_BUNDLED:
            child = seaweedfs.child(self.home, self.state.s3, marks=self.marks, **common)
            self._run(child)
            self.upkeep.watch(StuckJournal(child))
        if not settings.DATABASE_URL:
            if not postgres.folder(self.home).is_dir():
                self._say("Creating the database ...")
            postgres.initialise(self.home, self.state.postgres, **common)
            self.state = state.note_made(settings.DATA, self.state)
            self.upkeep.attempt("The role for backups", self._ensure_backup_role)
            limit = serving.max_connections()
            self._run(postgres.child(self.home, self.state.postgres, marks=self.marks, max_connections=limit, **common))

    def _ensure_backup_role(self) -> None:
        postgres.ensure_backup_role(self.home, self.state.postgres, binaries=self.binaries, account=self.account)

    def _start_web(self) -> None:
        made = self.certificates if settings.TLS_PORT or self.micros_sockets else None
        opened = (self.sockets, self.tls_sockets, self.micros_sockets, self.caddy_sockets)
        serving.answer_on((*self.sockets, *self.tls_sockets), backlog=_BACKLOG)
        self._run(serving.web_child(*opened, marks=self.marks, certificates=made))

    def _run(self, child: process.Child) -> None:
        self.children.append(child)
        child.start()

    def _wait(self, name: str, find_fault: Callable[[], str | None]) -> None:
        """Wait until it answers, for as long as it takes and its process lives; say every few seconds what is going on."""
        told = time.monotonic()
        while fault := find_fault():
            self._tick()
            if time.monotonic() - told > 3:
                told = time.monotonic()
                doing = (
                    "is replaying its log after a crash"
                    if postgres.is_recovering(fault)
                    else f"does not answer yet: {fault}"
                )
                self._say(f"{name} {doing} ...")
            time.sleep(_TICK_SECONDS)
        self._tick()

    def _tick(self) -> None:
        """Notice what died; give up on what can't be started, and start nothing more once we were asked to stop."""
        if self.stop_asked:
            raise Stopped
        for child in self.children:
            self.upkeep.attempt(child.name, child.tick)
            if child.quick_deaths >= _HOPELESS_AFTER and not self.is_up:
                raise CommandError(f"{child.name} does not start. Its last output:\n{child.last_words()}")
        self.upkeep.maintain(self.children)

    def _watch(self) -> None:
        """Keep everything running until somebody asks us to stop."""
        self.is_up = True
        while True:
            self._tick()
            time.sleep(_TICK_SECONDS)

    def _stop(self) -> None:
        """First those who use the engines, then the engines; Micros go once nobody is there who asks them."""
        engines = [child for child in self.children if child.account or child.log]
        micros = [child for child in self.children if child is self.micros]
        users = [child for child in self.children if child not in (*engines, *micros)]
        if users:
            self._say("Stopping. Running requests may finish ...")
        for each in (users, micros, engines):
            process.stop_all(each)
        # Web workers that a killed main process left behind.
        leftovers.clear(self.state.instance_id, settings.DATA, postgres.folder(self.state.home(settings.DATA)))
        seaweedfs.remove_sockets(self.state.home(settings.DATA), self.state.s3)
        with suppress(OSError):
            (settings.DATA / own_address.ADDRESS_NOTE).unlink(missing_ok=True)
        self._say("Stopped.")

    def _ask_to_stop(self, number: int, frame: object) -> None:
        self.stop_asked = True

    def _find_durability_fault(self) -> str | None:
        try:
            seaweedfs.make_durable(self.home, self.state.s3, binaries=self.binaries, account=self.account)
        except subprocess.CalledProcessError as error:
            return str(error.output).strip()[-300:]
        except (subprocess.TimeoutExpired, RuntimeError) as error:
            return str(error)
        return None

    def _find_web_fault(self) -> str | None:
        try:
            with urllib.request.urlopen(f"{own_address.url(settings.PORT, scheme='http')}/healthz", timeout=1):  # noqa: S310 (our own)
                return None
        except OSError as error:
            return str(error)

    def _greet(self, seconds: float) -> None:
        """Tell how to go on from here."""
        self._say(f"\nHomeport is ready ({seconds:.1f} s). Ctrl-C stops it.\n")
        self._say(f"  {own_address.url(settings.PORT, scheme='http')}{settings.URL_PREFIX}")
        if settings.TLS_PORT:
            https = own_address.url(settings.TLS_PORT, scheme="https")
            self._say(f"  {https}{settings.URL_PREFIX}   (for clients that speak https only)")
            ca = self.certificates.authority
            self._say(f"     They trust it with NODE_EXTRA_CA_CERTS={ca} or SSL_CERT_FILE={ca}")
        link = _sign_in_url()
        if link:
            self._say(f"\n  Sign-in link, works once: {link}")
        self._say("\n  A data key for your app, in another terminal:")
        self._say(f"     {serving.typed_command()} collection create NAME")
        self._say(f"     {serving.typed_command()} datakey create COLLECTION_ID NAME\n")

    def _say(self, line: str) -> None:
        # Nobody may be reading any more, or the disk with the output be full.
        with suppress(OSError):
            self.stdout.write(line)
            self.stdout.flush()


@contextmanager
def _in_words() -> Iterator[None]:
    """Say in a sentence what is wrong with this machine or its settings. Raises CommandError."""
    try:
        yield
    except _IN_WORDS as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(_sentence(error)) from error
    except subprocess.CalledProcessError as error:
        raise CommandError(f"{Path(error.cmd[0]).name} failed:\n{error.output}") from error


def _find_database_fault() -> str | None:
    fault = postgres.find_fault(connection.get_connection_params())
    if sentence := poolers.refusal(fault or ""):
        raise CommandError(sentence)
    return fault


def _sentence(error: OSError) -> str:
    """What the system said, for people: with the file it was about."""
    about = f"{error.filename}: " if error.filename else ""
    return f"{about}{error.strerror or error}"


def _sign_in_url() -> str | None:
    """The one-time link of a server that nobody has signed in to."""
    try:
        link: str | None = in_fork(lambda: importlib.import_module("console.accounts.first_run").sign_in_url())
    except Exception:
        # The server is already running: a fault in a page's address must not end it.
        logger.exception("The sign-in link could not be made.")
        return None
    return link
