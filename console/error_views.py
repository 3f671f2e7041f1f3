"""The error pages: each says what happened and what to do."""

import sys

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from console import origins
from console.error_status import HashingBusy, UnknownPath
from console.json_views import error_response
from console.page import theme_of
from storage import limits, request_ids
from storage.errors import CollectionNotFound, DiskFull, EngineUnreachable, InvalidInput

# What PostgreSQL says when it has no room to write.
_DISK_FULL = "53100"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_by_terminal(request):
        return error_response(InvalidInput("Bad request", str(exception)))
    name = origins.unknown_name(request) if isinstance(exception, DisallowedHost) else ""
    return render(request, "errors/400.html", {"unknown_name": name}, status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/403.html", {"reason": str(exception)}, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same page for missing pages and for those the person may not see."""
    if _is_by_terminal(request):
        return error_response(UnknownPath())
    return render(request, "errors/404.html", status=404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that is too old or another site's; or the server does not know where its own pages are, which it says."""
    return render(request, "errors/403_csrf.html", {"mismatch": origins.find_mismatch(request)}, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without context processors, since they query the database, which may be what failed.

    The theme is the one of the browser's cookie all the same; where that is not known any more, it is the system's.
    """
    error = sys.exc_info()[1]
    if isinstance(error, CollectionNotFound):
        return page_not_found(request, error)
    if isinstance(error, DiskFull) or getattr(getattr(error, "__cause__", None), "sqlstate", None) == _DISK_FULL:
        return _plain_page(request, "errors/507.html", status=507)
    if isinstance(error, (HashingBusy, EngineUnreachable)):
        page = "errors/503_busy.html" if isinstance(error, HashingBusy) else "errors/503.html"
        response = _plain_page(request, page, status=503)
        response["Retry-After"] = str(limits.RETRY_AFTER_SECONDS)
        return response
    return _plain_page(request, "errors/500.html", status=500)


def _plain_page(request: HttpRequest, template: str, *, status: int) -> HttpResponse:
    return HttpResponse(
        render_to_string(template, {"theme": theme_of(request), "request_id": request_ids.request_id.get()}),
        status=status,
    )


def _is_by_terminal(request: HttpRequest) -> bool:
    """What is refused before a view is reached: the `deta` command reads no pages."""
    return request.path_info.startswith("/cli/")
