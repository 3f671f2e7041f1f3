"""Every page needs a signed-in person, except those marked `login_not_required`."""

from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest
from django_htmx.http import HttpResponseClientRefresh

from console.error_status import SignedOut
from console.json_views import error_response


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
