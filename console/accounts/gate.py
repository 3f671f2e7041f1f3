"""Every page needs a signed-in person, except those marked `login_not_required`, and a second factor where it is required."""

from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRefresh

from console.accounts.second_factor import factors
from console.error_status import SecondFactorOwed, SignedOut
from console.error_views import page_not_found, permission_denied
from console.json_views import error_response
from storage.errors import CollectionNotFound, Forbidden, Unauthorized

# What somebody reaches who has yet to set up a second factor: the pages to do so, and the way out.
WHILE_OWED = {
    "second-factor-set-up",
    "second-factor-app",
    "new-passkey",
    "new-passkey-question",
    "prove",
    "sign-out",
    "sign-out-everywhere",
}


class SignInRequired(LoginRequiredMiddleware):
    """Django's, but a request for a part of a page is not redirected to the sign-in page, which would appear inside the page.

    A request by htmx makes the browser reload the page, which then redirects. A script's own request, known by its wish for
    JSON or the header `X-Requested-With`, gets a 401, so that the page with unsaved work stays.

    What the `deta` command calls has a gate of its own (`console/cli_api/gate.py`), and cookies count for nothing there.
    """

    def process_view(self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any) -> Any:
        if getattr(view_func, "takes_tokens", False):
            return None
        refusal = super().process_view(request, view_func, view_args, view_kwargs)
        if refusal is not None or not request.user.is_authenticated:
            return refusal
        name = request.resolver_match.url_name if request.resolver_match else None
        if name not in WHILE_OWED and factors.owes_second_factor(request.user):
            return self._lead_to_set_up(request)
        return None

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        if getattr(request, "htmx", False):
            return HttpResponseClientRefresh()
        if _is_by_script(request):
            return error_response(SignedOut())
        return super().handle_no_permission(request, view_func)

    def _lead_to_set_up(self, request: HttpRequest) -> HttpResponseBase:
        if getattr(request, "htmx", False):
            return HttpResponseClientRefresh()
        if _is_by_script(request):
            return error_response(SecondFactorOwed())
        return redirect("second-factor-set-up")

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A person who lost a right between the gate and the work is told what the gate would say now."""
        if isinstance(exception, (Unauthorized, CollectionNotFound)):
            return page_not_found(request, exception)
        if isinstance(exception, Forbidden):
            return permission_denied(request, PermissionDenied("Your role in this collection was changed"))
        return None


def _is_by_script(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "") or "X-Requested-With" in request.headers
