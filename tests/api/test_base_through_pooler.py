"""The whole Base API, signing in and jobs once more, through a pooler that hands each transaction another session."""

import os
import subprocess
import sys

import pytest

from tests.serving import ROOT
from tests.waiting import LONG_SECONDS

_LEFT_OUT = ("drive", "faults", "large_base", "through_pooler")


@pytest.mark.slow
def test_base_is_the_same_through_a_pooler() -> None:
    """All but those that break the bundled database."""
    modules = sorted(
        str(path)
        for path in (ROOT / "tests" / "api").glob("test_*.py")
        if not any(word in path.name for word in _LEFT_OUT)
    )
    modules += [f"tests/console/{name}.py" for name in ("accounts/test_over_http", "test_over_http")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "not slow", "--show-capture=no", *modules, "tests/storage/test_jobs.py"],
        cwd=ROOT,
        env=os.environ | {"HOMEPORT_TEST_POOLER": "1"},
        capture_output=True,
        text=True,
        timeout=2 * LONG_SECONDS,
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
