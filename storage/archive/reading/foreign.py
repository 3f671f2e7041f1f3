"""Plain items out of what other databases write: DynamoDB's, Firestore's and MongoDB's ways to say a value's type. Pure.

Numbers that stand as texts keep their digits. Moments become texts in ISO 8601, as JSON has no other form for them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from storage import exact_json

Items = Sequence[Mapping[str, Any]]

_NUMBER = re.compile(r"[+-]?+[0-9]++(?:\.[0-9]*+)?+(?:[eE][+-]?+[0-9]++)?+")
_NUMBER_MAX_CHARACTERS = 200
_DYNAMO = frozenset(("S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"))
_FIRESTORE = frozenset(
    [
        "stringValue",
        "integerValue",
        "doubleValue",
        "booleanValue",
        "nullValue",
        "timestampValue",
        "bytesValue",
        "referenceValue",
        "geoPointValue",
        "arrayValue",
        "mapValue",
    ]
)
_MONGO = frozenset(
    [
        "$oid",
        "$date",
        "$numberInt",
        "$numberLong",
        "$numberDouble",
        "$numberDecimal",
        "$binary",
        "$uuid",
        "$timestamp",
        "$symbol",
        "$undefined",
        "$regularExpression",
        "$minKey",
        "$maxKey",
    ]
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _are_dynamo(items: Items) -> bool:
    inner = [each.get("Item", each) if len(each) == 1 else each for each in items]
    return any(inner) and all(
        isinstance(each, dict) and all(_is_tagged(value, _DYNAMO) and _fits_its_tag(value) for value in each.values())
        for each in inner
    )


def _fits_its_tag(value: Mapping[str, Any]) -> bool:
    """Whether DynamoDB's tag has a value of its kind: a lone `M` may be the name of anything."""
    ((tag, held),) = value.items()
    match tag:
        case "M":
            return isinstance(held, dict)
        case "L" | "SS" | "NS" | "BS":
            return isinstance(held, list)
        case "BOOL" | "NULL":
            return isinstance(held, bool | str)
    return isinstance(held, str)


def _is_tagged(value: Any, tags: frozenset[str]) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in tags


def from_dynamo(item: Mapping[str, Any]) -> dict[str, Any]:
    inner = item["Item"] if len(item) == 1 and isinstance(item.get("Item"), dict) else item
    return {name: _dynamo_value(value) for name, value in inner.items()}


def _dynamo_value(value: Any) -> Any:
    if not _is_tagged(value, _DYNAMO):
        return value
    ((tag, held),) = value.items()
    match tag:
        case "N":
            return _number(held)
        case "NS" if isinstance(held, list):
            return [_number(each) for each in held]
        case "NULL":
            return None
        case "M" if isinstance(held, dict):
            return {name: _dynamo_value(each) for name, each in held.items()}
        case "L" if isinstance(held, list):
            return [_dynamo_value(each) for each in held]
        case "BOOL" if isinstance(held, str):
            return held.lower() == "true"
    return held


def _are_firestore(items: Items) -> bool:
    """A query that found nothing more says so in an answer without a document."""
    return any(map(_is_firestore, items))


def _is_firestore(item: Mapping[str, Any]) -> bool:
    """A document of Firestore's REST API, bare or as one of a query's answers."""
    document = item.get("document", item)
    if not isinstance(document, dict) or not isinstance(document.get("name"), str):
        return False
    fields = document.get("fields", {})
    if not isinstance(fields, dict) or "/documents/" not in document["name"]:
        return False
    return all(_is_tagged(value, _FIRESTORE) for value in fields.values())


def from_firestore(item: Mapping[str, Any]) -> dict[str, Any]:
    document = item.get("document", item)
    if not isinstance(document, dict) or "name" not in document:
        raise ValueError("It holds no document")
    fields = document.get("fields", {})
    found = {name: _firestore_value(value) for name, value in fields.items()} if isinstance(fields, dict) else {}
    name = document.get("name")
    return {"key": name.rpartition("/")[2], **found} if isinstance(name, str) and "key" not in found else found


