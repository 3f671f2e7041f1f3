"""Every page needs a signed-in person, but for those marked `login_not_required`."""

from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, JsonResponse
from django_htmx.http import HttpResponseClientRefresh


class SignInRequired(LoginRequiredMiddleware):
    """Django's, but for requests of scripts: htmx is told to reload the page, which then leads to the sign-in, and who asked
    for JSON gets a 401, so that the page with unsaved work in it stays."""

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        if "application/json" in request.headers.get("Accept", ""):
            return JsonResponse({"errors": ["You are not signed in any more"]}, status=401)
        if getattr(request, "htmx", False):
            return HttpResponseClientRefresh()
        return super().handle_no_permission(request, view_func)
