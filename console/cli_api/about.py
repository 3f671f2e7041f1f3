"""What a terminal asks first: is this a Homeport server, what time is it there, and who am I."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from console.cli_api.gate import read_token
from console.error_status import UnknownPath
from console.json_views import error_response, json_response
from homeport import __version__
from storage.postgres import clock


def show(request: HttpRequest) -> HttpResponseBase:
    """`{"server": "homeport", "version", "now"}`, and with a token also `person` and `expires_at`, the token's."""
    told = {"server": "homeport", "version": __version__, "now": clock.now().isoformat()}
    if read_token(request):
        bearer = request.bearer  # type: ignore[attr-defined]  # the gate let it in
        told |= {"person": bearer.person.get_username(), "expires_at": bearer.expires_at.isoformat()}
    return json_response(told)


def unknown_path(request: HttpRequest) -> HttpResponseBase:
    return error_response(UnknownPath())
