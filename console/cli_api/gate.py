"""The gate of everything below `/cli/`, which the `deta` command calls: an access token in `Authorization: Bearer`.

Cookies count for nothing here, so no forged request has credentials, and nobody is ever led to the sign-in page. Answers are
JSON, errors too: `{"errors": [message, ...]}`. A token acts as its person and has the person's roles; `console/access.py` asks
for those in a view's first line.
"""

import logging
import secrets
from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from console.accounts.second_factor import factors
from console.error_status import MethodNotAllowed, SecondFactorOwed, UnknownPath
from console.json_views import error_response, json_response
from storage.access_tokens import tokens
from storage.access_tokens.tokens import Bearer
from storage.errors import Forbidden, StorageError, Unauthorized

logger = logging.getLogger(__name__)

_SCHEME = "bearer "
# By this header a terminal knows that what answers is no server of somebody else's, whatever it says.
MARK = "Homeport"


class TokenRequest(HttpRequest):
    """A request that an access token let in: `user` is its person, `token_name` stands in the audit log."""

    user: User
    bearer: Bearer
    token_name: str


View = Callable[..., HttpResponseBase]


def for_person(**views: View) -> View:
    """A Django view that dispatches on the method, for people alone: `for_person(GET=list_all, POST=create)`.

    The views take a `TokenRequest` and what the path names, and raise named errors, Http404 and PermissionDenied.
    """
    return _endpoint(views, _let_in)


def for_anybody(**views: View) -> View:
    """The same without a token; one that is sent is looked at all the same, and refused where it is no good."""
    return _endpoint(views, lambda request: _let_in(request) if read_token(request) else None)


def read_token(request: HttpRequest) -> str:
    """The text of the token that the request carries, "" for none."""
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    return header[len(_SCHEME) :].strip() if header[: len(_SCHEME)].lower() == _SCHEME else ""


def _let_in(request: HttpRequest) -> None:
    """Raises Unauthorized, and SecondFactorOwed for somebody who has yet to set one up, as pages do."""
    text = read_token(request)
    if not text:
        raise Unauthorized("Unauthorized", "Sign in first: the request has no access token")
    bearer = tokens.check_token(text, address=request.META.get("REMOTE_ADDR", ""))
    if factors.owes_second_factor(bearer.person):
        raise SecondFactorOwed("Set up two-factor sign-in first: open the server in a browser")
    let_in = cast(TokenRequest, request)
    let_in.user, let_in.bearer, let_in.token_name = bearer.person, bearer, bearer.name


def _endpoint(views: dict[str, View], let_in: Callable[[HttpRequest], None]) -> View:
    if "GET" in views:
        views["HEAD"] = views["GET"]
    allowed = ", ".join(views)

    def view(request: HttpRequest, **named: Any) -> HttpResponseBase:
        response = answer(request, **named)
        response[MARK] = "cli"
        return response

    def answer(request: HttpRequest, **named: Any) -> HttpResponseBase:
        request.user = AnonymousUser()  # whatever the request has for a cookie
        try:
            let_in(request)
            chosen = views.get(request.method or "")
            if chosen is None:
                raise MethodNotAllowed(allowed)
            return chosen(request, **named)
        except StorageError as error:
            return _refusal(error)
        except Http404:
            return error_response(UnknownPath())
        except PermissionDenied as error:
            return error_response(Forbidden("Forbidden", str(error)))
        except Exception as error:  # the last resort: no page reaches a terminal
            return _defect(error)

    view.takes_tokens = True  # type: ignore[attr-defined]  # the sign-in of pages is not for it
    view.csrf_exempt = True  # type: ignore[attr-defined]
    view.reads_body = True  # type: ignore[attr-defined]  # so nobody else does
    return view


def _refusal(error: StorageError) -> HttpResponse:
    response = error_response(error)
    if response.status_code == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _defect(error: Exception) -> HttpResponse:
    trace_id = secrets.token_hex(8)
    logger.error("trace %s", trace_id, exc_info=error)
    said = ["Internal server error", f"The server's log has the details under {trace_id}"]
    return json_response({"errors": said}, status=500)
