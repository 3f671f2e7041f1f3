"""The job worker's part of exports and imports: one after another, and few enough at once that other jobs need not wait."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from storage import limits
from storage.archive.exporting import exports, snapshot_copies, snapshots
from storage.archive.importing import imports
from storage.errors import EngineUnreachable
from storage.models import Export, Import
from storage.postgres.database import engine_errors, one_connection
from storage.postgres.leases import Lease, Superseded

logger = logging.getLogger(__name__)

_places = threading.BoundedSemaphore(limits.ARCHIVES_AT_ONCE)


def continue_archives() -> None:
    """Do the waiting work, and take over the work of dead workers. Raises EngineUnreachable."""
    if not _places.acquire(blocking=False):
        return
    try:
        with engine_errors(), one_connection():
            tidy_up()
            while _work_once():
                pass
    finally:
        _places.release()


def tidy_up() -> None:
    """Request the snapshots that are due, and delete abandoned work."""
    snapshots.take_due_snapshots()
    snapshots.clear_scratch()
    exports.forget_abandoned()
    imports.forget_old()


def _work_once() -> bool:
    """The next piece of work from beginning to end; False when there is none."""
    if export := exports.claim_export():
        _do(
            export,
            exports.make_export,
            state=Export.State.FAILED,
            told="reason",
            running={"state": Export.State.RUNNING},
        )
    elif import_ := imports.claim_import():
        _do(import_, imports.work_on_import, state=Import.State.FAILED, told="reason", running={"state": import_.state})
    elif copy := snapshot_copies.claim_copy():
        running = {"state": copy.State.RUNNING}
        _do(copy, snapshot_copies.make_copy, state=copy.State.FAILED, told="note", running=running)
    elif tried := snapshots.claim_check():
        checking = {"check_state": Export.Check.RUNNING}
        _do(tried, snapshots.check_export, check_state=Export.Check.BAD, told="check_note", running=checking)
    else:
        return False
    return True


def _do(row: Any, work: Callable[[Any], None], *, told: str, running: dict[str, Any], **failed: Any) -> None:
    """Work on a row. An unexpected error is recorded there too, so that nobody waits in vain."""
    try:
        work(row)
    except Superseded:
        logger.info("%s %s continues elsewhere, or was deleted", type(row).__name__, row.pk)
    except EngineUnreachable:
        raise
    except Exception:
        logger.exception("%s %s failed", type(row).__name__, row.pk)
        with suppress(Superseded):
            Lease(row, **running).save(
                **failed, **{told: "Something went wrong in Homeport. The server's log has the details."}
            )
