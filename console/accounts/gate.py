"""Every page needs a signed-in person, but for those marked `login_not_required`."""

from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest
from django_htmx.http import HttpResponseClientRefresh


class SignInRequired(LoginRequiredMiddleware):
    """Django's, but a request that htmx makes for a part of a page reloads the page, which then leads to the sign-in."""

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        if getattr(request, "htmx", False):
            return HttpResponseClientRefresh()
        return super().handle_no_permission(request, view_func)
