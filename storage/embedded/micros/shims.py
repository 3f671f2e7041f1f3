"""The folder that every sandbox has as `/homeport`: the shims of `runtimes/`, and for Python what they serve with.

    python/start.py, python/homeport_runtime/   what stands around a Python app
    python/lib/                                 the web server, and the `deta` library with what it needs
    node/                                       what stands around a Node app

The packages are those this server itself was installed with, so laying the folder out takes no network.
"""

import hashlib
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# The web server, `deta`'s connections, and what these need on interpreters older than the server's own.
PACKAGES = ("uvicorn", "a2wsgi", "httptools", "httpx", "typing_extensions", "exceptiongroup")
_STAMP = "fingerprint"
_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".*", "ruff.toml")
_REQUIRED = re.compile(r"^([A-Za-z0-9._-]+)(?!.*\bextra\b)")


def lay_out(target: Path) -> bool:
    """Make the folder at `target`, readable for everyone; False when the one that is there is the same already.

    Raises OSError.
    """
    fingerprint = _fingerprint()
    stamp = target / _STAMP
    if stamp.is_file() and stamp.read_text() == fingerprint:
        return False
    new = target.with_name(f"{target.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    lib = new / "python" / "lib"
    shutil.copytree(ROOT / "runtimes", new, ignore=_NOT_COPIED)
    shutil.copytree(ROOT / "clients/python/src/deta", lib / "deta", ignore=_NOT_COPIED)
    for name in _with_what_they_need(PACKAGES):
        _copy_package(name, lib)
    for path in (new, *new.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (new / _STAMP).write_text(fingerprint)
    (new / _STAMP).chmod(0o644)
    shutil.rmtree(target, ignore_errors=True)
    new.rename(target)
    return True


def compile_for(target: Path, python: str) -> None:
    """Compile the Python files for one interpreter, which cannot keep them itself: inside, the folder is read-only."""
    subprocess.run(
        [python, "-I", "-S", "-m", "compileall", "-q", str(target / "python")],
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    for path in target.rglob("__pycache__"):
        for each in (path, *path.iterdir()):
            # Whatever the umask was, Micros read it.
            each.chmod(0o755 if each.is_dir() else 0o644)


def oldest_python() -> tuple[int, int]:
    """The oldest Python that all of the packages run on, such as (3, 10)."""
    minors = [9]
    for name in _with_what_they_need(PACKAGES):
        minors += map(int, re.findall(r">=\s*3\.(\d+)", distribution(name).metadata["Requires-Python"] or ""))
    return (3, max(minors))


def _with_what_they_need(names: tuple[str, ...]) -> list[str]:
    """The packages and all that they require without an extra, as far as it is installed here."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        found[name] = None
        waiting += [match[1] for line in requires if (match := _REQUIRED.match(line))]
    return sorted(found)


def _copy_package(name: str, lib: Path) -> None:
    for file in distribution(name).files or []:
        if ".." in file.parts or "__pycache__" in file.parts:
            continue  # its commands, which belong into a bin folder
        target = lib / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(str(file.locate())), target)


def _fingerprint() -> str:
    """A hash over our own files, and the versions of the packages."""
    digest = hashlib.sha256()
    for folder in (ROOT / "runtimes", ROOT / "clients/python/src/deta"):
        paths = (path for path in folder.rglob("*") if path.suffix in (".py", ".cjs", ".txt"))
        for path in sorted(paths):
            digest.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    for name in _with_what_they_need(PACKAGES):
        digest.update(f"{name} {distribution(name).version}\n".encode())
    return digest.hexdigest()
