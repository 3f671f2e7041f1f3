"""The logs of Micros: what they and their installers printed, and what the server has to say of them.

Lines come in batches from whoever runs Micros. They are read by their ids, which grow in the order in which lines become visible,
so that whoever follows a log asks for what comes after the last id it has, and misses nothing.
"""

import re
import threading
from collections.abc import Sequence
from uuid import UUID

from storage import disk_space, limits
from storage.events.blocks import Event, PrintedLine
from storage.micro_host import Line, Source
from storage.micro_logs import sql as logs_sql
from storage.micro_logs.sql import LineRow
from storage.postgres.database import OwnConnection, run, run_one

__all__ = ["Line", "LineRow", "Source", "add_lines", "list_lines", "list_printed", "sweep_lines"]

# What Postgres cannot hold in a text.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_CUT = "…"


_writing = threading.Lock()
# A crash of the database may lose the last lines; nobody who prints waits for them to be on the disk.
_writer = OwnConnection(lock_timeout_ms=5_000)


def add_lines(lines: Sequence[Line]) -> bool:
    """Keep lines, in their order. False when they were left out, as the disk is too full. Raises EngineUnreachable, DiskFull."""
    if not lines:
        return True
    if disk_space.is_short_for_items():
        return False
    adding = logs_sql.add_lines(
        micro_ids=[line.micro_id for line in lines],
        deployment_ids=[line.deployment_id for line in lines],
        request_ids=[line.request_id for line in lines],
        times=[line.at for line in lines],
        sources=[int(line.source) for line in lines],
        texts=[_storable(line.text) for line in lines],
    )
    with _writing:
        _writer.run_together([logs_sql.hold_lines(), adding])
    return True


def list_lines(
    *,
    micro_id: str,
    before: int | None = None,
    after: int | None = None,
    search: str = "",
    sources: Sequence[Source] = (),
    deployment_id: UUID | None = None,
    request_id: UUID | None = None,
    limit: int = limits.MICRO_LINES_PER_LIST,
) -> list[LineRow]:
    """Up to `limit` lines of a Micro, oldest first: the newest, or the newest before an id, or the oldest after an id.

    `search` is found in any case, `sources` are all when there are none. The lines of a request are only ever those that its
    own Micro printed. Whether the reader may see the Micro is the caller's to know. Raises EngineUnreachable.
    """
    if _UNSTORABLE.search(micro_id + search):
        return []
    rows = run(
        logs_sql.list_lines(
            micro_id,
            before=before,
            after=after,
            search=search,
            sources=[int(source) for source in sources],
            deployment_id=deployment_id,
            request_id=request_id,
            limit=min(limit, limits.MICRO_LINES_PER_LIST),
        )
    )
    return rows if after is not None else rows[::-1]


def list_printed(event: Event) -> tuple[PrintedLine, ...]:
    """What a Micro printed while it answered a recorded request, oldest first, as far as its log goes back.

    A line comes within about a second; a pinned event has its own. Raises EngineUnreachable.
    """
    if not event.line.micro_id or event.content.printed:
        return event.content.printed
    rows = list_lines(micro_id=event.line.micro_id, request_id=UUID(event.line.id))
    return tuple((row.at.timestamp(), row.source == Source.ERROR, row.text) for row in rows)


def sweep_lines() -> int:
    """Drop what is too old, what is more than a Micro's log keeps, and what deleted Micros left. Returns how many lines.

    Raises EngineUnreachable.
    """
    total = 0
    while dropped := run_one(logs_sql.drop_old_lines(limits.MICRO_LINES_KEPT_DAYS, limits.SWEEP_BATCH_ROWS)).total:
        total += dropped
    for (micro_id,) in run(logs_sql.list_logged_micros()):
        while dropped := run_one(
            logs_sql.drop_lines_beyond(micro_id, kept=limits.MICRO_LINES_KEPT, limit=limits.SWEEP_BATCH_ROWS)
        ).total:
            total += dropped
    return total


def _storable(text: str) -> str:
    shown = _UNSTORABLE.sub("\ufffd", text)
    most = limits.MICRO_LINE_MAX_CHARACTERS
    return shown if len(shown) <= most else shown[: most - 1] + _CUT
