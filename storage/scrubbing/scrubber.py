"""When which blob is read again: all of them in the order of their ids, spread over about a month, then from the beginning.

The ids are random, so in a fixed order the next one is always the one that was read longest ago; what is new joins where it
falls. No lock is held and no transaction is open while a blob is read: of two scrubbers at once, one finds at the next step that
the other has gone on.
"""

import logging
import time
from collections.abc import Callable
from math import inf
from uuid import UUID

from django.conf import settings

from storage import limits
from storage.errors import StorageError
from storage.postgres.database import run, run_one
from storage.scrubbing import checking, healing, sql
from storage.scrubbing.sql import KnownBlob, Round, UseOfBlob

logger = logging.getLogger(__name__)

_MB = 1_048_576
_MINUTE = 60.0
# Of each minute, so that the job worker can do other things, or end.
_TURN_SECONDS = 40.0
# A round is meant to take this long.
_ROUND_SECONDS = 28 * 86_400.0
_COUNT_EVERY_SECONDS = 86_400.0
_RETRY_SECONDS = 3_600
_RETRIED_AT_ONCE = 20
# So many are noted as read together: as many are read again after a kill.
_STEP = 32

_NOTHING = UseOfBlob("", "", "", "", None, None, "nothing that is known")


def scrub() -> None:
    """One turn of a minute: read what is due by now, at most as much as HOMEPORT_SCRUB_MB_PER_MINUTE, and evenly.

    Damaged ones are tried again every hour. Raises EngineUnreachable.
    """
    most_bytes = settings.SCRUB_MB_PER_MINUTE * _MB
    if not most_bytes:
        return
    run(sql.forget_damages(limits.HEALED_KEPT_SECONDS))
    for blob in run(sql.find_to_retry(_RETRY_SECONDS, _RETRIED_AT_ONCE)):
        check(blob)
    current = run_one(sql.find_round())
    if current.counted_seconds is None or current.counted_seconds > _COUNT_EVERY_SECONDS:
        run(sql.count_all())
        current = run_one(sql.find_round())
    _read_due(current, most_bytes)


def scrub_all(tell: Callable[[KnownBlob, bool], None]) -> None:
    """Read every blob now, as fast as S3 gives them; `tell` is called after each, with whether it is right by now.

    Raises EngineUnreachable.
    """
    position: UUID | None = None
    while found := run(sql.find_next(position, _STEP)):
        for blob in found:
            tell(blob, check(blob))
        position = found[-1].id


def check(blob: KnownBlob) -> bool:
    """Read one blob; note what is wrong and heal it where that is possible. Whether it is right now. Raises EngineUnreachable."""
    damage = checking.find_damage(blob)
    if damage is None:
        if run(sql.note_healed(blob.id, "itself: it can be read again")):
            logger.warning("Blob %s is as it was again.", blob.id)
        return True
    if run(sql.drop_thumbnail(blob.id)):
        return True
    use = next(iter(run(sql.find_uses(blob.id))), _NOTHING)
    if not run(sql.note_damage(blob.id, damage, use)):
        # It was deleted meanwhile.
        return True
    logger.error("The bytes of blob %s are %s. They belong to %s.", blob.id, damage, _say(use))
    try:
        healed_from = healing.heal(blob, use)
    except StorageError as error:
        logger.warning("Blob %s could not be healed: %s", blob.id, error)
        return False
    if healed_from is None:
        return False
    run(sql.note_healed(blob.id, healed_from))
    logger.warning("Blob %s was healed from %s.", blob.id, healed_from)
    return True


def _read_due(current: Round, most_bytes: int) -> None:
    part = current.age_seconds / _ROUND_SECONDS
    due_blobs, due_bytes = current.all_blobs * part - current.blobs, current.all_bytes * part - current.size_bytes
    if part >= 1:
        # Its time is over: on to the end, however many there are by now.
        due_blobs = due_bytes = inf
    began, position, read_blobs, read_bytes = time.monotonic(), current.position, 0, 0
    while read_blobs < due_blobs or read_bytes < due_bytes:
        found = run(sql.find_next(position, _STEP))
        if not found:
            run(sql.begin_round(position))
            return
        step_blobs, step_bytes = 0, 0
        for blob in found:
            total = read_bytes + step_bytes
            is_over = (read_blobs + step_blobs >= due_blobs and total >= due_bytes) or (
                total and total + blob.size_bytes > most_bytes
            )
            if is_over or time.monotonic() - began > _TURN_SECONDS:
                break
            check(blob)
            step_blobs, step_bytes = step_blobs + 1, step_bytes + blob.size_bytes
            _pause(began, read_bytes + step_bytes, most_bytes)
        if not step_blobs or not run(sql.advance(position, found[step_blobs - 1].id, step_blobs, step_bytes)):
            return
        position = found[step_blobs - 1].id
        read_blobs, read_bytes = read_blobs + step_blobs, read_bytes + step_bytes


def _pause(began: float, read_bytes: int, most_bytes: int) -> None:
    """Spread the bytes of a minute over the turn, instead of reading all of them in one second."""
    ahead = read_bytes / most_bytes * _TURN_SECONDS - (time.monotonic() - began)
    if ahead > 0:
        time.sleep(min(ahead, _TURN_SECONDS))


def _say(use: UseOfBlob) -> str:
    """What a blob is part of, for the log: names in it may hold line breaks, so they are shown as Python shows them."""
    if use.name:
        kind = f" ({use.part_of})" if use.part_of else ""
        return f"the file {use.name!r} of the Drive {use.drive_name!r} in the collection {use.collection_id}{kind}"
    return use.part_of + (f" of the collection {use.collection_id}" if use.collection_id else "")
