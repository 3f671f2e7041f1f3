"""The public API for a person: `/cli/v1/...` answers as `/v1/...` does, with the access of the token's person in place of a key.

So the `deta` library does the command's work, and a reader reads and a member writes. Such requests are not recorded, as those
of the console's pages are not; what they delete is in the audit log, as it is when a page deletes it.
"""

from urllib.parse import unquote_to_bytes

from django.db import transaction
from django.http.response import HttpResponseBase

from console import access
from console.access import GRANTED_ACCESS
from console.cli_api.gate import TokenRequest
from console.recording.application import respond_unrecorded
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import InvalidInput
from storage.exact_json import parse
from storage.postgres import clock
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors

_BELOW = len("/cli")


def answer(request: TokenRequest, collection_id: str, path: str) -> HttpResponseBase:
    """`path` is what follows the collection's id."""
    access.by_person(request, collection_id)
    _check_path(request)
    if request.method == "DELETE":
        with engine_errors(), transaction.atomic():
            response = _ask(request, collection_id)
            if response.status_code == 200:
                _record_deletion(request, response, collection_id=collection_id, path=path)
            return response
    return _ask(request, collection_id)


def _check_path(request: TokenRequest) -> None:
    """Raises InvalidInput for a path that is not UTF-8, which Django has made another one of, as the API itself does."""
    raw: str = request.META.get("RAW_URI", "").partition("?")[0]
    try:
        unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise InvalidInput("The path is not UTF-8 behind its percent-encoding") from None


def _ask(request: TokenRequest, collection_id: str) -> HttpResponseBase:
    environ = {
        **request.META,
        # Django has decoded the path; the API reads it as WSGI hands it over.
        "PATH_INFO": request.path_info[_BELOW:].encode().decode("latin-1"),
        GRANTED_ACCESS: Access(collection_id, person_id=request.user.pk),
    }
    response = respond_unrecorded(environ)
    # Who has a token may ask from anywhere, but a page of a stranger's has none.
    del response["Access-Control-Allow-Origin"], response["Access-Control-Expose-Headers"]
    return response


def _record_deletion(request: TokenRequest, response: HttpResponseBase, *, collection_id: str, path: str) -> None:
    """One entry an hour for each Base or Drive, whose amount grows: an app of hundreds of deletions is one act to a reader."""
    name, _, what = path.partition("/")
    if what.startswith("uploads/"):
        return
    verb, amount = Verb.ITEMS_DELETED, 1
    if what == "files":
        verb, amount = Verb.FILES_DELETED, len(parse(response.content)["deleted"])  # type: ignore[attr-defined]
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    merge = f"{verb} {request.user.pk} {request.token_name} {collection_id} {name} {hour.isoformat()}"
    audit.record(verb, collection_id=collection_id, about=name, amount=amount, merge=merge)
