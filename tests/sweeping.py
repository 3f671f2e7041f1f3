"""The sweeper and the comparison as if all grace were over, for tests of what is left behind (promises: P5)."""

from collections.abc import Callable
from typing import Any

import pytest

from storage import limits, sweeper
from storage.drive import reconcile
from storage.drive.reconcile import Report
from storage.errors import InvalidInput
from tests.waiting import eventually

_NEVER_ENDS = "the server's own sweeper never ends"


def sweep_now() -> sweeper.SweptFiles:
    """Sweep files, however young what is to go, once the server's own sweeper is not at it."""
    with pytest.MonkeyPatch.context() as patch:
        for age in ("GARBAGE_KEPT_SECONDS", "PENDING_KEPT_SECONDS"):
            patch.setattr(limits, age, -1)

        def sweep() -> sweeper.SweptFiles | None:
            swept = sweeper.sweep_files()
            return swept if swept != sweeper.SweptFiles(0, 0, 0) or _is_alone() else None

        swept = eventually(sweep, what=_NEVER_ENDS)
    assert swept
    return swept


def swept_report() -> Report:
    """Sweep, then compare bucket and database: P5 holds if the report is clean."""
    sweep_now()
    report: Report = once_alone(reconcile.compare)
    return report


def repair_now() -> None:
    """Put right what tests before left in the bucket or took from it, so that the next may ask for a clean report."""
    sweep_now()
    once_alone(reconcile.repair)


def once_alone(work: Callable[[], Any]) -> Any:
    """Do it as soon as the server's own sweeper is not at it."""

    def done() -> list[Any]:
        try:
            return [work()]
        except InvalidInput:
            return []

    return eventually(done, what=_NEVER_ENDS)[0]


def _is_alone() -> bool:
    try:
        with reconcile.alone():
            return True
    except InvalidInput:
        return False
