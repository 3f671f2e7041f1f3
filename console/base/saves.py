"""Saving what was edited in the table: one request, answered change by change.

The body is `{"save": uuid, "changes": [...]}`; every value in it is a JSON text, so that no digit passes through a float
on the way. What the changes may be is in `_CHANGES`, what they mean in `storage/base/edits.py`.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from console import access
from console.base.last_changed_by import describe_changers
from console.base.row_pages import access_of, find_base
from console.json_views import answers_json, json_response, read_asked, read_text
from storage import limits
from storage.base import edits
from storage.base.edits import ItemState, Result
from storage.base.merging import Add, Change, Delete, Edit
from storage.collections.roles import CollectionAccess
from storage.errors import InvalidInput
from storage.models import Role
from storage.numbers import BEYOND, read_number

_ID_MAX_CHARACTERS = 200


@require_POST
@answers_json
def save(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """If it is sent again with the same id, nothing is applied twice and the answer is the same."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    find_base(collection_id, name)
    body = read_asked(request, most_bytes=limits.EDITS_BODY_MAX_BYTES)
    results = edits.save_changes(
        access=access_of(request, collection_id),
        base=name,
        save_id=_read_id(body.get("save")),
        changes=_read_changes(body.get("changes")),
    )
    return json_response({"results": _told(request, granted, name, results)})


def _told(request: HttpRequest, granted: CollectionAccess, name: str, results: list[Result]) -> list[dict[str, Any]]:
    """The results in words, each with the item as it is now; `revision` stays the one that this save made."""
    keys = {result.key for result in results if result.key is not None and result.revision is not None}
    states = edits.get_states(access=access_of(request, granted.collection.id), base=name, keys=keys)
    changers = describe_changers(granted, results)
    pairs = zip(results, changers, strict=True)
    return [_tell(result, states.get(result.key or "")) | changer for result, changer in pairs]


def _tell(result: Result, state: ItemState | None) -> dict[str, Any]:
    return {
        "id": result.id,
        "outcome": result.outcome,
        "key": result.key,
        "revision": None if result.revision is None else str(result.revision),
        "item": state.json if state else None,
        "item_revision": str(state.revision) if state else None,
        "theirs": result.theirs,
        "why": result.why,
    }


def _read_id(text: object) -> UUID:
    try:
        return UUID(text if isinstance(text, str) else "")
    except ValueError:
        raise InvalidInput("`save` is not a UUID") from None


def _read_changes(given: object) -> list[Change]:
    if not isinstance(given, list):
        raise InvalidInput("`changes` is not a list")
    changes = []
    for number, change in enumerate(given):
        try:
            changes.append(_read_change(change))
        except InvalidInput as error:
            raise error.within(number).within("changes") from None
    return changes


def _read_change(given: object) -> Change:
    if not isinstance(given, dict):
        raise InvalidInput("A change is not an object")
    kind = given.get("kind")
    read = _CHANGES.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise InvalidInput(f"A change's `kind` is one of {', '.join(_CHANGES)}")
    change_id = given.get("id")
    if not isinstance(change_id, str) or len(change_id) > _ID_MAX_CHARACTERS:
        raise InvalidInput("A change's `id` is not a text or is too long")
    return read(change_id, given)


def _read_edit(change_id: str, given: dict[str, Any]) -> Edit:
    unset = given.get("unset", [])
    if not isinstance(unset, list) or not all(isinstance(name, str) for name in unset):
        raise InvalidInput("`unset` is not a list of attribute names")
    loaded, changed = _texts_or_null(given, "loaded"), _texts(given, "set")
    return Edit(change_id, read_text(given.get("key"), "key"), _revision(given), loaded, changed, tuple(unset))


def _read_add(change_id: str, given: dict[str, Any]) -> Add:
    key = None if given.get("key") is None else read_text(given.get("key"), "key")
    return Add(change_id, key, _texts(given, "item"))


def _read_delete(change_id: str, given: dict[str, Any]) -> Delete:
    return Delete(change_id, read_text(given.get("key"), "key"), _revision(given))


_CHANGES: dict[str, Callable[[str, dict[str, Any]], Change]] = {
    "edit": _read_edit,
    "add": _read_add,
    "delete": _read_delete,
}


def _revision(given: dict[str, Any]) -> int:
    number = read_number(read_text(given.get("revision"), "revision"))
    if number is None or number >= BEYOND:
        raise InvalidInput("`revision` is not a text with a number")
    return number


def _texts(given: dict[str, Any], name: str) -> dict[str, str]:
    texts = _texts_or_null(given, name)
    if None in texts.values():
        raise InvalidInput(f"`{name}` must hold only JSON texts")
    return {attribute: text for attribute, text in texts.items() if text is not None}


def _texts_or_null(given: dict[str, Any], name: str) -> dict[str, str | None]:
    found = given.get(name, {})
    if not isinstance(found, dict):
        raise InvalidInput(f"`{name}` is not an object")
    if not all(text is None or isinstance(text, str) for text in found.values()):
        raise InvalidInput(f"`{name}` must hold only JSON texts")
    return found
