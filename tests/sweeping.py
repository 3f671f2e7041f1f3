"""The sweeper and the comparison as if all grace were over, for tests of what is left behind (promises: P5)."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from storage import limits, sweeper
from storage.drive import reconcile
from storage.drive.reconcile import Report
from storage.errors import InvalidInput


def sweep_now() -> sweeper.SweptFiles:
    """Sweep files, however young what is to go, once the server's own sweeper is not at it."""
    with pytest.MonkeyPatch.context() as patch:
        for age in ("GARBAGE_KEPT_SECONDS", "PENDING_KEPT_SECONDS"):
            patch.setattr(limits, age, -1)
        for _ in range(100):
            swept = sweeper.sweep_files()
            if swept != sweeper.SweptFiles(0, 0, 0) or _is_alone():
                return swept
            time.sleep(0.1)
    raise AssertionError("the server's own sweeper never ends")


def swept_report() -> Report:
    """Sweep, then compare bucket and database: P5 holds if the report is clean."""
    sweep_now()
    report: Report = once_alone(reconcile.compare)
    return report


def once_alone(work: Callable[[], Any]) -> Any:
    """Do it as soon as the server's own sweeper is not at it."""
    for _ in range(100):
        try:
            return work()
        except InvalidInput:
            time.sleep(0.1)
    raise AssertionError("the server's own sweeper never ends")


def _is_alone() -> bool:
    try:
        with reconcile.alone():
            return True
    except InvalidInput:
        return False
