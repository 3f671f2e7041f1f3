"""Every page needs a signed-in person, but for those marked `login_not_required`."""

from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest
from django_htmx.http import HttpResponseClientRefresh

from console.error_status import SignedOut
from console.json_views import error_response


class SignInRequired(LoginRequiredMiddleware):
    """Django's, but who asks for a part of a page is not led to the sign-in, which would end up inside the page.

    What htmx asks for reloads the page, which then leads there. A script that asks by itself says so, by wanting JSON or by
    the header `X-Requested-With`, and is told with status 401, so that the page with unsaved work in it stays.
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        if getattr(request, "htmx", False):
            return HttpResponseClientRefresh()
        if "application/json" in request.headers.get("Accept", "") or request.headers.get("X-Requested-With"):
            return error_response(SignedOut())
        return super().handle_no_permission(request, view_func)
