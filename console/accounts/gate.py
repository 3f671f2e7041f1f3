"""Every page needs a signed-in person, but for those marked `login_not_required`."""

from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, JsonResponse
from django_htmx.http import HttpResponseClientRefresh


class SignInRequired(LoginRequiredMiddleware):
    """Django's, but who asks for a part of a page is not led to the sign-in, which would end up inside the page.

    What htmx asks for reloads the page, which then leads there; a script that asks by itself (it says so by the header
    `X-Requested-With`) is told with status 401.
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        if getattr(request, "htmx", False):
            return HttpResponseClientRefresh()
        if request.headers.get("X-Requested-With"):
            return JsonResponse({"errors": ["You are not signed in any more: reload the page"]}, status=401)
        return super().handle_no_permission(request, view_func)
