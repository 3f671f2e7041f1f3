"""The Base half of the public API (contract: section "Base"): items and queries.

`successor.py` says which method does what, and when in another dialect.
"""

import re
from typing import Any

from django.http import HttpResponse

from console.api.bodies import read_json_object
from console.api.endpoint import Call
from console.api.history import read_moment
from console.api.replies import Reply, Response, json_reply
from console.api.request import ApiRequest
from console.conditional_requests import is_known, read_strong_tags
from console.not_kept import PRIVATE
from storage import limits, names
from storage.base import items as storage_items
from storage.base.expected import Expected
from storage.base.items import Page, StoredItem
from storage.base.query import parse_query
from storage.base.updates import PARTS, parse_patch
from storage.errors import InvalidInput, ItemNotFound
from storage.exact_json import dump
from storage.history import moments

# As PostgreSQL counts them: no tag of another form is that of an item.
_REVISION = re.compile(r"[1-9][0-9]{0,17}")


def put_items(call: Call, request: ApiRequest) -> Reply:
    result = storage_items.put_items(
        access=call.access, base=call.name, items=read_items(request), expected=read_expected(request)
    )
    text = '{"processed":{"items":[' + ",".join(item.json for item in result.processed) + "]}"
    if result.failed:
        text += ',"failed":' + dump({"items": result.failed}).decode()
    return with_revisions(Reply((text + "}").encode(), status=207), *result.processed)


def insert_item(call: Call, request: ApiRequest) -> Reply:
    item = storage_items.insert_item(access=call.access, base=call.name, item=read_item(request))
    return with_revisions(Reply(item.json.encode(), status=201), item)


def get_item(call: Call, request: ApiRequest) -> Response:
    try:
        item = storage_items.get_item(access=call.access, base=call.name, key=call.key)
    except ItemNotFound:
        return json_reply({"key": call.key}, status=404)
    etag = etag_of(item)
    if_none_match = request.META.get("HTTP_IF_NONE_MATCH")
    if if_none_match and is_known(if_none_match, etag):
        return _not_modified(etag)
    reply = Reply(item.json.encode())
    reply["ETag"] = etag
    return reply


def delete_item(call: Call, request: ApiRequest) -> Reply:
    storage_items.delete_item(access=call.access, base=call.name, key=call.key, expected=read_expected(request))
    return json_reply({"key": call.key})


def update_item(call: Call, request: ApiRequest) -> Reply:
    body = read_json_object(request)
    item = storage_items.update_item(
        access=call.access,
        base=call.name,
        key=call.key,
        operations=parse_patch(body),
        expected=read_expected(request),
    )
    return with_revisions(json_reply({"key": call.key} | {part: body[part] for part in PARTS if part in body}), item)


def query_items(call: Call, request: ApiRequest) -> Reply:
    page = find_page(call, read_json_object(request))
    return page_response(page, {"paging": paging_of(page)})


def read_items(request: ApiRequest) -> list[Any]:
    items = read_json_object(request).get("items")
    if not isinstance(items, list):
        raise InvalidInput("Bad items", "`items` is not a list")
    return items


def read_item(request: ApiRequest) -> Any:
    body = read_json_object(request)
    if "item" not in body:
        raise InvalidInput("Bad item", "`item` is missing")
    return body["item"]


def find_page(call: Call, body: dict[str, Any]) -> Page:
    """The page that a query asks for, of now or, with `as_of`, of that moment."""
    asked: dict[str, Any] = {
        "access": call.access,
        "base": call.name,
        "predicate": parse_query(body.get("query")),
        "limit": _limit(body.get("limit")),
        "last": _last(body.get("last")),
        "descending": _is_descending(body.get("sort")),
    }
    if body.get("as_of") is None:
        return storage_items.query_items(**asked)
    return moments.query_items_as_of(moment=read_moment(body["as_of"]), **asked)


def paging_of(page: Page) -> dict[str, Any]:
    return {"size": len(page.items)} | ({} if page.last is None else {"last": page.last})


def page_response(page: Page, about: dict[str, Any]) -> Reply:
    """The items of a page, behind what is said about it."""
    return Reply(f'{dump(about).decode()[:-1]},"items":[{",".join(page.items)}]}}'.encode())


def read_expected(request: ApiRequest) -> Expected | None:
    """What `If-Match` expects of the item; None without one."""
    if_match = request.META.get("HTTP_IF_MATCH")
    if if_match is None:
        return None
    tags = read_strong_tags(if_match)
    return Expected(None if tags is None else [int(tag) for tag in tags if _REVISION.fullmatch(tag)])


def with_revisions(reply: Reply, *items: StoredItem) -> Reply:
    """The reply to a write with the revisions of what was written: of one item it is the `ETag`."""
    if items:
        reply["Item-Revisions"] = ", ".join(str(item.revision) for item in items)
    if len(items) == 1:
        reply["ETag"] = etag_of(items[0])
    return reply


def etag_of(item: StoredItem) -> str:
    return f'"{item.revision}"'


def _not_modified(etag: str) -> HttpResponse:
    response = HttpResponse(status=304, headers={"Cache-Control": PRIVATE})
    response["ETag"] = etag
    return response


def _limit(limit: Any) -> int:
    if limit is None:
        return limits.QUERY_LIMIT_MAX
    if type(limit) is not int or limit < 1:
        raise InvalidInput("Bad limit", "`limit` is not a whole number from 1 on")
    return min(limit, limits.QUERY_LIMIT_MAX)


def _last(last: Any) -> str | None:
    """Clients that have no key to go on from send null or an empty string."""
    return None if last is None or last == "" else names.check_key(last)


def _is_descending(sort: Any) -> bool:
    if sort not in (None, "", "asc", "desc"):
        raise InvalidInput("Bad sort", '`sort` is neither "desc" nor "asc"')
    return sort == "desc"
