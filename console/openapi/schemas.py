"""The schemas that operations refer to, with the numbers of `storage/limits.py`.

What JSON Schema cannot say (bytes of UTF-8, digits of a number, levels of nesting) is in the descriptions.
"""

import re
from typing import Any

from console.openapi.answers import Json
from storage import limits
from storage.base.query import NOT_ON_KEY, OPERATORS, ORDERED
from storage.base.updates import PARTS

_MOST = limits.KEY_MAX_BYTES
KEY: Json = {"type": "string", "minLength": 1, "maxLength": _MOST}
# A character takes up to four bytes: this is as far as a schema can say it.
_NO_CONTROL = r"[^\u0000-\u001f\u007f-\u009f]"
NAME_PART: Json = {"type": "string", "maxLength": limits.FILE_NAME_MAX_BYTES, "pattern": f"^{_NO_CONTROL}*$"}
FILE_NAME: Json = {**NAME_PART, "minLength": 1, "pattern": f"^{_NO_CONTROL}*{_NO_CONTROL[:-1]}/]$"}
LAST: Json = {"type": "string", "description": "The place to go on from. It is there only if more may follow."}
BY: Json = {
    "type": ["string", "null"],
    "description": "An opaque id of the data key or person who made the change, the same for all of theirs in a collection; "
    "null for the server itself.",
}
AT: Json = {"type": "number", "description": "Unix seconds, with a fraction."}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Json, *, required: list[str] | None = None, **more: Any) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    } | more


def _item(*, may_lack_key: bool) -> Json:
    key: Json = {**KEY, "description": f"1 to {_MOST:,} bytes of UTF-8, without the character NUL."}
    if may_lack_key:
        key["type"] = ["string", "null"]
        key["description"] += (
            " One that is missing or null is generated: 12 lower-case letters and digits, ascending with time."
        )
    expires = {
        "type": "number",
        "description": "A Unix time in seconds. The item is gone as soon as that second is over.",
    }
    return _object(
        {"key": key, "__expires": expires},
        required=[] if may_lack_key else ["key"],
        additionalProperties=True,
        description=f"A JSON object of at most {limits.ITEM_MAX_BYTES:,} bytes of compact UTF-8 JSON, nested up to "
        f"{limits.NESTING_MAX_LEVELS} levels. Numbers have up to {limits.NUMBER_MAX_DIGITS} significant digits and exponents "
        f"within ±{limits.NUMBER_MAX_EXPONENT}, and are kept exactly. Texts hold no `\\u0000` and no lone surrogates.",
    )


def _condition() -> Json:
    """An object of a query: what may stand behind the `?` at the end of a name, and of which type its value is then."""
    written: dict[str, list[str]] = {}
    for sign, operator in OPERATORS.items():
        written.setdefault("order" if operator in ORDERED else operator, []).append(re.escape(sign).replace("\\!", "!"))
    numbers, texts = {"type": "number"}, {"type": "string"}

    def behind(*operators: str) -> str:
        signs = "|".join(sign for operator in operators for sign in written[operator])
        return rf"^[\s\S]+\?(?:{signs})$"

    ranges = {
        "oneOf": [
            {"type": "array", "items": one, "minItems": 2, "maxItems": 2, "description": "Both ends are included."}
            for one in (numbers, texts)
        ]
    }
    on_key = [sign for sign, operator in OPERATORS.items() if operator not in (*NOT_ON_KEY, "r")]
    signs = "|".join(re.escape(sign).replace("\\!", "!") for sign in on_key)
    forbidden = "|".join(sign for operator in NOT_ON_KEY for sign in written[operator])
    return {
        "type": "object",
        "description": "Conditions that all hold. The name of each is the path of an attribute, `a.b` for one in an object, and "
        f"behind a `?` its operator: {', '.join(f'`{sign}`' for sign in OPERATORS)}; without one, equality. Comparison never "
        "crosses types. An attribute that is missing matches neither equality nor order; it matches `ne` and `not_contains`.",
        "propertyNames": {
            "pattern": rf"^(?:[^?]+|[\s\S]+\?(?:{'|'.join(s for each in written.values() for s in each)}))$"
        },
        "patternProperties": {
            behind("order"): {"type": ["number", "string"]},
            behind("pfx", "contains", "not_contains"): texts,
            behind("r"): ranges,
            rf"^key(?:\?(?:{signs}))?$": texts,
            rf"^key\?(?:{forbidden})$": False,
            r"^key\?r$": {"type": "array", "items": texts},
        },
    }


