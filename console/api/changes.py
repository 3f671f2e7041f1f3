"""The change feed of a Base over the public API, in pages and as a stream (contract: Base, "GET /changes")."""

from typing import Literal

from console.access import GRANTED_ACCESS
from console.api.endpoint import Call, endpoint, reads
from console.api.query_strings import read_query
from console.api.replies import Reply, Response
from console.api.request import ApiRequest
from console.live import events
from console.live.responses import follow_with_key, read_predicate
from storage import limits
from storage.errors import InvalidInput
from storage.exact_json import dump
from storage.history import feed
from storage.history.feed import Cursor
from storage.numbers import read_number


def get_changes(call: Call, request: ApiRequest) -> Response:
    asked = read_query(request.META.get("QUERY_STRING", ""))
    since, limit, query = _since(asked.get("since", "")), _limit(asked.get("limit", "")), asked.get("query", "")
    if _wants_stream(request):
        last_id = request.META.get("HTTP_LAST_EVENT_ID")
        return follow_with_key(call.access, call.name, query=query, since=_since(last_id) if last_id else since)
    page = feed.read_changes(
        access=call.access, base=call.name, since=since, limit=limit, predicate=read_predicate(query)
    )
    about = f'"cursor":{dump(str(page.cursor)).decode()},"more":{"true" if page.more else "false"}'
    return Reply(f'{{"changes":[{",".join(change.json for change in page.changes)}],{about}}}'.encode())


def _wants_stream(request: ApiRequest) -> bool:
    """What a person sends by hand is answered whole, and so is HEAD."""
    return (
        events.CONTENT_TYPE in request.META.get("HTTP_ACCEPT", "")
        and request.method == "GET"
        and GRANTED_ACCESS not in request.META
    )


def _since(text: str) -> Cursor | Literal["now"] | None:
    return None if not text else "now" if text == "now" else feed.read_cursor(text)


def _limit(text: str) -> int:
    limit = read_number(text) if text else limits.QUERY_LIMIT_MAX
    if limit is None or limit < 1:
        raise InvalidInput("Bad limit", "`limit` is not a whole number from 1 on")
    return min(limit, limits.QUERY_LIMIT_MAX)


collection = endpoint(GET=reads(get_changes))
