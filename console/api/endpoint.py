"""What all URLs of the public API share: method, data key, names, errors, CORS.

An operation takes `Call` and the request, and returns the response; it raises named errors.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.http import HttpResponse

from console import access
from console.api import key_limits
from console.api.errors import defect_reply, error_reply
from console.api.replies import Response
from console.api.request import ApiRequest
from console.error_status import MethodNotAllowed, TooManyWrongKeys, UnknownPath
from console.server.bodies import BodyAwaited
from console.server.threads import note_operation
from console.wrong_keys import count_wrong_key
from storage import names
from storage.base import items
from storage.collections import key_uses
from storage.errors import DiskFull, InvalidInput, StorageError, Unauthorized
from storage.postgres.caller import Access

# Of pages from anywhere: what they may send, and what they may read of an answer.
ALLOWED_HEADERS = "X-API-Key, Content-Type, Authorization, If-Match, If-None-Match, Last-Event-ID"
EXPOSED_HEADERS = "ETag, Retry-After, Item-Revisions, X-Request-ID"


class Call(NamedTuple):
    """What an operation is asked for: by whom, of which Base or Drive, and for a member its key."""

    access: Access
    name: str
    key: str


Operation = Callable[[Call, ApiRequest], Response]
CheckAccess = Callable[..., None]
# What stands in the table of URLs answers with a `Response`; Django's patterns know of its own ones alone.
View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """An operation and whether it writes, which decides the right that a data key needs."""

    operation: Operation
    writes: bool


def reads(operation: Operation) -> Rule:
    return Rule(operation, writes=False)


def writes(operation: Operation) -> Rule:
    return Rule(operation, writes=True)


def endpoint(check_access: CheckAccess = items.check_access, **rules: Rule) -> View:
    """A Django view that dispatches on the method: `endpoint(PUT=writes(put_items))`. GET serves HEAD too.

    `check_access` asks for the right alone: items', unless it is about a Drive.
    """
    if "GET" in rules:
        rules["HEAD"] = rules["GET"]

    def perform(request: ApiRequest, *, collection_id: str, name: str, key: str = "") -> Response:
        rule = rules[request.method or ""]
        note_operation(request.META, "api", rule.operation.__name__)
        return _perform(rule, check_access, request, collection_id=collection_id, name=name, key=key)

    return _view(perform, rules)


def open_endpoint(operation: Callable[[ApiRequest], Response]) -> View:
    """The same for what anybody may GET, without a data key."""

    def perform(request: ApiRequest) -> Response:
        note_operation(request.META, "api", operation.__name__)
        return operation(request)

    return _view(perform, ("GET", "HEAD"))


def _view(perform: Callable[..., Response], methods: Iterable[str]) -> View:
    """A Django view that answers these methods, and every error as the API does."""
    known = frozenset(methods)
    allowed = ", ".join([*methods, "OPTIONS"])

    def view(request: ApiRequest, **arguments: str) -> Response:
        if request.method == "OPTIONS":
            note_operation(request.META, "api", "preflight")
            return _finished(request, _preflight(allowed))
        response: Response
        try:
            if request.method not in known:
                raise MethodNotAllowed(allowed)
            response = perform(request, **arguments)
        except Unauthorized as error:
            response = _unauthorized_reply(request, error)
        except StorageError as error:
            response = error_reply(error)
        except Exception as error:  # the last resort: no traceback and no HTML reaches a client
            response = defect_reply(error)
        except BaseException:
            key_limits.give_back(request)
            raise
        return _finished(request, response)

    # Cookies are ignored here, so a forged request has no credentials.
    view.csrf_exempt = True  # type: ignore[attr-defined]
    view.methods = known  # type: ignore[attr-defined]  # which the description tells all of
    return view


def _unknown_path(request: ApiRequest) -> Response:
    note_operation(request.META, "api", "unknown")
    return _finished(request, error_reply(UnknownPath()))


unknown_path: View = _unknown_path


def _perform(
    rule: Rule, check_access: CheckAccess, request: ApiRequest, *, collection_id: str, name: str, key: str
) -> Response:
    caller = access.by_data_key(request, collection_id)
    request.allowance = key_limits.check(caller)
    try:
        if not request.path_is_utf8:
            raise InvalidInput("The path is not UTF-8 behind its percent-encoding")
        response = rule.operation(Call(caller, names.check_name(name), key), request)
    except (InvalidInput, DiskFull, BodyAwaited):
        # What is wrong with a request, or with the disk, is told to those alone who may make it, and of them alone a body is
        # taken in. The usual way asks the database once, in the statement that does the work; this one had not got so far.
        check_access(access=caller, name=name if names.is_name(name) else "", write=rule.writes)
        raise
    if caller.key_digest is not None:
        key_uses.note_use(key_digest=caller.key_digest, client=request.META.get("HTTP_USER_AGENT", ""))
    return response


def _unauthorized_reply(request: ApiRequest, error: Unauthorized) -> Response:
    wait_seconds = count_wrong_key(request.META["REMOTE_ADDR"])
    return error_reply(TooManyWrongKeys(wait_seconds) if wait_seconds else error)


def _preflight(allowed: str) -> HttpResponse:
    response = HttpResponse(status=204)
    response["Allow"] = response["Access-Control-Allow-Methods"] = allowed
    response["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
    response["Access-Control-Max-Age"] = "86400"
    return response


def _finished(request: ApiRequest, response: Response) -> Response:
    key_limits.count(request, response)
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    if request.META.get("HTTP_CONNECTION", "").lower() == "close":
        # Without it node-fetch takes the socket for one that may be used again, and fails on the next request.
        response["Connection"] = "close"
    return response
