"""Cookies of http and of https apart: those of https are `Secure`, and plain http can neither send nor set their names.

One server answers on two ports, by http and by https, and browsers keep no cookies apart by port. With one name for both, a
`Secure` cookie could not be replaced over http, which would keep everybody from signing in there who had done so over https; and
whoever can write into a plain connection could put a session of theirs into the encrypted one. So over https every cookie
is called `__Host-NAME`, which browsers accept from https alone, and plain names are not read there.

Below a path of a host that has other things too, cookies are for that path alone. `__Host-` would have them sent to all of the
host, so they are called `__Secure-NAME` there.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from storage.names import is_text

PREFIX = "__Host-"
PREFIX_BELOW_A_PATH = "__Secure-"


class CookiesByScheme:
    """The middleware around everything that reads or sets a cookie; inside it cookies have the names of the settings."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_secure = request.is_secure()
        prefix = PREFIX_BELOW_A_PATH if settings.URL_PREFIX else PREFIX
        # A quoted cookie may spell any character; one that the database cannot hold is none that we set.
        request.COOKIES = {
            name.removeprefix(prefix): value
            for name, value in request.COOKIES.items()
            if name.startswith(prefix) == is_secure and is_text(value)
        }
        response = self._get_response(request)
        for cookie in response.cookies.values():
            cookie["path"] = settings.URL_PREFIX or "/"
        if is_secure:
            for name in list(response.cookies):
                cookie = response.cookies.pop(name)
                cookie.set(prefix + name, cookie.value, cookie.coded_value)
                cookie["secure"] = True
                response.cookies[prefix + name] = cookie
        return response
