"""From a version to the recorded request that wrote it, and from such a request to the versions that it wrote.

Both look at a bounded number of requests or changes around a moment. A request is recorded when it is answered, and took some
time before: a version was written in between. Where more than one fits, the revisions in the answer decide.
"""

from dataclasses import replace
from datetime import timedelta

from console.history.lines import VersionLine
from console.visor.api_paths import keys_written, read_target
from storage.errors import EventNotFound
from storage.events import queries as event_queries
from storage.events.blocks import Event, Line
from storage.events.queries import Conditions as EventConditions
from storage.history import versions
from storage.history.versions import Conditions, Page, Version
from storage.numbers import read_number
from storage.postgres.caller import Access

# The database and the web server tell the time each by its own clock.
_CLOCKS_DIFFER = timedelta(seconds=1)
_SPANS = (timedelta(seconds=0.25), timedelta(seconds=30))
_LISTED = 500
_OPENED = 4
_MOST_WRITTEN = 200


def with_requests(collection_id: str, base: str, lines: list[VersionLine]) -> list[VersionLine]:
    """Each with the id of the request that wrote it, where that is recorded."""
    if not event_queries.sum_events(collection_id).size_bytes:
        return lines
    return [replace(line, request_id=_find_request(collection_id, base, line.version)) for line in lines]


def find_written(who: Access, base: str, *, event_id: str) -> tuple[Page, Line | None]:
    """The versions that a recorded write to this Base made, and its line; None when it is not recorded, or wrote elsewhere."""
    try:
        event = event_queries.find_event(collection_id=who.collection_id, event_id=event_id)
    except EventNotFound:
        return Page([], None), None
    if not _is_write_to(event.line, base):
        return Page([], None), None
    began = event.line.at - timedelta(microseconds=event.line.duration_us) - _CLOCKS_DIFFER
    found = versions.list_changes(
        access=who,
        base=base,
        conditions=Conditions(key_id=event.line.key_id, since=began, until=event.line.at + _CLOCKS_DIFFER),
        limit=_MOST_WRITTEN,
    )
    return Page([version for version in found.versions if _wrote(event, version)], None), event.line


def _find_request(collection_id: str, base: str, version: Version) -> str:
    """ "" for none. Most requests take no time, so the nearest are looked at first."""
    if version.turns or (version.by_key is None and version.by_person is None):
        return ""
    conditions = EventConditions(
        key_id=version.by_key,
        path=f"{base}/",
        origin="" if version.by_key is not None else "by hand",
        micro_id="",
    )
    for span in _SPANS:
        page = event_queries.list_events(
            collection_id=collection_id,
            conditions=conditions,
            since=version.at - _CLOCKS_DIFFER,
            until=version.at + span,
            limit=_LISTED,
        )
        lines = [line for line in page.lines if _may_have_written(line, base, version)]
        lines.sort(key=lambda line: abs(line.at - version.at))
        for line in lines[:_OPENED]:
            event = _open(collection_id, line)
            if event is not None and _wrote(event, version):
                return line.id
    return ""


def _open(collection_id: str, line: Line) -> Event | None:
    try:
        return event_queries.find_event(collection_id=collection_id, event_id=line.id)
    except EventNotFound:
        return None


def _is_write_to(line: Line, base: str) -> bool:
    target = read_target(line.path)
    is_read = line.method in ("GET", "HEAD", "OPTIONS")
    return not is_read and not line.micro_id and line.status < 400 and target.kind == "items" and target.name == base


def _may_have_written(line: Line, base: str, version: Version) -> bool:
    """By what a line tells: a write to this Base that names this item or none, and was on its way at that moment."""
    began = line.at - timedelta(microseconds=line.duration_us) - _CLOCKS_DIFFER
    was_on_its_way = began <= version.at <= line.at + _CLOCKS_DIFFER
    return was_on_its_way and _is_write_to(line, base) and read_target(line.path).key in ("", version.key)


def _wrote(event: Event, version: Version) -> bool:
    """Whether it was this request: by the revisions it told, or where it told none, by the item's key."""
    if event.line.key_id != version.by_key:
        return False
    told = _told_revisions(event)
    return version.revision in told if told else version.key in keys_written(event)


def _told_revisions(event: Event) -> set[int]:
    headers = {name.lower(): value for name, value in event.content.response_headers}
    text = headers.get("item-revisions") or headers.get("etag", "")
    return {number for part in text.split(",") if (number := read_number(part.strip(' "'))) is not None}
