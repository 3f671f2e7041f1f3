"""The items of a Base as they were at an earlier moment (contract: Base, History)."""

from datetime import datetime

from storage import limits
from storage.base.items import Page, page_of
from storage.base.query import Predicate
from storage.base.sql.queries import ScannedItem, Span
from storage.errors import HistoryNotKept, InvalidInput
from storage.history.beginnings import find_beginning
from storage.history.sql import moments as moments_sql
from storage.history.timelines import find_timeline
from storage.postgres.caller import Access
from storage.postgres.database import run
from storage.postgres.distribution import refuse_where_distributed


def query_items_as_of(
    *,
    access: Access,
    base: str,
    predicate: Predicate,
    moment: datetime,
    limit: int,
    last: str | None = None,
    descending: bool = False,
) -> Page:
    """The items that matched at a moment, each as it was then, in key order, after the key `last`.

    Paged as `items.query_items` is, without an index: a page looks at about 1 MB of items, so it may be short or empty. Of a Base
    that was emptied or deleted since it is what it held then; a Base that was not there yet held nothing.

    Raises Unauthorized, Forbidden, InvalidInput for a moment to come, HistoryNotKept for one from which not all is kept, and
    ItemsDistributed.
    """
    timeline = find_timeline(access, base)
    refuse_where_distributed()
    if moment > timeline.now:
        raise InvalidInput("Bad moment", "It is still to come")
    base_id = timeline.id_at(moment)
    beginning = find_beginning(base_id or 0).at
    if moment < beginning:
        raise HistoryNotKept("Not kept", f"What items were is kept from {beginning:%Y-%m-%d %H:%M:%S} UTC on")
    if not base_id:
        return Page([], None, [])
    rows = run(
        moments_sql.scan_items_as_of(
            Span(access, base, base_id, last, descending),
            predicate,
            moment,
            limit=limit,
            max_bytes=limits.SCAN_MAX_BYTES,
            max_rows=limits.HISTORY_SCAN_MAX_ROWS,
        )
    )
    if not all(row.is_kept for row in rows):
        raise HistoryNotKept("Not kept", "An item was changed since then while no history was kept")
    return page_of([ScannedItem(base_id, True, *row[:-1]) for row in rows], limit)