def _query() -> Json:
    return {
        "description": "Objects are ORed, the entries of one ANDed. Nothing, null, `[]` and `[{}]` mean everything; a bare "
        f"object is taken as a list of one. At most {limits.QUERY_MAX_CONDITIONS:,} conditions in all. If one object has a "
        "condition on `key`, all have the same one.",
        "oneOf": [
            {"type": "null"},
            _ref("Conditions"),
            {"type": "array", "items": _ref("Conditions"), "maxItems": limits.QUERY_MAX_OBJECTS},
        ],
    }


def _items() -> Json:
    return {
        "Key": _object({"key": {"type": "string"}}),
        "Item": _item(may_lack_key=False),
        "NewItem": _item(may_lack_key=True),
        "Items": _object({"items": {"type": "array", "items": _ref("Item")}}),
        "PutItems": _object(
            {
                "items": {
                    "type": "array",
                    "items": _ref("NewItem"),
                    "minItems": 1,
                    "maxItems": limits.ITEMS_PER_PUT,
                    "description": "No two of them have the same key.",
                }
            }
        ),
        "StoredItems": _object(
            {
                "processed": {**_ref("Items"), "description": "The items as stored, in the order of the request."},
                "failed": _object(
                    {"items": {"type": "array", "minItems": 1, "items": {"type": "object"}}},
                    description="Items with an empty attribute name, which are not stored. It is there only if there are any.",
                ),
            },
            required=["processed"],
            additionalProperties=False,
        ),
        "InsertItem": _object({"item": {**_ref("NewItem"), "propertyNames": {"minLength": 1}}}),
        "Conditions": _condition(),
        "Query": _query(),
        "QueryItems": _object(
            {
                "query": _ref("Query"),
                "limit": {
                    "type": ["integer", "null"],
                    "minimum": 1,
                    "default": limits.QUERY_LIMIT_MAX,
                    "description": f"A higher one means {limits.QUERY_LIMIT_MAX:,}.",
                },
                "last": {
                    "type": ["string", "null"],
                    "maxLength": _MOST,
                    "description": "The key to go on behind, whether that item is still there or not.",
                },
                "sort": {"enum": ["asc", "desc", "", None], "description": "`desc` begins with the highest key."},
                "as_of": {
                    "type": ["number", "null"],
                    "description": "A moment in Unix seconds, not one to come: the items as they were then.",
                },
            },
            required=[],
        ),
        "FoundItems": _object(
            {
                "paging": _object(
                    {"size": {"type": "integer", "minimum": 0, "maximum": limits.QUERY_LIMIT_MAX}, "last": LAST},
                    required=["size"],
                    additionalProperties=False,
                ),
                "items": {"type": "array", "items": _ref("Item"), "maxItems": limits.QUERY_LIMIT_MAX},
                "count": {"type": "integer", "description": "For clients of the hosted successor alone."},
                "last": {"type": ["string", "null"], "description": "For clients of the hosted successor alone."},
            },
            required=["paging", "items"],
            additionalProperties=False,
        ),
    }


# Steps with dots between them, none of them empty.
_PATH = r"^[^.]+(?:\.[^.]+)*$"


def _patch_part(part: str) -> Json:
    anything: Json = {"type": "array", "items": {}}
    value = {"increment": {"type": "number"}, "append": anything, "prepend": anything}.get(part, {})
    if part == "delete":
        return {"type": ["array", "null"], "items": {"type": "string", "pattern": _PATH}}
    return {"type": ["object", "null"], "propertyNames": {"pattern": _PATH}, "additionalProperties": value}


