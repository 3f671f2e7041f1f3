"""Every page needs a signed-in person, except those marked `login_not_required`."""

from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django_htmx.http import HttpResponseClientRefresh

from console.error_status import SignedOut
from console.error_views import page_not_found, permission_denied
from console.json_views import error_response
from storage.errors import CollectionNotFound, Forbidden, Unauthorized


class SignInRequired(LoginRequiredMiddleware):
    """Django's, but a request for a part of a page is not redirected to the sign-in page, which would appear inside the page.

    A request by htmx makes the browser reload the page, which then redirects. A script's own request, known by its wish for
    JSON or the header `X-Requested-With`, gets a 401, so that the page with unsaved work stays.
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        if getattr(request, "htmx", False):
            return HttpResponseClientRefresh()
        if "application/json" in request.headers.get("Accept", "") or request.headers.get("X-Requested-With"):
            return error_response(SignedOut())
        return super().handle_no_permission(request, view_func)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A person who lost a right between the gate and the work is told what the gate would say now."""
        if isinstance(exception, (Unauthorized, CollectionNotFound)):
            return page_not_found(request, exception)
        if isinstance(exception, Forbidden):
            return permission_denied(request, PermissionDenied("Your role in this collection was changed"))
        return None
