"""What anybody sees who has a share link: what the file is, the question for its password, and its bytes.

The bytes go out to be stored, never to be shown: nothing that somebody shared runs, or looks like a page, in the console's name.
A link that has ended, one that never was, and one whose file is gone are answered alike.
"""

from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from console.downloads import describe_disposition, send_file
from console.error_status import RangeNotSatisfiable, TooManyTries
from console.json_views import error_response
from console.not_kept import PRIVATE
from console.page import UNPROCESSABLE
from console.share_links import passwords
from console.share_links.at_once import HeldWhileSent, Place
from console.share_links.forms import PasswordForm
from console.share_links.tokens import find_shared
from storage.drive import folders
from storage.errors import ShareLinkNotFound
from storage.postgres.database import release_connection
from storage.share_links import links
from storage.share_links.links import SharedFile

P = ParamSpec("P")

_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": PRIVATE,
}
# The address is the secret. No other site learns it from a browser; with `no-referrer` the form would come from nowhere.
_SECRECY = {"Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex, nofollow"}


def _of_a_link(
    view: Callable[Concatenate[HttpRequest, str, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]:
    """A view that nobody has to sign in for, and that says so when the link leads nowhere."""

    @login_not_required
    @never_cache
    @wraps(view)
    def answer(request: HttpRequest, share: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            response = view(request, share, *args, **kwargs)
        except ShareLinkNotFound:
            response = render(request, "share_links/over.html", status=404)
        for name, value in _SECRECY.items():
            response[name] = value
        return response

    return answer


@_of_a_link
@require_http_methods(["GET", "HEAD", "POST"])
def shared(request: HttpRequest, share: str) -> HttpResponseBase:
    """What the file is; of a link with a password only the question for it. POST answers that."""
    found = find_shared(share)
    form = PasswordForm(request.POST or None)
    status, wait_seconds = 200, 0
    if request.method == "POST" and found.password:
        if form.is_valid():
            try:
                if passwords.is_right(request, found, form.cleaned_data["password"]):
                    return _opened(request, share, found)
                form.add_error("password", "This is not the password.")
            except TooManyTries as error:
                wait_seconds = int(error.headers["Retry-After"])
                minutes = ceil(wait_seconds / 60)
                form.add_error("password", f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''}.")
        status = 429 if wait_seconds else UNPROCESSABLE
    context: dict[str, Any] = {"share": share, "form": form, "is_open": passwords.is_open(request, found)}
    if context["is_open"]:
        context |= {"shared": found, "label": folders.label_of(found.name)}
    response = render(request, "share_links/shared.html", context, status=status)
    if wait_seconds:
        response["Retry-After"] = str(wait_seconds)
    return response


@_of_a_link
@require_safe
def shared_file(request: HttpRequest, share: str) -> HttpResponseBase:
    """The file's bytes. A download is counted when it begins, not when it goes on."""
    found = find_shared(share)
    if not passwords.is_open(request, found):
        return redirect("shared", share)
    release_connection()
    try:
        response = _send(request, found)
    except RangeNotSatisfiable as error:
        return error_response(error)
    # Only now, as a view that may not move bytes in its thread is begun anew in another.
    if request.method == "GET" and response.status_code != 304 and _begins(request):
        try:
            links.count_download(found.link_id)
        except BaseException:
            response.close()
            raise
        release_connection()
    return response


def _send(request: HttpRequest, found: SharedFile) -> HttpResponseBase:
    """The answer, which holds a place until it is sent. Raises RangeNotSatisfiable, EngineUnreachable and BlobMissing."""
    headers = {**_HEADERS, "Content-Disposition": describe_disposition(folders.label_of(found.name), stores=True)}
    place = Place(found.link_id)
    try:
        response = send_file(request, found.file, content_type="application/octet-stream", headers=headers)
    except BaseException:
        place.give_back()
        raise
    if isinstance(response, StreamingHttpResponse):
        response.streaming_content = HeldWhileSent(response.streaming_content, place)
    else:
        place.give_back()
    return response


def _begins(request: HttpRequest) -> bool:
    """Whether the first byte is asked for: who goes on with a download asks for what follows."""
    wanted = request.headers.get("Range", "bytes=0-").replace(" ", "")
    return wanted.startswith("bytes=0-")


def _opened(request: HttpRequest, share: str, found: SharedFile) -> HttpResponse:
    response = redirect("shared", share)
    passwords.keep_open(request, response, found)
    return response
