"""Packing what was installed, and laying it out again."""

import io
import os
from pathlib import Path

from storage.micros.packing import pack_tree, unpack_tree


def test_files_keep_their_times_as_python_goes_by_them(tmp_path: Path) -> None:
    """What was compiled counts only for a source of the very time that it was compiled from."""
    made, again = tmp_path / "made", tmp_path / "again"
    for folder in (made / "package", again):
        folder.mkdir(parents=True)
    (made / "package" / "module.py").write_text("x = 1\n")
    os.utime(made / "package" / "module.py", (1_000_000_000, 1_000_000_000))
    packed = io.BytesIO()
    pack_tree(made, packed.write)
    packed.seek(0)
    unpack_tree(packed, again, group=None)
    assert (again / "package" / "module.py").stat().st_mtime == 1_000_000_000
