"""The HTTP tests of Drives once more, on a server whose S3 is another one: nothing leans on the bundled engine's habits."""

import os
import subprocess
import sys

import pytest

from tests.serving import ROOT
from tests.waiting import LONG_SECONDS


@pytest.mark.slow
def test_drives_are_the_same_on_another_s3() -> None:
    """All but those that break the bundled S3, and the largest file."""
    modules = sorted(str(path) for path in (ROOT / "tests" / "api").glob("test_drive_*.py"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "not slow", "-k", "not s3", "--show-capture=no", *modules],
        cwd=ROOT,
        env=os.environ | {"HOMEPORT_TEST_S3": "rclone"},
        capture_output=True,
        text=True,
        timeout=2 * LONG_SECONDS,
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
