"""Parameters in paths, query strings and headers, and the headers of answers."""

from console.openapi.answers import Json
from console.openapi.schemas import FILE_NAME, KEY, NAME_PART
from storage import limits, names

_PLACE = {"type": "string", "pattern": "^[0-9]{0,18}$"}
_CURSOR = r"^(?:now|[0-9]{1,18}\.[0-9]{1,18}(?:\.[0-9]{1,18})?)?$"


def _in(place: str, name: str, description: str, schema: Json, example: object, *, required: bool = False) -> Json:
    made: Json = {"name": name, "in": place, "description": description, "schema": schema}
    if required:
        made["required"] = True
    return made | ({} if example is None else {"example": example})


def path_parameters() -> dict[str, Json]:
    """Those that stand in a path, by the name they have there."""
    most = limits.NAME_MAX_CHARACTERS
    rule = f"1 to {most} letters (a-z, A-Z), digits, `_`, `-` and `.`, not beginning with `.`"
    return {
        "collection_id": _in(
            "path",
            "collection_id",
            "The collection's id: what stands before the `_` of its data keys.",
            {"type": "string", "pattern": f"^{names.COLLECTION_ID_PATTERN}$"},
            "a0b1c2d3e4",
            required=True,
        ),
        "name": _in(
            "path",
            "name",
            f"The Base's name, or the Drive's: {rule}. It comes to exist with the first write.",
            {"type": "string", "pattern": f"^{names.NAME_PATTERN}$"},
            "people",
            required=True,
        ),
        "key": _in(
            "path",
            "key",
            f"The item's key, percent-encoded, slashes too: 1 to {limits.KEY_MAX_BYTES:,} bytes of UTF-8 without NUL.",
            KEY,
            "ada",
            required=True,
        ),
        "upload_id": _in(
            "path",
            "upload_id",
            "The id that the upload was started with.",
            {"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
            "0f3a5c7e9b1d4f6a8c0e2b4d6f8a0c1e",
            required=True,
        ),
    }


def parameters() -> dict[str, Json]:
    """All others, by the names that operations give them."""
    most = limits.QUERY_LIMIT_MAX
    limit = {"type": "integer", "minimum": 1, "default": most}
    return {
        "Limit": _in("query", "limit", f"How many at most. A higher one than {most:,} means {most:,}.", limit, 100),
        "NamesLimit": _in(
            "query",
            "limit",
            f"How many at most. A higher one than {limits.NAMES_PER_LIST:,} means {limits.NAMES_PER_LIST:,}.",
            {"type": "integer", "minimum": 1, "default": limits.NAMES_PER_LIST},
            100,
        ),
        "HistoryKey": _in("query", "key", "The key of the item.", KEY, "ada", required=True),
        "HistoryLast": _in("query", "last", "`paging.last` of an answer: the place to go on from.", _PLACE, None),
        "Since": _in(
            "query",
            "since",
            "The `cursor` of an answer, or of an event: what came behind it. `now`: nothing but a cursor. Without it, from the "
            "oldest that is kept.",
            {"type": "string", "pattern": _CURSOR},
            "now",
        ),
        "ChangesQuery": _in(
            "query",
            "query",
            "The JSON of a query: only changes whose item matches, or no longer does, which is told with `value` null.",
            {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": "#/components/schemas/Query"},
            },
            '[{"age?gte":18}]',
        ),
        "LastEventId": _in(
            "header",
            "Last-Event-ID",
            "Of a stream that is taken up again: the `id` of the last event. It counts before `since`.",
            {"type": "string"},
            None,
        ),
        "IfMatch": _in(
            "header",
            "If-Match",
            "The item's revision, as its `ETag` says it, or several with commas: the write is made only while the item has one "
            "of them. `*`: only where there is an item.",
            {"type": "string"},
            '"17"',
        ),
        "IfNoneMatch": _in(
            "header",
            "If-None-Match",
            "An `ETag` that you have: 304 if it is still the one.",
            {"type": "string"},
            '"17"',
        ),
        "FileName": _in(
            "query",
            "name",
            f"The file's name, percent-encoded: 1 to {limits.FILE_NAME_MAX_BYTES:,} bytes of UTF-8, not blank, without control "
            "characters, not ending in `/`. Otherwise it is opaque text, never a path.",
            FILE_NAME,
            "photos/ada.png",
            required=True,
        ),
        "Part": _in(
            "query",
            "part",
            "The number of the part.",
            {"type": "integer", "minimum": 1, "maximum": limits.PARTS_MAX},
            1,
            required=True,
        ),
        "Prefix": _in("query", "prefix", "Only names that begin so.", NAME_PART, "photos/"),
        "NamesLast": _in("query", "last", "`paging.last` of an answer: the name to go on behind.", NAME_PART, None),
        "Recursive": _in(
            "query",
            "recursive",
            "`false`: a name is cut behind the first `/` that follows the prefix, and each such folder is listed once.",
            {"type": "boolean", "default": True},
            None,
        ),
        "Range": _in(
            "header",
            "Range",
            "One range of bytes. Of several, or of nonsense, comes the whole file.",
            {"type": "string"},
            "bytes=0-99",
        ),
        "IfRange": _in(
            "header",
            "If-Range",
            "The range counts only while the `ETag` or the date is this.",
            {"type": "string"},
            None,
        ),
    }


def headers() -> dict[str, Json]:
    """What an answer says beside its body."""
    text: Json = {"type": "string"}
    number = {"type": "integer", "minimum": 0}
    return {
        "ETag": {"description": "The revision, in quotes: for `If-Match` and `If-None-Match`.", "schema": text},
        "Item-Revisions": {
            "description": "The revisions of what was written, in the order of `processed`.",
            "schema": text,
            "example": "17, 18",
        },
        "Content-Length": {"description": "How many bytes follow.", "schema": number},
        "Content-Range": {"description": "Which bytes these are, and how many there are.", "schema": text},
        "Last-Modified": {"description": "When the file was stored.", "schema": text},
        "Accept-Ranges": {"description": "`bytes`.", "schema": {"const": "bytes"}},
    }
