"""What tests read of a Base's history."""

from datetime import UTC, datetime
from typing import Any

from storage.base.query import parse_query
from storage.exact_json import parse
from storage.history import moments, versions
from storage.postgres import clock
from storage.postgres.caller import Access


def items_as_of(
    access: Access, base: str, moment: datetime, query: Any = None, *, limit: int = 1_000, descending: bool = False
) -> list[dict[str, Any]]:
    """All pages of what was there at a moment."""
    found: list[dict[str, Any]] = []
    last = None
    while True:
        page = moments.query_items_as_of(
            access=access,
            base=base,
            predicate=parse_query([] if query is None else query),
            moment=moment,
            limit=limit,
            last=last,
            descending=descending,
        )
        assert len(page.items) == len(page.revisions) <= limit
        found += [parse(text.encode()) for text in page.items]
        if page.last is None:
            return found
        last = page.last


def versions_of(access: Access, base: str, key: str, *, limit: int = 1_000) -> list[versions.Version]:
    """All pages of an item's versions, newest first."""
    found: list[versions.Version] = []
    last = None
    while True:
        page = versions.list_versions(access=access, base=base, key=key, limit=limit, last=last)
        assert len(page.versions) <= limit
        found += page.versions
        if page.last is None:
            return found
        last = page.last


def told(version: versions.Version) -> tuple[str, Any, Any]:
    """Its kind, and both states without the key."""
    return version.kind, _without_key(version.before), _without_key(version.after)


def _without_key(text: str | None) -> Any:
    return None if text is None else {name: value for name, value in parse(text.encode()).items() if name != "key"}


def now() -> datetime:
    """By the database's clock, behind all that was written before."""
    return clock.now()


__all__ = ["UTC", "items_as_of", "now", "told", "versions_of"]
