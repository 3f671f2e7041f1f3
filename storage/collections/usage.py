"""What collections hold: Bases, items, bytes and when they were last used, as last counted.

A counter that every write updates would be a row that every write locks, and the writes of a busy Base would wait for
each other. So the job queue counts instead, in one pass over the items and one over the files, and only when Postgres' own
write counters say that something has changed. A pass over 10 million items of 150 bytes took 2 to 5 seconds
on two cores; `_REST_FACTOR` keeps it to a twentieth of the time, so a small server's figures are seconds old and a huge
one's minutes. The pages say how old. Reading them takes milliseconds, whatever was counted.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Count as Total
from django.db.models import Sum
from psycopg.errors import ForeignKeyViolation

from storage.collections.sql import usage as usage_sql
from storage.models import Base, Count, Drive, Role
from storage.postgres import clock
from storage.postgres.database import run, run_one
from storage.postgres.distribution import items_are_distributed
from storage.postgres.locks import only_worker

# After a count, that many times its duration pass before the next.
_REST_FACTOR = 20
_SHORTEST_REST = timedelta(seconds=3)
_CHEAP_MS = 100


@dataclass(frozen=True, slots=True)
class Holding:
    """A collection with its counts and the role of the person who asked."""

    id: str
    name: str
    created_at: datetime
    role: Role
    bases: int
    items: int
    drives: int
    files: int
    size_bytes: int
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """A page of collections; `total` is how many there are on all pages."""

    collections: list[Holding]
    total: int


def list_holdings(*, person: User, search: str = "", offset: int = 0, limit: int = 60) -> Holdings:
    """The collections this person may see whose name contains `search`, by name."""
    statement = usage_sql.list_collections(_scope(person), search, offset=offset, limit=limit)
    rows = run(statement)
    found = [
        Holding(row.id, row.name, row.created_at, Role(row.role) if row.role else Role.OWNER, *row[4:10])
        for row in rows
    ]
    return Holdings(found, rows[0].total if rows else 0)


def find_holding(collection_id: str) -> dict[str, int]:
    """`bases`, `items`, `drives`, `files` and `size_bytes` of one collection, as last counted."""
    bases = Base.objects.filter(collection_id=collection_id).aggregate(
        bases=Total("id"), items=Sum("figures__items", default=0), size_bytes=Sum("figures__size_bytes", default=0)
    )
    drives = Drive.objects.filter(collection_id=collection_id).aggregate(
        drives=Total("id"), files=Sum("figures__files", default=0), size_bytes=Sum("figures__size_bytes", default=0)
    )
    return bases | drives | {"size_bytes": bases["size_bytes"] + drives["size_bytes"]}


@dataclass(frozen=True, slots=True)
class Destination:
    """Something to jump to. `kind` is "collection", "base", "drive" or "micro"; `role` is the person's in its collection.

    `id` is a Micro's; the others are known by their names.
    """

    kind: str
    collection_id: str
    collection_name: str
    name: str
    role: Role
    id: str = ""


def search_destinations(*, person: User, text: str, limit: int) -> list[Destination]:
    """The person's collections, Bases, Drives and Micros with all words of `text` in their own or their collection's name."""
    rows = run(usage_sql.search_destinations(_scope(person), text.split(), limit=limit))
    return [
        Destination(row.kind, row.collection_id, row.collection_name, row.name, Role(row.role), row.id) for row in rows
    ]


def list_bases(collection_id: str) -> list[Base]:
    """The collection's Bases by name, each with its `figures` once it was counted."""
    return list(Base.objects.select_related("figures").filter(collection_id=collection_id).order_by("name"))


def list_drives(collection_id: str) -> list[Drive]:
    """The collection's Drives by name, each with its `figures` once it was counted."""
    return list(Drive.objects.select_related("figures").filter(collection_id=collection_id).order_by("name"))


def last_count() -> Count | None:
    """When everything was counted last, None before the first time."""
    return Count.objects.first()


def is_count_due() -> bool:
    """Whether the last count is old enough for another."""
    last = last_count()
    return last is None or clock.now() - last.counted_at >= _rest(last)


def count_everything() -> bool:
    """Count all Bases and Drives if something has changed and the last count is old enough. Returns whether it counted.

    Returns at once when another process is counting. Raises EngineUnreachable.
    """
    with only_worker("counting") as is_ours:
        if not is_ours or not is_count_due():
            return False
        last, writes = last_count(), run_one(usage_sql.count_writes()).total
        duration_ms = last.duration_ms if last else 0
        # Postgres' counters are up to ten seconds late. A cheap count is done without reading them.
        # Where items are distributed, its server knows nothing of what is written on the others.
        is_told = last is not None and last.duration_ms >= _CHEAP_MS and not items_are_distributed()
        if last is None or not is_told or last.writes_seen != writes:
            began = time.monotonic()
            try:
                run(usage_sql.count_items())
                run(usage_sql.count_files())
            except ForeignKeyViolation:
                # A collection was deleted during the count. The next count does not include it.
                return False
            duration_ms = round((time.monotonic() - began) * 1000)
        kept = {"counted_at": clock.now(), "duration_ms": duration_ms, "writes_seen": writes}
        Count.objects.update_or_create(id=1, defaults=kept)
        return True


def _rest(last: Count) -> timedelta:
    return max(_SHORTEST_REST, timedelta(milliseconds=last.duration_ms * _REST_FACTOR))


def _scope(person: User) -> int | None:
    """The person whose collections are shown; None means all, for an owner of the server."""
    return None if person.is_superuser else person.id
