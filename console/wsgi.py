"""The WSGI application: the public API bypasses most of Django, the pages use all of it."""

import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from granian.utils.proxies import wrap_wsgi_with_proxy_headers

_pages = get_wsgi_application()

from console.recording.application import api  # noqa: E402 (Django is set up by now)

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Everything under `/v1` is the API."""
    path = environ["PATH_INFO"]
    if path.startswith("/v1/") or path == "/v1":
        status, headers, body = api(environ)
        start_response(status, headers)
        return body
    return _pages(environ, start_response)  # type: ignore[arg-type]  # it wants a protocol with an argument nobody gives


def make_application() -> Callable[..., Iterable[bytes]]:
    """The application for a worker of granian's, which copies the process's environment into every request from now on.

    By now the settings are loaded, so what is secret in it leaves it first.
    """
    for name in (
        "DATABASE_URL",
        "HOMEPORT_SECRET_KEY",
        "HOMEPORT_OIDC_CLIENT_SECRET",
        "S3_ACCESS_KEY_ID",
        "S3_SECRET_ACCESS_KEY",
    ):
        os.environ.pop(name, None)
    return application


if settings.TRUSTED_PROXIES:
    # From these alone is taken who really asks, and whether over https.
    application = wrap_wsgi_with_proxy_headers(application, trusted_hosts=settings.TRUSTED_PROXIES)
