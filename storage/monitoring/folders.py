"""How much the folders of the data folder take on their disk."""

import os
import threading
import time
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from storage.embedded import postgres, seaweedfs

_KEPT_SECONDS = 60.0
# So many files are looked at in all: counting must not keep a page waiting.
_FILES_MAX = 50_000


class Folder(NamedTuple):
    """What a folder takes; `is_whole` is False when it has too many files to look at all of them."""

    name: str
    size_bytes: int
    is_whole: bool = True


_lock = threading.Lock()
_last: tuple[float, list[Folder]] = (float("-inf"), [])


def list_folders() -> list[Folder]:
    """Those that can grow, the largest first, as they were within the last minute; none before the first `serve`."""
    global _last
    with _lock:
        at, found = _last
        if time.monotonic() - at > _KEPT_SECONDS:
            found = sorted((_measure(name, path) for name, path in _folders()), key=lambda each: -each.size_bytes)
            _last = (time.monotonic(), found)
        return found


def _folders() -> list[tuple[str, Path]]:
    local = settings.LOCAL_STATE
    if local is None:
        return []
    home = local.home(settings.DATA)
    named = [
        ("Folder of the database", postgres.folder(home)),
        ("Folder of files", seaweedfs.folder(home)),
        ("Copies of busy files", settings.DATA / "copies"),
        ("Requests coming in", settings.DATA / "incoming"),
        ("Folder of Micros", settings.DATA / "micros"),
    ]
    return [(name, path) for name, path in named if path.is_dir()]


def _measure(name: str, path: Path) -> Folder:
    size_bytes = files = 0
    for folder, _, names in os.walk(path):
        for each in names:
            files += 1
            if files > _FILES_MAX:
                return Folder(name, size_bytes, is_whole=False)
            try:
                size_bytes += Path(folder, each).lstat().st_blocks * 512
            except OSError:
                continue
    return Folder(name, size_bytes)
