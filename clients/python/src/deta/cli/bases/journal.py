"""How far an import has come, noted on this disk: one that was broken off, even by a power cut, can go on from there."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any, Optional

from deta.cli import files, tokens

_NOTED_SECONDS = 2.0


class Journal:
    """Of one file into one Base. `stored` are the records known to be stored, 0 when the file has changed since."""

    def __init__(self, source: Path, *, target: str, how: str) -> None:
        known = source.stat()
        self._mark = {"size": known.st_size, "modified_ns": known.st_mtime_ns, "how": how}
        name = hashlib.sha256(f"{target}\x00{source.resolve()}".encode()).hexdigest()[:32]
        self._path = tokens.home() / "imports" / f"{name}.json"
        self._noted_at = time.monotonic()

    @property
    def stored(self) -> int:
        noted: Optional[dict[str, Any]] = files.read_object(self._path, advice="delete it")
        if noted is None or {name: noted.get(name) for name in self._mark} != self._mark:
            return 0
        stored = noted.get("stored")
        return stored if isinstance(stored, int) else 0

    def note(self, stored: int, *, now: bool = False) -> None:
        """Every two seconds, or at once."""
        if now or time.monotonic() - self._noted_at >= _NOTED_SECONDS:
            files.write_object(self._path, {**self._mark, "stored": stored})
            self._noted_at = time.monotonic()

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)
