"""What is wrong with PostgreSQL as we meet it: its clock, its disk, transactions that hold others up."""

import time

from storage.findings import Finding
from storage.monitoring import sql
from storage.postgres.database import run_one

_APART_SECONDS = 5.0
# A transaction that has written holds the change feed up until it ends.
_HELD_SECONDS = 60.0


def find_problems() -> list[Finding]:
    """Raises EngineUnreachable."""
    before = time.time()
    about = run_one(sql.read_database())
    return judge(about, ours=(before + time.time()) / 2)


def judge(about: sql.Database, *, ours: float) -> list[Finding]:
    """What is wrong with a database in this state; `ours` is our own clock's time, in seconds since 1970."""
    found = []
    if about.is_read_only:
        found.append(
            Finding(
                "postgres_read_only",
                "bad",
                "PostgreSQL only reads: it is a standby, and nothing can be stored.",
                "Promote it, or have DATABASE_URL lead to the primary.",
            )
        )
    if not about.is_sure:
        found.append(
            Finding(
                "postgres_unsafe",
                "bad",
                "PostgreSQL does not wait for its disk (fsync or full_page_writes is off): a power cut may destroy all data.",
                "Switch both on in its configuration, and start it again.",
            )
        )
    if about.held_seconds > _HELD_SECONDS:
        found.append(
            Finding(
                "feed_held",
                "warn",
                f"A transaction has been open for {about.held_seconds / 60:.0f} minutes and holds the change feeds up.",
                "Find it in pg_stat_activity or pg_prepared_xacts and end it, unless it is a large import that still moves.",
            )
        )
    apart = about.now - ours
    if abs(apart) > _APART_SECONDS:
        found.append(
            Finding(
                "clock_apart",
                "warn",
                f"PostgreSQL's clock is {abs(apart):.0f} seconds {'ahead of' if apart > 0 else 'behind'} this machine's.",
                "Have both machines set their clocks by the network (NTP).",
            )
        )
    return found
