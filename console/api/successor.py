"""The dialects of the hosted successor, whose clients are told apart by what only they send (contract: Dialects).

Its second Python client sends the data key as `Authorization: Token KEY`, and wants lists and items bare. All of its clients send
`updates` in a PATCH; the first Python and JavaScript ones sum a fetch up in fields of their own. Here that is translated to the
operations of `items.py` and back, so that those speak the contract alone.
"""

import functools
from collections.abc import Callable
from typing import Any

from console.access import is_by_token
from console.api import items
from console.api.bodies import read_json_object
from console.api.endpoint import Call, Operation, endpoint, reads, writes
from console.api.replies import Reply, Response
from console.api.request import ApiRequest
from storage import limits
from storage.base import items as storage_items
from storage.base.updates import PARTS, parse_patch
from storage.errors import InvalidInput

# What the requests of its first clients are made with: `requests`; `cross-fetch` on Node, or in a browser.
_PYTHON = "python-requests/"
_JAVASCRIPT = ("node-fetch/", "Mozilla/")
_ASKED = {"query", "limit", "last"}
_OPERATORS = ("set", "increment", "append", "prepend")
_REMOVALS = ("trim", "delete")


def has_updates(request: ApiRequest) -> bool:
    return read_json_object(request).keys() == {"updates"}


def wants_count(request: ApiRequest) -> bool:
    """Whether a query comes from the first clients, or the second.

    The first send an object or no query at all. They are made with what the original's clients use as well; but of those the
    JavaScript one always sends a list, and the Python one does not use `requests`.
    """
    agent = str(request.META.get("HTTP_USER_AGENT", ""))
    if is_by_token(request) or agent.startswith(_PYTHON):
        return True
    body = read_json_object(request)
    return agent.startswith(_JAVASCRIPT) and isinstance(body.get("query", {}), dict) and body.keys() <= _ASKED


def put_items(call: Call, request: ApiRequest) -> Reply:
    """Items as a bare list. All are stored or none is: the list has no room for one that failed."""
    result = storage_items.put_items(
        access=call.access,
        base=call.name,
        items=items.read_items(request),
        expected=items.read_expected(request),
        most=limits.ITEMS_PER_SUCCESSOR_PUT,
        all_or_none=True,
    )
    return items.with_revisions(_bare([item.json for item in result.processed], status=200), *result.processed)


def insert_item(call: Call, request: ApiRequest) -> Reply:
    item = storage_items.insert_item(access=call.access, base=call.name, item=items.read_item(request))
    return items.with_revisions(_bare([item.json], status=201), item)


def update_item(call: Call, request: ApiRequest) -> Reply:
    """The item as it is then."""
    item = storage_items.update_item(
        access=call.access,
        base=call.name,
        key=call.key,
        operations=parse_patch(_read_updates(read_json_object(request)["updates"])),
        expected=items.read_expected(request),
    )
    return items.with_revisions(Reply(item.json.encode()), item)


def query_items(call: Call, request: ApiRequest) -> Reply:
    body = read_json_object(request)
    if is_by_token(request):
        page = items.find_page(call, {**body, "last": body.get("last_key")})
        return items.page_response(page, {"count": len(page.items), "last_key": page.last})
    page = items.find_page(call, body)
    return items.page_response(page, {"paging": items.paging_of(page), "count": len(page.items), "last": page.last})


def _bare(texts: list[str], *, status: int) -> Reply:
    return Reply(f"[{','.join(texts)}]".encode(), status=status)


def _read_updates(updates: Any) -> dict[str, Any]:
    """The contract's patch: of its five parts (both Python clients), or of fields, each with what to do to it (JavaScript).

    Fields of those names that hold such parts are read as the parts.
    """
    if not isinstance(updates, dict):
        raise InvalidInput("Bad update", "`updates` is not an object")
    if updates and all(part in PARTS and _is_part(part, value) for part, value in updates.items()):
        patch = dict(updates)
    else:
        patch = {part: [] if part == "delete" else {} for part in PARTS}
        for field, value in updates.items():
            _add_field(patch, field, value)
    for part in ("append", "prepend"):
        values = patch.get(part)
        if isinstance(values, dict):
            patch[part] = {path: value if isinstance(value, list) else [value] for path, value in values.items()}
    return patch


def _is_part(part: str, value: Any) -> bool:
    return isinstance(value, list) if part == "delete" else isinstance(value, dict) and "__op" not in value


def _add_field(patch: dict[str, Any], field: str, value: Any) -> None:
    if not (isinstance(value, dict) and "__op" in value):
        patch["set"][field] = value
    elif (operator := value["__op"]) in _REMOVALS:
        patch["delete"].append(field)
    elif operator in _OPERATORS and "value" in value:
        patch[operator][field] = value["value"]
    else:
        raise InvalidInput("Bad update", f"`{field}` has an operation that is not known, or lacks its `value`")


def _translated(usual: Operation, successor: Operation, is_meant: Callable[[ApiRequest], bool]) -> Operation:
    """The contract's operation, and the successor's for the requests that mean that."""

    @functools.wraps(usual)
    def operation(call: Call, request: ApiRequest) -> Response:
        return (successor if is_meant(request) else usual)(call, request)

    return operation


collection = endpoint(
    PUT=writes(_translated(items.put_items, put_items, is_by_token)),
    POST=writes(_translated(items.insert_item, insert_item, is_by_token)),
)
member = endpoint(
    GET=reads(items.get_item),
    DELETE=writes(items.delete_item),
    PATCH=writes(_translated(items.update_item, update_item, has_updates)),
)
query = endpoint(POST=reads(_translated(items.query_items, query_items, wants_count)))
