"""What is run inside a sandbox to install what an app asks for. Pure: it looks at the code and says the commands.

Python: `requirements.txt`, else the dependencies of `pyproject.toml`, by uv. Node: `package.json`, by npm, and exactly what a
lock file says when there is one; no package's install scripts run. Packages go into a folder of their own, never into the code.

A package `deta` is left out for Python, whoever asks for it: the index has a foreign one of that name, and the sandbox has ours.
For Node it is the app's own; an app that names it in its code alone gets the last one that was published.
"""

import contextlib
import hashlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.embedded.micros.commands import Paths
from storage.embedded.micros.runtimes import PYTHON

DETA_FOR_NODE = "2.0.0"
LOCK_FILES = ("npm-shrinkwrap.json", "package-lock.json")
SCANNED_MAX_BYTES = 1_048_576  # of one script, in which `deta` is looked for

_NAMES_DETA = re.compile(rb"""["']deta["']""")
_INCLUDE = re.compile(r"^[^\S\n]*+(?:-r|--requirement|-c|--constraint)(?:[^\S\n]|=)++(\S++)", re.MULTILINE)
# Local paths, of which no file of requirements says what they hold.
_LOCAL = re.compile(r"^[^\S\n]*+(?:-e\s|--editable|\.|/|file:)|@[^\S\n]*+file:", re.MULTILINE)
# Addresses of the foreign package, which uv would fetch to learn its name.
_FOREIGN = re.compile(
    r"^[^#\n]*(?:#egg=deta\b(?![-_.])|/deta-\d[^/\s]*\.(?:whl|tar\.gz|zip)|github\.com/deta/deta-python).*$",
    re.MULTILINE | re.IGNORECASE,
)
# What is installed "editable" stays where its code is, and that is gone after the build.
_EDITABLE = re.compile(r"^[ \t]*(?:-e|--editable)[ \t=]+", re.MULTILINE)
_CLEANED = ".requirements"
# Building what lies in the code writes beside it, and the code is for reading alone: it is built in a copy.
_IN_A_COPY = ["/bin/sh", "-c", 'cp -r "$1" "$2" && cd "$2" && shift 2 && exec "$@"', "sh"]
_PYPROJECT_ASKS = re.compile(r"^[^\S\n]*+(?:\[project\]|\[tool\.poetry\.dependencies\])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: files to write into the folder of packages first, folders of theirs included, then commands, of which
    each has to end with 0.

    `digest` is of all that is asked for: two plans with the same install the same. Nothing is asked for when there are no
    commands.
    """

    digest: str = ""
    commands: Sequence[Sequence[str]] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    folder: str = ""  # that the commands are run in, as seen from inside
    environment: Mapping[str, str] = field(default_factory=dict)


def plan(code: Path, kind: str, series: str, *, paths: Paths) -> Plan:
    """For the code in a folder and an interpreter's series (`3.11`). Raises OSError for files that can't be read."""
    return _plan_python(code, series, paths) if kind == PYTHON else _plan_node(code, series, paths)


def _plan_python(code: Path, series: str, paths: Paths) -> Plan:
    asked = next((name for name in ("requirements.txt", "pyproject.toml") if _asks(code / name)), None)
    if asked is None:
        return Plan()
    files = list(_requirement_files(code, asked))
    cleaned = _cleaned(code, files)
    is_local = any(_LOCAL.search(_text(path)) for path in files)
    source = paths.scratch / "source" if is_local else paths.app
    command = [
        *([*_IN_A_COPY, str(paths.app), str(source)] if is_local else []),
        str(paths.uv),
        "pip",
        "install",
        "--target",
        str(paths.packages),
        "--python",
        str(paths.python),
        "--requirements",
        str((paths.packages / _CLEANED if cleaned else source) / asked),
        "--excludes",
        str(paths.shims / "python" / "not_installed.txt"),
        "--no-python-downloads",
        "--compile-bytecode",
        "--no-progress",
        "--color=never",
    ]
    environment = {"UV_CACHE_DIR": str(paths.scratch / "uv"), "UV_LINK_MODE": "copy", "UV_NO_MANAGED_PYTHON": "1"}
    counted = {path.resolve() for path in code.rglob("*") if path.is_file()} if is_local else files
    return Plan(_digest(code, f"python {series}", list(counted)), [command], cleaned, str(paths.app), environment)


def _plan_node(code: Path, series: str, paths: Paths) -> Plan:
    package = _read_package(code)
    lock = next((name for name in LOCK_FILES if (code / name).is_file()), None)
    adds_deta = "deta" not in _dependencies(package) and _names_deta(code)
    if package is None and not adds_deta:
        return Plan()
    npm = [str(paths.node), str(paths.npm)]
    quiet = ["--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--no-update-notifier", "--no-progress"]
    no_lock = [] if lock else ["--no-package-lock"]
    commands = []
    if package is not None:
        commands.append([*npm, "ci" if lock else "install", *no_lock, *quiet])
    if adds_deta:
        commands.append([*npm, "install", f"deta@{DETA_FOR_NODE}", "--no-save", *no_lock, *quiet])
    asked = [code / name for name in ("package.json", lock, ".npmrc") if name and (code / name).is_file()]
    # npm leaves a link to what lies in the code: it lies beside the packages then.
    paths_of_all = [*asked, *_local_packages(code, package)]
    files = {path.relative_to(code).as_posix(): path.read_bytes() for path in paths_of_all}
    digest = _digest(code, f"node {series} {'deta' if adds_deta else ''}", paths_of_all)
    environment = {"npm_config_cache": str(paths.scratch / "npm")}
    return Plan(digest, commands, files, str(paths.packages), environment)


def _asks(path: Path) -> bool:
    """Is there a file that names packages? A pyproject.toml often only sets up tools."""
    if not path.is_file():
        return False
    text = _text(path)
    if path.suffix == ".toml":
        return bool(_PYPROJECT_ASKS.search(text))
    return any(line.split("#", 1)[0].strip() for line in text.splitlines())


def _requirement_files(code: Path, first: str) -> Iterator[Path]:
    """The file, and those that it includes."""
    waiting, seen = [code / first], set[Path]()
    while waiting:
        path = waiting.pop().resolve()
        if path in seen or not path.is_relative_to(code.resolve()) or not path.is_file():
            continue
        seen.add(path)
        yield path
        waiting += [path.parent / name for name in _INCLUDE.findall(_text(path))]


def _cleaned(code: Path, files: Sequence[Path]) -> dict[str, bytes]:
    """Copies of the files by name, without the addresses of a foreign `deta`, and with nothing to be left where it was built;
    none when there is no such thing in any."""
    texts = {path.relative_to(code.resolve()): _text(path) for path in files}
    cleaned = {name: _EDITABLE.sub("", _FOREIGN.sub("", text)) for name, text in texts.items()}
    if cleaned == texts:
        return {}
    return {f"{_CLEANED}/{name}": text.encode() for name, text in cleaned.items()}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _read_package(code: Path) -> dict[str, Any] | None:
    """`package.json`, or None when there is none; one that is no JSON is left to npm, which says so."""
    path = code / "package.json"
    if not path.is_file():
        return None
    try:
        read = json.loads(path.read_bytes())
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _local_packages(code: Path, package: dict[str, Any] | None) -> list[Path]:
    """The files of packages that lie in the code: dependencies that are paths, and workspaces."""
    groups = [(package or {}).get(name) for name in ("dependencies", "optionalDependencies")]
    specs = [str(spec) for group in groups if isinstance(group, dict) for spec in group.values()]
    named = [spec.removeprefix("file:") for spec in specs if spec.startswith(("file:", "./"))]
    spaces = (package or {}).get("workspaces") or []
    spaces = spaces.get("packages") or [] if isinstance(spaces, dict) else spaces
    found: set[Path] = set()
    for pattern in [*named, *(map(str, spaces) if isinstance(spaces, list) else ())]:
        within = posixpath.normpath(pattern)
        if within.startswith(("/", "..")) or within == ".":
            continue
        with contextlib.suppress(ValueError):  # no pattern at all, of which npm has its own words
            for top in code.glob(within):
                found.update([top] if top.is_file() else top.rglob("*"))
    return sorted(path for path in found if path.is_file() and "node_modules" not in path.relative_to(code).parts)


def _dependencies(package: dict[str, Any] | None) -> set[str]:
    groups = [(package or {}).get(name) for name in ("dependencies", "optionalDependencies")]
    return {name for group in groups if isinstance(group, dict) for name in group}


def _names_deta(code: Path) -> bool:
    return any(
        _NAMES_DETA.search(path.read_bytes()[:SCANNED_MAX_BYTES])
        for path in code.rglob("*")
        if path.suffix in (".js", ".cjs", ".mjs") and "node_modules" not in path.parts and path.is_file()
    )


def _digest(code: Path, what: str, paths: Sequence[Path]) -> str:
    digest = hashlib.sha256(what.encode())
    for path in sorted(paths):
        content = hashlib.sha256(path.read_bytes()).digest()
        digest.update(f"\0{path.resolve().relative_to(code.resolve())}\0".encode() + content)
    return digest.hexdigest()
