"""Says to the audit log who sent a page's request, and from which address."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from storage.audit import actors
from storage.audit.actors import Actor


class ActingPerson:
    """Around every page. Who it is is asked when something is recorded: by then a sign-in may have made it somebody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with actors.acting(lambda: actor_of(request)):
            return self._get_response(request)


def actor_of(request: HttpRequest) -> Actor:
    """The person who is signed in, or nobody who is known, at the address that the request came from."""
    address = request.META.get("REMOTE_ADDR", "")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Actor("nobody", address=address)
    return actors.person(user, address=address, token=getattr(request, "token_name", ""))
