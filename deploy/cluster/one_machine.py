"""A cluster of three machines on this one, to try it and for the tests.

    python -m deploy.cluster.one_machine FOLDER

Each of the three has an address of its own (127.x.y.1 to 3) and a folder with the files of `machine/`, filled in. So ports and
files are those of real machines, and `docs/scaling.md` says how each piece goes there. What dies here is not started again, so
that one sees what its absence does; on real machines systemd does that. Ctrl-C stops all.
"""

import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from string import Template

import psutil
import psycopg
import urllib3

from deploy.cluster import certificates
from storage.embedded import accounts, paths, process
from storage.embedded.accounts import Account
from storage.embedded.micros import programs
from storage.embedded.process import Child

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = Path(__file__).with_name("machine")
NAMES = ("one", "two", "three")
# In the order in which they are started. Each waits by itself for what it needs of the others.
PIECES = ("etcd", "patroni", "master", "volume", "haproxy", "filer", "pgbouncer", "homeport")
_FROM_DEBIAN = {"etcd": "etcd-server", "haproxy": "haproxy", "pgbouncer": "pgbouncer"}
_SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_START_SECONDS = 120.0
_MAKE_BUCKET = "s3.bucket.create -name homeport\n"
# Every write is on the disks of two machines before it is acknowledged. New volumes come as three pairs: with one machine of the
# three gone, there is a pair left to write to.
_MAKE_DURABLE = """fs.configure -locationPrefix=/buckets/ -fsync -replication=001 -volumeGrowthCount=6 -apply
fs.configure
"""


class ClusterError(Exception):
    """The cluster can't be set up here; the message says why."""


def missing_programs() -> list[str]:
    """The Debian packages that are needed and not there."""
    return [package for program, package in _FROM_DEBIAN.items() if shutil.which(program, path=_SBIN) is None]


@dataclass
class Settings:
    """What is the same on all machines: made once, and kept in the cluster's folder."""

    network: str
    superuser_password: str = field(default_factory=secrets.token_hex)
    replicator_password: str = field(default_factory=secrets.token_hex)
    rewinder_password: str = field(default_factory=secrets.token_hex)
    homeport_password: str = field(default_factory=secrets.token_hex)
    seaweedfs_password: str = field(default_factory=secrets.token_hex)
    volume_token: str = field(default_factory=secrets.token_hex)
    volume_read_token: str = field(default_factory=secrets.token_hex)
    filer_token: str = field(default_factory=secrets.token_hex)
    filer_read_token: str = field(default_factory=secrets.token_hex)
    s3_access_key: str = field(default_factory=secrets.token_hex)
    s3_secret_key: str = field(default_factory=secrets.token_hex)
    secret_key: str = field(default_factory=secrets.token_urlsafe)

    def address(self, name: str) -> str:
        """The address of a machine."""
        return f"{self.network}.{NAMES.index(name) + 1}"


def fill(settings: Settings, name: str, **places: str) -> dict[str, str]:
    """The files of a machine with this name, by theirs. `places` are what differs from set-up to set-up."""
    addresses = {each: settings.address(each) for each in NAMES}
    values = {
        **asdict(settings),
        **addresses,
        **places,
        "name": name,
        "me": addresses[name],
        "names": ",".join(addresses.values()),
    }
    return {path.name: Template(path.read_text()).substitute(values) for path in sorted(TEMPLATES.iterdir())}


