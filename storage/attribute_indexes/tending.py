"""The background work on indexes of attributes: those that are wanted are built, those that nobody needs are dropped.

A new index is kept by writers from the moment its row is committed. Once all transactions that may not know of it are over, the
items that were there before are put into it batch by batch, in key order, each batch in a transaction of its own that also
notes how far it is: so a builder that is killed goes on where it was. It answers queries when the last batch is in.

One that is dropped is no longer kept by writers. Once all that may still know of it are over, its entries are deleted in
batches, and its row with the last of them.
"""

import logging
import time

from django.db import transaction
from django.db.models import QuerySet

from storage import disk_space, limits
from storage.attribute_indexes.sql import tending as tending_sql
from storage.errors import EngineUnreachable
from storage.models import AttributeAsk, AttributeIndex
from storage.postgres import clock
from storage.postgres.database import run
from storage.postgres.distribution import items_are_distributed
from storage.postgres.locks import only_worker

logger = logging.getLogger(__name__)

State = AttributeIndex.State
_SMALLEST_BATCH = 10


def tend_indexes() -> bool:
    """Make, build and drop indexes for some seconds. Returns whether there is more to do at once.

    Leaves at once when another is at it, and where items are distributed, whose changes no index hears of; builds none while
    the disk is too full. Raises EngineUnreachable.
    """
    if items_are_distributed():
        return False
    ends_at = time.monotonic() + limits.ATTRIBUTE_INDEX_TURN_SECONDS
    with only_worker("attribute indexes") as is_ours:
        if not is_ours:
            return False
        run(tending_sql.forget_asks(limits.ATTRIBUTE_ASK_SECONDS, limits.ATTRIBUTE_ASKS_KEPT))
        run(tending_sql.drop_strays())
        run(tending_sql.drop_unused(limits.ATTRIBUTE_INDEX_KEPT_DAYS))
        _make_wanted()
        return _work_until(ends_at)


def drop(indexes: "QuerySet[AttributeIndex]") -> int:
    """Writers no longer keep these from now on, and no query uses them. How many there were."""
    return indexes.exclude(state=State.DROPPED).update(base_id=None, state=State.DROPPED, wait_for=None)


def _make_wanted() -> None:
    for base_id, path, items in run(tending_sql.find_wanted(limits.ATTRIBUTE_INDEX_ASKS, limits.ATTRIBUTE_ASK_SECONDS)):
        if _lacks_space(items) or not _has_place(base_id):
            continue
        with transaction.atomic():
            AttributeIndex.objects.create(base_id=base_id, path=path, expected=items)
            # Should it be dropped, it has to be asked for anew.
            AttributeAsk.objects.filter(base_id=base_id, path=path).delete()
        logger.info("Base %s gets an index of %s", base_id, ".".join(path))


def _has_place(base_id: int) -> bool:
    """Whether the Base may have one more index; the one that was not used for longest goes for it, after a day without use."""
    held = AttributeIndex.objects.filter(base_id=base_id).order_by("used_at", "id")
    if len(held) < limits.ATTRIBUTE_INDEXES_PER_BASE:
        return True
    rested = (clock.now() - held[0].used_at).total_seconds()
    return rested > limits.ATTRIBUTE_INDEX_REST_SECONDS and drop(AttributeIndex.objects.filter(pk=held[0].pk)) == 1


def _lacks_space(items: int) -> bool:
    return disk_space.is_short_for_items(items * limits.ATTRIBUTE_INDEX_ENTRY_BYTES)


def _work_until(ends_at: float) -> bool:
    """Whether there is more to do that need not wait for anybody."""
    is_more = is_done = False
    for index in AttributeIndex.objects.exclude(state=State.READY).order_by("id"):
        run(tending_sql.mark_moment(index.pk))
        is_known = run(tending_sql.is_known_to_all(index.pk))
        if not is_known or not is_known[0].answer:
            continue
        if time.monotonic() > ends_at:
            is_more = True
            break
        is_over = _empty(index.pk, ends_at) if index.state == State.DROPPED else _build(index, ends_at)
        is_done |= is_over is True
        is_more |= is_over is False
    if is_done:
        run(tending_sql.give_back_entries())
    return is_more


def _empty(index_id: int, ends_at: float) -> bool:
    """Whether nothing is left of it."""
    while run(tending_sql.delete_entries(index_id, limits.DELETE_BATCH_ROWS)):
        if time.monotonic() > ends_at:
            return False
    AttributeIndex.objects.filter(pk=index_id, state=State.DROPPED).delete()
    return True


def _build(index: AttributeIndex, ends_at: float) -> bool | None:
    """Whether it is ready; None when it has to wait for the disk, or for writers."""
    if _lacks_space(max(0, index.expected - index.entries)):
        return None
    AttributeIndex.objects.filter(pk=index.pk, state=State.WAITING).update(state=State.BUILDING)
    rows = limits.ATTRIBUTE_INDEX_BATCH_ROWS
    while True:
        try:
            with transaction.atomic():
                run(tending_sql.wait_for_writers(limits.ATTRIBUTE_INDEX_LOCK_MS))
                built = run(tending_sql.build(index.pk, rows))
        except EngineUnreachable:
            # A writer keeps one of these items for long. Fewer at a time hold up fewer others meanwhile.
            rows //= 2
            if rows < _SMALLEST_BATCH:
                return None
            continue
        if not built or built[0].state == State.READY:
            return True
        if time.monotonic() > ends_at:
            return False
