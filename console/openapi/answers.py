"""What operations answer: responses that work, and those of named errors, as the error itself and the one table say them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from console.error_status import (
    EncodedBody,
    MethodNotAllowed,
    RangeNotSatisfiable,
    StreamsBusy,
    TooManyBytes,
    TooManyRequests,
    TooManyStreams,
    TooManyWrongKeys,
    UnknownPath,
    headers_of,
    status_of,
)
from console.server import limits as server_limits
from storage import errors, limits, names
from storage.base.query import parse_query
from storage.base.updates import parse_patch
from storage.errors import StorageError
from storage.exact_json import parse

JSON = "application/json"
Json = dict[str, Any]


def _refused(check: Callable[[Any], object], value: Any) -> StorageError:
    """The error that a check raises, word for word."""
    try:
        check(value)
    except errors.InvalidInput as error:
        return error
    raise ValueError(f"{value!r} is let through")


_BAD_NAME = _refused(names.check_name, ".people")
_NO_JSON = (_refused(parse, b'{"items": [}'), errors.InvalidInput("The body is not a JSON object"))
_BAD_LIMIT = errors.InvalidInput("Bad limit", "`limit` is not a whole number from 1 on")
_TOO_MANY = (
    TooManyWrongKeys(42),
    TooManyRequests(5, wait_seconds=1),
    TooManyBytes(50_000, wait_seconds=3_600),
)
# By the name that they have among the document's components: what it is about, and the errors that it is the answer to.
_ERRORS: dict[str, tuple[str, Sequence[StorageError]]] = {
    "BadRequest": ("The request breaks a rule.", (_BAD_NAME,)),
    "BadItems": (
        "The request breaks a rule, and nothing is stored.",
        (
            *_NO_JSON,
            errors.InvalidInput("Bad items", f"A put takes 1 to {limits.ITEMS_PER_PUT} items, this one has 26"),
            _refused(names.check_key, 1),
            _BAD_NAME,
        ),
    ),
    "BadUpdate": (
        "The request breaks a rule, or does not fit the item, which is unchanged.",
        (*_NO_JSON, *(_refused(parse_patch, each) for each in ({}, {"set": {"key": "b"}}, {"increment": {"n": "1"}}))),
    ),
    "BadQuery": (
        "The request breaks a rule. What is wrong with a query, and where, says the second message.",
        (_refused(parse_query, [{"age?gtt": 1}]), _BAD_LIMIT, _BAD_NAME),
    ),
    "BadFile": (
        "The request breaks a rule, and nothing has changed.",
        (
            _refused(names.check_file_name, "photos/"),
            errors.InvalidInput("Bad file name", "`name` is missing in the query string"),
            _BAD_NAME,
        ),
    ),
    "BadUpload": (
        "The request breaks a rule, and the upload stays open.",
        (
            errors.InvalidInput("Bad upload", "Part 2 is missing"),
            errors.InvalidInput("Bad part", f"`part` is not a whole number from 1 to {limits.PARTS_MAX}"),
            _refused(names.check_file_name, "photos/"),
        ),
    ),
    "Unauthorized": (
        "The data key is missing, malformed, unknown, revoked, expired, or another collection's: always the same answer.",
        (errors.Unauthorized(),),
    ),
    "Forbidden": (
        "The key is good but lacks the right: it is read-only, or limited to other Bases or Drives.",
        (errors.Forbidden(),),
    ),
    "KeyNotFound": ("There is no such item, or it has expired.", (errors.ItemNotFound(),)),
    "FileNotFound": ("The Drive has no file with this name.", (errors.FileNotFound(),)),
    "UploadNotFound": ("The upload is unknown, another Drive's, or under another name.", (errors.UploadNotFound(),)),
    "UnknownPath": ("There is no such path: a name or an id in it holds a `/`, encoded or not.", (UnknownPath(),)),
    "MethodNotAllowed": ("The path does not know the method.", (MethodNotAllowed("PUT, POST, OPTIONS"),)),
    "KeyExists": ("The key is taken by an item that has not expired.", (errors.KeyExists(),)),
    "ItemsDistributed": (
        "The server's items are distributed over several databases: changes are not noted there.",
        (errors.ItemsDistributed(),),
    ),
    "NotKept": (
        "The moment lies before what is kept of the history.",
        (errors.HistoryNotKept("Not kept", "What items were is kept from 2026-11-29 08:00:00 UTC on"),),
    ),
    "ChangesGone": (
        "The cursor is older than what is kept. Read the Base anew, then go on from the `cursor` in this answer.",
        (errors.ChangesGone("The cursor is older than what is kept of the changes", "4.1290"),),
    ),
    "RevisionDiffers": ("The item is not as `If-Match` says. Nothing has changed.", (errors.RevisionDiffers(),)),
    "EncodedBody": ("The body has a `Content-Encoding`.", (EncodedBody(),)),
    "RangeNotSatisfiable": ("The range begins behind the end of the file.", (RangeNotSatisfiable(7),)),
    "TooMany": ("Too many wrong keys came from this address, or the key is over one of its limits.", _TOO_MANY),
    "TooManyOrStreams": (
        "As everywhere; or one key has as many streams as it may have.",
        (*_TOO_MANY, TooManyStreams()),
    ),
    "Unreachable": (
        f"PostgreSQL or S3 does not answer, or the server is busy. It comes within {limits.ENGINE_ANSWER_SECONDS + 0.5:.0f} "
        "seconds.",
        (errors.EngineUnreachable(),),
    ),
    "UnreachableOrStreams": (
        "As everywhere; or the server has as many streams as it can.",
        (errors.EngineUnreachable(), StreamsBusy()),
    ),
    "DiskFull": ("The server's disk is full: reads and deletes go on.", (errors.DiskFull(),)),
}
# What the web server itself says of a request that the API does not get to see.
_REFUSALS: dict[str, tuple[int, str, str]] = {
    "TimedOut": (408, "The request did not arrive in time.", "The body did not arrive in time"),
    "AddressTooLong": (
        414,
        f"The address is longer than {server_limits.TARGET_MAX_BYTES:,} bytes.",
        f"An address has at most {server_limits.TARGET_MAX_BYTES:,} bytes",
    ),
    "HeadersTooLarge": (
        431,
        f"There are more than {server_limits.HEADERS_MAX} headers, or they are larger than "
        f"{server_limits.HEAD_MAX_BYTES:,} bytes.",
        f"A request has at most {server_limits.HEADERS_MAX} headers",
    ),
}
_HEADERS = {
    "Allow": "The methods of the path.",
    "Content-Range": "The size of the file, as `bytes */7`.",
    "Retry-After": "Seconds to wait before the next request.",
}
_OF_SERVER = ("BadRequest", *_REFUSALS, "Defect", "Unreachable")
_OF_KEYS = ("Unauthorized", "Forbidden", "UnknownPath", "TooMany")
_OF_WRITES = ("DiskFull",)
_OF_BODIES = ("EncodedBody", "DiskFull")


def described_errors() -> set[type[StorageError]]:
    """The kinds of errors that some operation says it may answer."""
    return {type(error) for _, found in _ERRORS.values() for error in found} | {errors.BodyTooLarge, errors.BlobMissing}


def components() -> Json:
    """The responses that operations refer to by name."""
    made = {name: _of_errors(about, found) for name, (about, found) in _ERRORS.items()}
    made |= {name: _of_messages(about, [[message]]) for name, (_, about, message) in _REFUSALS.items()}
    made["TooLarge"] = {
        "description": "The file or part is too large. The one answer in HTML, as the original service had it.",
        "content": {"text/html": {"schema": {"type": "string", "const": "<h1> 413 - Request Entity Too Large </h1>"}}},
    }
    made["NoSuchItem"] = {
        "description": "There is no such item, or it has expired: the one 404 that names the key. Or there is no such path.",
        "content": {
            JSON: {
                "schema": {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Key", "Errors")]},
                "examples": {
                    "1": {"summary": "No such item", "value": {"key": "ada"}},
                    "2": {"summary": "No such path", "value": {"errors": list(UnknownPath().messages)}},
                },
            }
        },
    }
    defect = "The server's log has the details under 5c0b9a7d6e1f2a34"
    made["Defect"] = _of_messages(
        "A defect of Homeport's; the second message names the entry in the server's log.",
        [["Internal server error", defect], list(errors.BlobMissing().messages)],
    )
    return made


def statuses() -> dict[str, int]:
    """The status of each of the named responses."""
    found = {name: status_of(given[0]) for name, (_, given) in _ERRORS.items()}
    found |= {name: status for name, (status, _, _) in _REFUSALS.items()}
    return found | {"TooLarge": status_of(errors.BodyTooLarge()), "NoSuchItem": 404, "Defect": 500}


def responses(answers: Mapping[int, Json], own: Sequence[str], *, writes: bool, has_body: bool, is_open: bool) -> Json:
    """All that an operation answers, by status: what works, its own errors, and those that every one has."""
    found: Json = {str(status): answer for status, answer in answers.items()}
    common = [
        *_OF_SERVER,
        *(() if is_open else _OF_KEYS),
        *(_OF_WRITES if writes else ()),
        *(_OF_BODIES if has_body else ()),
    ]
    known = statuses()
    for name in (*own, *common):
        # Its own ones come first: where they have the status of a common one, they say more.
        found.setdefault(str(known[name]), {"$ref": f"#/components/responses/{name}"})
    return dict(sorted(found.items()))


def answer(
    description: str, schema: str, example: Any, *, headers: Sequence[str] = (), links: Sequence[str] = ()
) -> Json:
    """A response in JSON of a schema of the document's."""
    content = {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}}
    return empty(description, headers=headers, links=links) | {"content": content}