@dataclass
class Machine:
    """One of the three: its files, and its pieces as processes."""

    name: str
    address: str
    folder: Path
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def etc(self) -> Path:
        """Where its configuration is."""
        return self.folder / "etc"

    @property
    def data(self) -> Path:
        """Where its pieces keep what they have."""
        return self.folder / "data"

    def postgres_processes(self) -> list[psutil.Process]:
        """All of PostgreSQL's, which Patroni started: those that work in the folder of its data."""
        place = str(self.data / "postgres")
        return [each for each in psutil.process_iter() if _folder_of(each) == place]

    def kill_postgres(self) -> None:
        """kill -9 all of PostgreSQL's. One that was left over would hold its memory, and it could not be started again."""
        while found := self.postgres_processes():
            signal_all(found, signal.SIGKILL)
            psutil.wait_procs(found, timeout=1)

    def start(self, *pieces: str) -> None:
        """Start these pieces, or all."""
        for piece in pieces or PIECES:
            if piece in self.children and not self.children[piece].is_running():
                self.children[piece].start()

    def kill(self, *pieces: str) -> None:
        """kill -9 these pieces, or all: as when the machine loses its power. PostgreSQL dies with Patroni."""
        chosen = [piece for piece in pieces or PIECES if piece in self.children]
        found = []
        for piece in chosen:
            running = self.children[piece].process
            if running is not None and self.children[piece].is_running():
                found += [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
        signal_all(found, signal.SIGKILL)
        if "patroni" in chosen:
            self.kill_postgres()
        psutil.wait_procs(found, timeout=_START_SECONDS)
        for piece in chosen:
            self.children[piece].finish_stop(until=time.monotonic())


def _folder_of(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""


def signal_all(found: Iterable[psutil.Process], number: signal.Signals) -> None:
    """Send it to each that still is."""
    for each in found:
        try:
            each.send_signal(number)
        except psutil.NoSuchProcess:
            continue


class Cluster:
    """Three machines on this one."""

    def __init__(
        self, folder: Path, *, shared_buffers: str = "32MB", environment: Mapping[str, str] | None = None
    ) -> None:
        """`environment`: more settings for the web nodes. Raises ClusterError when a program is missing."""
        if missing_programs():
            raise ClusterError(f"Install {', '.join(missing_programs())} first: apt-get install them.")
        self.folder = folder
        self._account = accounts.engine_account(accounts.OWN)
        self._binaries = paths.binaries(self._account)
        self._python = _reachable_python(self._account)
        self._shared_buffers = shared_buffers
        self._environment = environment or {}
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
        self.settings = self._load_settings()
        self.machines = {name: Machine(name, self.settings.address(name), folder / name) for name in NAMES}
        self._is_new = not self.machines["one"].etc.exists()
        for machine in self.machines.values():
            self._write_files(machine)
            machine.children = {piece: self._child(machine, piece) for piece in PIECES}
        ca = str(self.machines["one"].etc / "ca.pem")
        self._http = urllib3.PoolManager(ca_certs=ca, retries=False, timeout=urllib3.Timeout(2))

    def start(self) -> None:
        """Start all; returns when each node answers. Raises ClusterError with the end of a log when one does not."""
        for piece in PIECES:
            if piece == "haproxy":
                # Before there is a standby nothing can be written.
                self._until(lambda: self.synchronous() is not None, "patroni")
            for machine in self.machines.values():
                if piece == "filer":
                    # Without the database it ends.
                    self._until(partial(self._leads_to_database, machine), "haproxy")
                machine.start(piece)
                if piece == "filer" and self._is_new:
                    # The first makes the tables; the others would give up while it does.
                    self._until(self._files_are_set_up, "filer")
                    self._is_new = False
        for machine in self.machines.values():
            self._until(partial(self.answers, f"{self.node_url(machine)}/readyz"), "homeport")

    def stop(self) -> None:
        """Stop all, what needs the others first."""
        for piece in reversed(PIECES):
            process.stop_all(machine.children[piece] for machine in self.machines.values())
        for machine in self.machines.values():
            machine.kill()

    def leader(self) -> Machine | None:
        """The machine that Patroni says leads; None while none does."""
        for machine in self.machines.values():
            if self.answers(f"https://{machine.address}:8008/primary"):
                return machine
        return None

    def synchronous(self) -> Machine | None:
        """The one whose word each commit waits for."""
        for machine in self.machines.values():
            if self.answers(f"https://{machine.address}:8008/synchronous"):
                return machine
        return None

    def ask_patroni(self, machine: Machine, method: str, path: str, body: object = None) -> tuple[int, str]:
        """A request to Patroni's REST API, with the certificate that changes want; status and answer."""
        pool = urllib3.PoolManager(
            ca_certs=str(machine.etc / "ca.pem"),
            cert_file=str(machine.etc / "machine.pem"),
            key_file=str(machine.etc / "machine.key"),
            retries=False,
            timeout=urllib3.Timeout(60),
        )
        answer = pool.request(method, f"https://{machine.address}:8008{path}", json=body)
        return answer.status, answer.data.decode()

    def url(self, name: str) -> str:
        """Where clients come in on a machine: its HAProxy, which leads to any node."""
        return f"http://{self.machines[name].address}:8080"

    def node_url(self, machine: Machine) -> str:
        """A machine's own node."""
        return f"http://{machine.address}:8000"

    def node_environment(self, machine: Machine) -> dict[str, str]:
        """With which a command such as `manage.py shell` speaks for a machine's node."""
        lines = (machine.etc / "homeport.env").read_text().splitlines()
        told = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        return {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("HOMEPORT_", "S3_", "DATABASE_"))
            },
            **told,
            "HOMEPORT_DATA": str(machine.folder / "homeport"),
            **self._environment,
        }

    def weed_shell(self, commands: str, *, seconds: float = 60) -> str:
        """Give `weed shell` lines of commands; what it printed.

        Raises subprocess.SubprocessError, and ClusterError when no filer runs.
        """
        machine = next((each for each in self.machines.values() if each.children["filer"].is_running()), None)
        if machine is None:
            raise ClusterError("No filer runs.")
        masters = ",".join(f"{each.address}:9333" for each in self.machines.values())
        command = [
            str(self._binaries.weed),
            f"-config_dir={machine.etc}",
            "shell",
            f"-master={masters}",
            f"-filer={machine.address}:8888",
        ]
        environment = process.engine_environment(machine.data, marks={})
        return process.run_tool(command, environment=environment, account=self._account, text=commands, seconds=seconds)

    def _load_settings(self) -> Settings:
        kept = self.folder / "settings.json"
        if kept.exists():
            return Settings(**json.loads(kept.read_text()))
        made = Settings(network=f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}")  # noqa: S311
        paths.write_private_file(kept, json.dumps(asdict(made)))
        return made

    def _write_files(self, machine: Machine) -> None:
        machine.folder.mkdir(mode=0o711, exist_ok=True)
        for folder in (
            machine.etc,
            machine.data,
            *(machine.data / name for name in ("run", "tmp", "master", "volumes")),
        ):
            paths.make_private_folder(folder, self._account)
        if self._is_new and machine.name == NAMES[0]:
            self._certificates = certificates.issue({name: self.settings.address(name) for name in NAMES})
        texts = fill(
            self.settings,
            machine.name,
            network="127.0.0.0/8",
            etc=str(machine.etc),
            data=str(machine.data),
            postgres=str(self._binaries.postgres),
            shared_buffers=self._shared_buffers,
        )
        if self._is_new:
            texts |= self._certificates[machine.name]
        for name, text in texts.items():
            paths.write_private_file(machine.etc / name, text, self._account)

    def _child(self, machine: Machine, piece: str) -> Child:
        environment = process.engine_environment(machine.data, marks={}) | {"PATH": _SBIN}
        if piece in ("master", "volume", "filer"):
            environment["GOMEMLIMIT"] = "256MiB"
        if piece == "patroni":
            environment |= self._python.environment
        if piece == "homeport":
            environment = self.node_environment(machine)
        return Child(
            name=f"{piece} of {machine.name}",
            command=self._command(machine, piece),
            environment=environment,
            folder=ROOT if piece == "homeport" else machine.data,
            account=None if piece == "homeport" else self._account,
            log=machine.folder / "homeport.log" if piece == "homeport" else machine.data / f"{piece}.log",
            stop_signal=signal.SIGINT if piece == "pgbouncer" else signal.SIGTERM,
            stop_seconds=30.0 if piece in ("homeport", "patroni") else 3.0,
        )

    def _command(self, machine: Machine, piece: str) -> list[str]:
        etc = machine.etc
        if piece == "patroni":
            return [str(self._python.program), "-m", "patroni", str(etc / "patroni.yaml")]
        if piece in ("master", "volume", "filer"):
            weed = [str(self._binaries.weed), "-logtostderr=true", f"-config_dir={etc}"]
            return [*weed, piece, f"-options={etc / piece}.options"]
        return {
            "etcd": ["etcd", f"--config-file={etc / 'etcd.yaml'}"],
            "haproxy": ["haproxy", "-db", "-f", str(etc / "haproxy.cfg")],
            "pgbouncer": ["pgbouncer", str(etc / "pgbouncer.ini")],
            "homeport": [sys.executable, "manage.py", "serve"],
        }[piece]

    def _files_are_set_up(self) -> bool:
        try:
            if "homeport" not in self.weed_shell("s3.bucket.list\n", seconds=20):
                self.weed_shell(_MAKE_BUCKET, seconds=20)
            return '"fsync":  true' in self.weed_shell(_MAKE_DURABLE, seconds=20)
        except (subprocess.SubprocessError, ClusterError):
            return False

    def _leads_to_database(self, machine: Machine) -> bool:
        password = self.settings.seaweedfs_password
        try:
            psycopg.connect(
                host=machine.address,
                port=5433,
                user="seaweedfs",
                password=password,
                dbname="seaweedfs",
                connect_timeout=3,
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    def answers(self, url: str) -> bool:
        """Whether it is answered by 200."""
        try:
            return self._http.request("GET", url).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def _until(self, is_so: Callable[[], bool], piece: str) -> None:
        started = time.monotonic()
        while not is_so():
            dead = [
                child
                for machine in self.machines.values()
                for child in machine.children.values()
                if child.process is not None and not child.is_running()
            ]
            is_late = time.monotonic() - started > _START_SECONDS
            if is_late or any(not child.name.startswith("filer") for child in dead):
                told = dead or [machine.children[piece] for machine in self.machines.values()]
                raise ClusterError("\n".join(f"{child.name} does not come up:\n{child.last_words()}" for child in told))
            for filer in dead:
                # Its connection to the database was cut: systemd would start it again as well.
                filer.start()
            time.sleep(0.2)


@dataclass(frozen=True)
class _Python:
    program: Path
    environment: Mapping[str, str]


def _reachable_python(account: Account | None) -> _Python:
    """A Python that the engines' user can run, and with what it finds its library and our packages. Raises ClusterError."""
    packages = sysconfig.get_path("purelib")
    if account and not paths.reaches(account, Path(packages)):
        raise ClusterError(f"The user {account.name!r} can't reach the packages in {packages}.")
    found = programs.find_python(Path(sys.executable), account)
    environment = {"PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1"}
    if found.folder != found.prefix:  # a copy, which would take the system's library for its own
        environment["LD_LIBRARY_PATH"] = str(found.folder / "lib")
    return _Python(found.folder / found.executable.relative_to(found.prefix), environment)


def main(folder: str) -> None:
    """Set it up, say where it is, and wait for Ctrl-C."""
    cluster = Cluster(Path(folder).resolve())
    try:
        cluster.start()
        for name, machine in cluster.machines.items():
            print(f"{name}: {cluster.url(name)} (its own node {cluster.node_url(machine)}), files in {machine.folder}")  # noqa: T201
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        cluster.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
