"""What all pages share: full page or dialog, and the redirect after a saved form.

A dialog is a page with a URL of its own. A link that opens one asks for the same URL through htmx with the `<dialog>` as
target, and gets the dialog alone; without JavaScript the link leads to the page.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django_htmx.http import HttpResponseClientRedirect, push_url, retarget
from django_htmx.middleware import HtmxDetails

from storage.numbers import read_number

UNPROCESSABLE = 422
# A script sets the cookie, `static/js/pages/theme.js`.
_THEMES = ("light", "dark")


class PageRequest(HttpRequest):
    """A request as the pages see it, behind the middleware: by a person, and maybe from htmx."""

    user: User
    htmx: HtmxDetails


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `dialog` is the template that a dialog's template extends, `command` how a shell calls ours, `theme` the
    one that was chosen in this browser, "" for the system's."""
    dialog = "_dialog.html" if is_in_dialog(request) else "_dialog_page.html"
    return {"dialog": dialog, "command": settings.COMMAND, "theme": theme_of(request)}


def theme_of(request: HttpRequest) -> str:
    """The theme that was chosen in this browser, "" for the system's."""
    chosen = request.COOKIES.get("theme", "")
    return chosen if chosen in _THEMES else ""


def is_in_dialog(request: HttpRequest) -> bool:
    """Whether the answer goes into the page's `<dialog>`."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return bool(htmx) and htmx is not None and htmx.target == "dialog"


def show_dialog(
    request: HttpRequest, template: str, *, form: Any = None, status: int | None = None, **context: Any
) -> HttpResponse:
    """A dialog, or the page of the same content; with status 422 when its form has errors, unless that is another one."""
    if status is None:
        status = UNPROCESSABLE if form is not None and form.errors else 200
    response = render(request, template, {"form": form, **context}, status=status)
    if not is_in_dialog(request):
        return response
    if status >= 500:
        # It is a dialog all the same, and no page of an error: `static/js/pages/dialogs.js`.
        retarget(response, "#dialog")
    # The address stays that of the page behind the dialog.
    return push_url(response, False)


def read_chosen_keys(request: HttpRequest) -> list[int]:
    """The ids of data keys that a form says to revoke."""
    numbers = map(read_number, request.POST.getlist("revoke"))
    return [number for number in numbers if number is not None]


def go_to(request: HttpRequest, target: str, *args: Any, said: str = "") -> HttpResponse:
    """Redirect to another page after a form, in a dialog or not; `said` is shown there."""
    if said:
        messages.success(request, said)
    url = resolve_url(target, *args)
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else redirect(url)