def _patches() -> Json:
    parts = {part: _patch_part(part) for part in PARTS}
    says = (
        "Each part names attributes by their paths, `a.b` for one in an object. `set` creates the last step. No two operations "
        "name the same path, or one an ancestor of the other's; the key cannot be changed; not all parts are empty."
    )
    return {
        "UpdateItem": _object(parts, required=[], additionalProperties=False, minProperties=1, description=says),
        "UpdatedItem": _object(
            {"key": {"type": "string"}, **parts},
            required=["key"],
            additionalProperties=False,
            description="The key, and every part of the request as it was sent.",
        ),
    }


def _feeds() -> Json:
    item = {"oneOf": [_ref("Item"), {"type": "null"}]}
    version = _object(
        {
            "revision": {"type": "integer", "description": "What the change gave the item, as its `ETag` has it."},
            "at": AT,
            "by": BY,
            "before": {**item, "description": "Null where there was no item."},
            "after": {**item, "description": "Null where there was no item any more."},
            "is_kept": {
                "type": "boolean",
                "description": "False, and there, only where one of both states is not kept, which is null then.",
            },
        },
        required=["revision", "at", "by", "before", "after"],
        additionalProperties=False,
    )
    change = _object(
        {
            "key": {"type": "string"},
            "revision": {"type": "integer"},
            "at": AT,
            "by": BY,
            "value": {**item, "description": "The item as the change left it, null for a deletion."},
        },
        additionalProperties=False,
    )
    most = limits.QUERY_LIMIT_MAX
    size = {"type": "integer", "minimum": 0, "maximum": most}
    return {
        "Version": version,
        "Versions": _object(
            {
                "paging": _object({"size": size, "last": LAST}, required=["size"], additionalProperties=False),
                "versions": {"type": "array", "items": _ref("Version"), "maxItems": most},
            },
            additionalProperties=False,
        ),
        "Change": change,
        "Changes": _object(
            {
                "changes": {"type": "array", "items": _ref("Change"), "maxItems": most},
                "cursor": {"type": "string", "description": "Where to go on from: the next request's `since`."},
                "more": {"type": "boolean", "description": "Whether there is more already."},
            },
            additionalProperties=False,
        ),
    }


def _files() -> Json:
    name = {"type": "string"}
    stored = {"name": name, "project_id": {"type": "string"}, "drive_name": {"type": "string"}}
    upload_id = {"upload_id": {"type": "string"}}
    part = {"part": {"type": "integer", "minimum": 1, "maximum": limits.PARTS_MAX}}
    return {
        "StoredFile": _object(stored, additionalProperties=False),
        "Upload": _object(stored | upload_id, additionalProperties=False),
        "StoredPart": _object(stored | upload_id | part, additionalProperties=False),
        "FileNames": _object(
            {
                "names": {"type": "array", "items": name, "maxItems": limits.NAMES_PER_LIST},
                "paging": _object(
                    {
                        "size": {"type": "integer", "minimum": 1, "maximum": limits.NAMES_PER_LIST},
                        "last": {"type": "string", "description": "The name to go on behind."},
                    },
                    additionalProperties=False,
                    description="It is there only if more follow.",
                ),
            },
            required=["names"],
            additionalProperties=False,
        ),
        "DeleteFiles": _object(
            {"names": {"type": "array", "items": name, "minItems": 1, "maxItems": limits.NAMES_PER_DELETE}}
        ),
        "DeletedFiles": _object(
            {
                "deleted": {
                    "type": "array",
                    "items": name,
                    "description": "A name that was no file counts as deleted.",
                },
                "failed": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "minProperties": 1,
                    "description": "By name, why: `invalid name`. It is there only if any failed.",
                },
            },
            required=["deleted"],
            additionalProperties=False,
        ),
    }


def schemas() -> Json:
    """All of them by name."""
    messages = {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "description": "The first is the one that clients compare; any explanation follows it.",
    }
    return {
        "Errors": _object({"errors": messages}, additionalProperties=False),
        "ErrorsWithCursor": _object({"errors": messages, "cursor": {"type": "string"}}, additionalProperties=False),
        **_items(),
        **_patches(),
        **_feeds(),
        **_files(),
    }
