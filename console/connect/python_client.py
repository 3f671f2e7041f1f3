"""The Python client as a wheel, built from this repository's own source and never fetched from an index.

`serve` builds it before the web workers start, and again only when the source has changed.
"""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

SOURCE = settings.BASE_DIR / "clients" / "python"
_FOLDER = settings.DATA / "clients"
_STAMP = "source.sha256"
# The build backend that the source names, called directly: it is installed with Homeport, so no network is needed.
_BUILD = "import sys; from flit_core.buildapi import build_wheel; build_wheel(sys.argv[1])"


@dataclass(frozen=True, slots=True)
class Wheel:
    """The built wheel; `sha256` is of its bytes, in hexadecimal."""

    file_name: str
    content: bytes
    sha256: str


def build_wheel_if_changed() -> bool:
    """Build the wheel into the data folder; False when the one that is there was built from the same source.

    Raises subprocess.CalledProcessError with the backend's words in `output`.
    """
    stamp = _FOLDER / _STAMP
    now = _source_fingerprint()
    if stamp.is_file() and stamp.read_text() == now and find_wheel() is not None:
        return False
    _FOLDER.mkdir(exist_ok=True)
    for old in (stamp, *_FOLDER.glob("*.whl")):
        old.unlink(missing_ok=True)
    subprocess.run(
        [sys.executable, "-c", _BUILD, str(_FOLDER)],
        cwd=SOURCE,
        # The times in the archive then say nothing of this machine: one source, one wheel, one hash.
        env={**os.environ, "SOURCE_DATE_EPOCH": "315532800"},
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stamp.write_text(now)
    return True


def find_wheel() -> Wheel | None:
    """The wheel that this server offers, or None when `serve` never built one."""
    found = next(iter(_FOLDER.glob("homeport_client-*.whl")), None)
    return _read_wheel(found, found.stat().st_mtime_ns) if found else None


@lru_cache(maxsize=1)
def _read_wheel(path: Path, _changed_ns: int) -> Wheel:
    content = path.read_bytes()
    return Wheel(path.name, content, hashlib.sha256(content).hexdigest())


def _source_fingerprint() -> str:
    """A hash over the name and bytes of everything that the wheel is made of."""
    digest = hashlib.sha256()
    files = [SOURCE / name for name in ("pyproject.toml", "README.md", "LICENSE")]
    for path in [*files, *sorted(path for path in (SOURCE / "src").rglob("*") if path.suffix in (".py", ".typed"))]:
        digest.update(f"{path.relative_to(SOURCE)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
