"""What a version of a Micro asks to have installed, as a list for people: `flask`, `express@^4.19.2`.

As the original told it. What really installs it reads more than this (`storage/embedded/micros/installing.py`).
"""

import io
import json
import tomllib
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from storage import zip_reader
from storage.drive import parts
from storage.micros.bundles import Bundle
from storage.micros.runtimes import Kind, read_runtime
from storage.models import Micro
from storage.zip_reader import Archive, Damaged

_FILE_MAX_BYTES = 1_048_576
_BUFFER_BYTES = 262_144


class Changes(NamedTuple):
    """What one version asks for and the one before did not, and the other way round; both sorted."""

    added: list[str]
    removed: list[str]


def list_dependencies(micro: Micro) -> list[str]:
    """Those of the version that serves, in the order of its file; none when nothing serves. Raises EngineUnreachable."""
    if micro.deployment is None:
        return []
    return list(_of_deployment(micro.deployment.id, read_runtime(micro.deployment.runtime).kind))


def find_changes(micro: Micro, bundle: Bundle, kind: Kind) -> Changes:
    """What changes when this bundle takes the place of what serves. Raises EngineUnreachable."""
    bundle.zip.seek(0)
    after = set(_read(zip_reader.open_zip(bundle.zip, bundle.size_bytes), kind))
    before = set(list_dependencies(micro))
    return Changes(sorted(after - before), sorted(before - after))


# The code of a deployment never changes.
@lru_cache(maxsize=1_024)
def _of_deployment(deployment_id: UUID, kind: Kind) -> tuple[str, ...]:
    made_of = parts.get_parts(deployment_id)
    if not made_of:
        return ()
    with parts.PartReader(made_of) as raw, io.BufferedReader(raw, _BUFFER_BYTES) as stream:
        return tuple(_read(zip_reader.open_zip(stream, sum(part.size_bytes for part in made_of)), kind))


def _read(archive: Archive, kind: Kind) -> list[str]:
    if kind == "node":
        return _of_package(_text(archive, "package.json"))
    lines = _of_requirements(_text(archive, "requirements.txt"))
    return lines or _of_pyproject(_text(archive, "pyproject.toml"))


def _of_requirements(text: str) -> list[str]:
    lines = [line.split(" #", 1)[0].strip() for line in text.splitlines()]
    asked = [line for line in lines if line and not line.startswith("#")]
    return [line if line.startswith("-") else line.replace(" ", "") for line in asked]


def _of_pyproject(text: str) -> list[str]:
    try:
        project: Any = tomllib.loads(text).get("project")
    except tomllib.TOMLDecodeError:
        return []
    asked = project.get("dependencies") if isinstance(project, dict) else None
    return [each for each in asked if isinstance(each, str)] if isinstance(asked, list) else []


def _of_package(text: str) -> list[str]:
    try:
        package = json.loads(text or "{}")
    except ValueError:
        return []
    asked = package.get("dependencies") if isinstance(package, dict) else None
    return [f"{name}@{version}" for name, version in asked.items()] if isinstance(asked, dict) else []


def _text(archive: Archive, name: str) -> str:
    """A file's text; empty when there is none, or more than a list of packages has."""
    entry = next((each for each in archive.entries if each.filename == name), None)
    if entry is None or entry.file_size > _FILE_MAX_BYTES:
        return ""
    try:
        return b"".join(archive.read(entry)).decode(errors="replace")
    except Damaged:
        return ""