def _firestore_value(value: Any) -> Any:
    if not _is_tagged(value, _FIRESTORE):
        return value
    ((tag, held),) = value.items()
    match tag:
        case "integerValue" | "doubleValue":
            return _number(held)
        case "nullValue":
            return None
        case "mapValue" if isinstance(held, dict):
            return {name: _firestore_value(each) for name, each in (held.get("fields") or {}).items()}
        case "arrayValue" if isinstance(held, dict):
            return [_firestore_value(each) for each in (held.get("values") or [])]
    return held


def from_firestore_export(item: Mapping[str, Any]) -> dict[str, Any]:
    """A document as the export tools write it: values of their own types say so, collections inside it stay inside it."""
    found = {name: _export_value(value) for name, value in item.items() if name != "__collections__"}
    if inside := item.get("__collections__"):
        found["__collections__"] = _export_value(inside)
    return found


def _export_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_export_value(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"__datatype__", "value"}:
        return _export_value(value["value"])
    for seconds, nanoseconds in (("_seconds", "_nanoseconds"), ("seconds", "nanoseconds")):
        if value.keys() == {seconds, nanoseconds} and type(value[seconds]) is int and type(value[nanoseconds]) is int:
            return _moment(Decimal(value[seconds]) + Decimal(value[nanoseconds]) / 1_000_000_000) or value
    return {name: _export_value(each) for name, each in value.items()}


def _are_mongo(items: Items) -> bool:
    return any(_has_mongo(value) for item in items for value in item.values())


def _has_mongo(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_has_mongo, value))
    return isinstance(value, dict) and (not _MONGO.isdisjoint(value) or any(map(_has_mongo, value.values())))


def from_mongo(item: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: _mongo_value(value) for name, value in item.items()}
    if "key" not in found and isinstance(own := found.get("_id"), str | int) and not isinstance(own, bool):
        del found["_id"]
        return {"key": str(own), **found}
    return found


def _mongo_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_mongo_value(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((tag, held),) = value.items()
        match tag:
            case (
                "$oid"
                | "$symbol"
                | "$code"
                | "$uuid"
                | "$numberDecimal"
                | "$numberInt"
                | "$numberLong"
                | "$numberDouble"
            ):
                return _number(held) if tag.startswith("$number") else held
            case "$date":
                return _mongo_date(held)
            case "$undefined":
                return None
            case "$binary" if isinstance(held, dict):
                return held.get("base64")
    if value.keys() == {"$binary", "$type"}:
        return value["$binary"]
    return {name: _mongo_value(each) for name, each in value.items()}


def _mongo_date(held: Any) -> Any:
    inner = _mongo_value(held)
    return _moment(Decimal(inner) / 1000) or inner if exact_json.is_number(inner) else inner


def _number(held: Any) -> Any:
    """The number that a text is, with its digits; the text itself where it is none. Raises ValueError for NaN and its like."""
    if isinstance(held, str) and held.lstrip("+-") in ("NaN", "Infinity", "Inf"):
        raise ValueError(f"{held} is not a JSON number")
    if not isinstance(held, str) or len(held) > _NUMBER_MAX_CHARACTERS or not _NUMBER.fullmatch(held):
        return held
    plain = held.removeprefix("+")
    return int(plain) if plain.lstrip("-").isdigit() else Decimal(plain)


def _moment(seconds: Decimal) -> str | None:
    """Seconds since 1970 as a text; None beyond what a date can be."""
    try:
        whole = int(seconds)
        at = _EPOCH + timedelta(seconds=whole, microseconds=int((seconds - whole) * 1_000_000))
    except (OverflowError, ValueError):
        return None
    return at.isoformat().replace("+00:00", "Z")


KINDS: tuple[tuple[str, Callable[[Items], bool], Callable[[Mapping[str, Any]], dict[str, Any]]], ...] = (
    ("DynamoDB", _are_dynamo, from_dynamo),
    ("Firestore", _are_firestore, from_firestore),
    ("MongoDB", _are_mongo, from_mongo),
)