def empty(description: str, *, headers: Sequence[str] = (), links: Sequence[str] = ()) -> Json:
    """A response without a body."""
    made: Json = {"description": description}
    if headers:
        made["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    if links:
        made["links"] = {name: {"$ref": f"#/components/links/{name}"} for name in links}
    return made


def _of_errors(about: str, found: Sequence[StorageError]) -> Json:
    made = _of_messages(about, [list(error.messages) for error in found], details=[error.details for error in found])
    if headers := headers_of(found[0]):
        made["headers"] = {
            name: {
                "description": _HEADERS[name],
                "required": True,
                "schema": {"type": "integer", "minimum": 1} if name == "Retry-After" else {"type": "string"},
            }
            for name in headers
        }
    return made


def _of_messages(about: str, messages: Sequence[list[str]], *, details: Sequence[Json] = ()) -> Json:
    bodies = [{"errors": each} | more for each, more in zip(messages, details or [{}] * len(messages), strict=True)]
    schema = "ErrorsWithCursor" if "cursor" in bodies[0] else "Errors"
    shown: Json = {"example": bodies[0]}
    if len(bodies) > 1:
        named = {f"{number}": {"summary": body["errors"][0], "value": body} for number, body in enumerate(bodies, 1)}
        shown = {"examples": named}
    return {"description": about, "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}} | shown}}
