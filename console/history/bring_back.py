"""What was, as changes to stage in the table of today: edits of items that are there, new rows for those that are not.

A person asks for states of items; what differs from the items as they stand is told, as JSON texts, and nothing is stored. Saving
it is a save like any other (`storage/base/edits.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from console.history.filters import read_time
from console.json_views import read_text
from storage import limits
from storage.base import edits
from storage.base.edits import ItemState
from storage.base.query import parse_query
from storage.errors import HistoryNotKept, InvalidInput, ItemNotFound
from storage.exact_json import is_number, parse, split
from storage.history import moments, versions
from storage.numbers import BEYOND, read_number
from storage.postgres import clock
from storage.postgres.caller import Access

Members = Mapping[str, str]
Row = dict[str, Any]
Text = TypeVar("Text", str, str | None)


def find_rows(asked: Mapping[str, object], *, access: Access, base: str) -> dict[str, Any]:
    """`{"rows", "unchanged", "expired"}` for `{"versions": [...]}` or `{"moment": {"as_of", "keys"}}`. What one writer did is
    taken back in `undoing.py`.

    A version is `{"key", "id", "side"}`, side "before" or "after" it, and may name one `attribute`. A row is `{"key", "item",
    "stored", "json", "delete"}`: `item` has the attributes to set, None for one to remove; `stored` is None for a new row,
    else `{"revision", "values"}` of what is there; `json` is the item as it stands. Rows that would change nothing are counted
    as `unchanged`; `expired` counts rows that come without their `__expires`, which is past.

    Raises InvalidInput, HistoryNotKept, ItemNotFound for a version that is not there.
    """
    read = _WAYS.get(next(iter(asked), ""))
    if read is None or len(asked) != 1:
        raise InvalidInput("Ask for `versions` or a `moment`")
    wanted = read(next(iter(asked.values())), access, base)
    states = edits.get_states(access=access, base=base, keys=[key for key, _, _ in wanted])
    rows, unchanged, expired = [], 0, 0
    for key, members, attribute in wanted:
        row, is_expired = describe(key, members, states.get(key), attribute)
        expired += is_expired
        unchanged += row is None
        rows += [row] if row else []
    return {"rows": rows, "unchanged": unchanged, "expired": expired}


def describe(
    key: str, wanted: Members | None, present: ItemState | None, attribute: str | None = None
) -> tuple[Row | None, bool]:
    """The row that makes an item what it was, None for none; and whether it lost an `__expires` that is past."""
    now = without_key(present.json) if present else None
    if attribute is not None:
        if now is None:
            raise InvalidInput(f"{key} is not there: bring the whole item back")
        text = (wanted or {}).get(attribute)
        wanted = {name: value for name, value in now.items() if name != attribute} | ({attribute: text} if text else {})
    if wanted is None:
        return (_row(key, {}, present) | {"delete": True} if present else None), False
    kept = without_past_expiry(wanted)
    is_expired = len(kept) < len(wanted)
    if now is None or present is None:
        return _row(key, kept, None), is_expired
    names = [name for name in dict.fromkeys((*kept, *now)) if kept.get(name) != now.get(name)]
    return (_row(key, {name: kept.get(name) for name in names}, present) if names else None), is_expired


def _row(key: str, item: Mapping[str, str | None], present: ItemState | None) -> Row:
    stored = None
    if present is not None:
        now = without_key(present.json)
        stored = {"revision": str(present.revision), "values": {name: now.get(name) for name in item}}
    return {
        "key": key,
        "item": dict(item),
        "stored": stored,
        "json": present.json if present else None,
        "delete": False,
    }


def without_key(item: str) -> dict[str, str]:
    """The attributes of a whole item, each as its JSON text."""
    members = split(item)
    members.pop("key", None)
    return members


def without_past_expiry(members: Mapping[str, Text]) -> dict[str, Text]:
    """What can be stored again: an item whose `__expires` is past would be gone at once."""
    text = members.get("__expires")
    expires = None if text is None else parse(text.encode())
    if expires is None or not is_number(expires) or expires > clock.now().timestamp():
        return dict(members)
    return {name: value for name, value in members.items() if name != "__expires"}


def _read_versions(given: object, access: Access, base: str) -> list[tuple[str, Members | None, str | None]]:
    wanted: list[tuple[str, Members | None, str | None]] = []
    for each in _read_list(given, "versions"):
        if not isinstance(each, dict):
            raise InvalidInput("A version is not an object")
        key, attribute, side = each.get("key"), each.get("attribute"), each.get("side")
        if not isinstance(key, str) or side not in ("before", "after") or not isinstance(attribute, str | None):
            raise InvalidInput("A version has a `key`, an `id`, a `side` and perhaps an `attribute`")
        item = _find_state(access, base, key, _read_id(each.get("id")), is_before=side == "before")
        wanted.append((key, None if item is None else without_key(item), attribute))
    return wanted


def _find_state(access: Access, base: str, key: str, version_id: int, *, is_before: bool) -> str | None:
    found = versions.list_versions(access=access, base=base, key=key, limit=1, last=version_id + 1).versions
    if not found or found[0].id != version_id:
        raise ItemNotFound("This version is not kept any more")
    (version,) = found
    if not (version.before_is_kept if is_before else version.after_is_kept):
        raise HistoryNotKept("Not kept", f"What {key} was then is not kept")
    return version.before if is_before else version.after


def _read_id(given: object) -> int:
    number = read_number(given) if isinstance(given, str) else None
    if number is None or number >= BEYOND:
        raise InvalidInput("`id` is not a text with a number")
    return number


def _read_moment(given: object, access: Access, base: str) -> list[tuple[str, Members | None, str | None]]:
    asked = given if isinstance(given, dict) else {}
    at = asked.get("as_of")
    moment = read_time(at) if isinstance(at, str) else None
    if moment is None:
        raise InvalidInput("`as_of` is not a moment")
    wanted: list[tuple[str, Members | None, str | None]] = []
    keys = [read_text(key, "keys") for key in _read_list(asked.get("keys"), "keys")]
    for key in dict.fromkeys(keys):
        found = moments.query_items_as_of(
            access=access, base=base, predicate=parse_query([{"key": key}]), moment=moment, limit=1
        ).items
        if not found:
            raise ItemNotFound(f"{key} was not there then")
        wanted.append((key, without_key(found[0]), None))
    return wanted


def _read_list(given: object, what: str) -> Sequence[object]:
    if not isinstance(given, list) or not 1 <= len(given) <= limits.HISTORY_ROWS_BACK_MAX:
        raise InvalidInput(f"`{what}` is not a list of 1 to {limits.HISTORY_ROWS_BACK_MAX}")
    return given


_WAYS: dict[str, Callable[[object, Access, str], list[tuple[str, Members | None, str | None]]]] = {
    "versions": _read_versions,
    "moment": _read_moment,
}
