"""Which import of the server's a file is on its way to, noted on this disk: one that was broken off can go on from there."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Optional

from deta.cli import files, tokens


class Journal:
    """Of one file into one Base. `import_id` is the import that it was sent to, None when the file has changed since."""

    def __init__(self, source: Path, *, target: str, how: str) -> None:
        known = source.stat()
        self._mark = {"size": known.st_size, "modified_ns": known.st_mtime_ns, "how": how}
        name = hashlib.sha256(f"{target}\x00{source.resolve()}".encode()).hexdigest()[:32]
        self._path = tokens.home() / "imports" / f"{name}.json"

    @property
    def import_id(self) -> Optional[str]:
        noted: Optional[dict[str, Any]] = files.read_object(self._path, advice="delete it")
        if noted is None or {name: noted.get(name) for name in self._mark} != self._mark:
            return None
        import_id = noted.get("import")
        return import_id if isinstance(import_id, str) else None

    def note(self, import_id: str) -> None:
        files.write_object(self._path, {**self._mark, "import": import_id})

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)
