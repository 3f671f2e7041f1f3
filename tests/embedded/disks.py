"""Small disks in memory that a test can fill. Only Linux's root can mount one."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MB = 1_048_576
_PAGE_BYTES = 4_096
# What a server keeps free of its disk: so much for each of the two engines.
RESERVE_MB = 128
NEEDED_MB = 2 * RESERVE_MB

needs_small_disk = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only Linux's root can mount a small disk"
)


class SmallDisk:
    """A disk in memory for one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    @property
    def free_bytes(self) -> int:
        about = os.statvfs(self.folder)
        return about.f_bavail * about.f_frsize

    def leave(self, size_bytes: int) -> None:
        """Fill it but for so many bytes: with as much as is free now, or less where others take some of it meanwhile."""
        step, left = 16 * MB, self.free_bytes - size_bytes
        with self._ballast.open("ab") as file:
            while left > 0 and step >= _PAGE_BYTES:
                taken = min(step, left)
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), taken)
                except OSError:
                    step //= 2
                else:
                    left -= taken

    @contextmanager
    def kept_full(self) -> Iterator[None]:
        """Whatever becomes free is taken again, until the end of the block."""
        over = threading.Event()

        def fill() -> None:
            while not over.wait(0.02):
                self.leave(0)

        filler = threading.Thread(target=fill)
        filler.start()
        try:
            yield
        finally:
            over.set()
            filler.join()

    def free(self) -> None:
        self._ballast.unlink()


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A disk in memory in the place of a folder; where the machine lets nobody mount one, the test is skipped."""
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"this machine lets nobody mount a disk: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
