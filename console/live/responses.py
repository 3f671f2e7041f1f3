"""Answers a request with a stream of server-sent events: the API's view and the pages' (`pages.py`) share this."""

from collections.abc import Hashable, Iterator
from typing import Literal

from django.http.response import HttpResponseBase

from console.live import events
from console.live.listeners import Listener
from console.live.places import Place
from console.live.rights import KeyRight, Right
from console.live.sources import messages_of
from console.live.topics import BaseChanges, Topic
from console.not_kept import PRIVATE
from console.server.live import LiveBody
from storage import limits
from storage.base.query import Predicate, parse_query
from storage.errors import InvalidInput
from storage.exact_json import dump, parse
from storage.history import feed
from storage.history.feed import Cursor
from storage.postgres.caller import Access

Since = Cursor | Literal["now"] | None


class LiveResponse(HttpResponseBase):
    """A response whose body the server keeps in its event loop. To Django it is a stream without content."""

    streaming = True

    def __init__(self, live: LiveBody) -> None:
        super().__init__(content_type=events.CONTENT_TYPE)
        self.live = live
        self["Cache-Control"] = PRIVATE
        for name, value in events.HEADERS.items():
            self[name] = value

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.live)


def follow_changes(
    *, access: Access, right: Right, who: Hashable, base: str, since: Since, query: str = "", keys_only: bool = False
) -> LiveResponse:
    """A stream of the changes of a Base behind `since`, as `feed.read_changes` has it.

    `right` is looked at while it lasts; `who` is whose stream it is. `query` is JSON as in a query's body, "" for all.

    Raises BadQuery, Unauthorized, Forbidden, ChangesGone, EngineUnreachable, TooManyStreams, StreamsBusy.
    """
    asked = _read_query(query)
    text = dump(asked).decode() if asked else ""
    topic = BaseChanges(access.collection_id, base, text, parse_query(asked), keys_only)
    page = feed.read_changes(
        access=access,
        base=base,
        since=since,
        limit=limits.STREAM_PAGE_CHANGES,
        max_bytes=limits.STREAM_PAGE_BYTES,
        predicate=topic.predicate,
        keys_only=keys_only,
    )
    begins = since if isinstance(since, Cursor) else page.cursor if not page.changes else None
    first = events.opening("" if begins is None else str(begins)) + messages_of(page)
    return follow(topic, page.cursor, right, who, first)


def follow_with_key(access: Access, base: str, *, query: str, since: Since) -> LiveResponse:
    """`follow_changes` for the holder of a data key. Raises as that."""
    who = access.key_digest
    return follow_changes(access=access, right=KeyRight(access, base), who=who, base=base, query=query, since=since)


def follow(topic: Topic, place: Hashable, right: Right, who: Hashable, first: bytes) -> LiveResponse:
    """A stream of what is new in a topic behind a place, after its first bytes. Raises TooManyStreams, StreamsBusy."""
    return LiveResponse(Listener(topic, place, right, seat=Place(who), first=first))


def read_predicate(text: str) -> Predicate:
    """The query in an address: JSON as in a query's body, "" for all. Raises BadQuery, InvalidInput."""
    return parse_query(_read_query(text))


def _read_query(text: str) -> object:
    try:
        return parse(text.encode()) if text else None
    except InvalidInput as error:
        raise InvalidInput("Bad query", "`query` is not JSON", *error.messages[1:]) from None
