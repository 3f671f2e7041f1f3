"""How a terminal gets its access token: it asks, a person allows it on a page, it collects the token. And gives it back."""

from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from console.cli_api.gate import TokenRequest
from console.client_addresses import network_of
from console.error_status import TooManyTries
from console.json_views import json_response, read_asked, read_text
from storage import limits
from storage.access_tokens import sign_ins, tokens
from storage.throttles import tries
from storage.throttles.tries import Counter, Limit

_FROM_ONE_ADDRESS = Limit(
    "terminal sign-in", limits.TERMINAL_SIGN_INS_FROM_ONE_ADDRESS, limits.TERMINAL_SIGN_IN_MINUTES * 60
)
_MOST_BYTES = 4_096


def start(request: HttpRequest) -> HttpResponseBase:
    """`{"challenge", "device"}` in; 201 `{"id", "code", "page", "expires_at"}` out, `page` for the person's browser."""
    asked = read_asked(request, most_bytes=_MOST_BYTES)
    address = request.META.get("REMOTE_ADDR", "")
    made = tries.take_try([Counter(_FROM_ONE_ADDRESS, (network_of(address),))])
    if made.wait_seconds:
        raise TooManyTries(made.wait_seconds)
    with made:
        sign_in = sign_ins.start(
            challenge=read_text(asked.get("challenge"), "challenge"),
            device=read_text(asked.get("device"), "device"),
            address=address,
        )
    told = {
        "id": str(sign_in.id),
        "code": sign_in.code,
        "page": request.build_absolute_uri(reverse("terminal", args=[sign_in.id])),
        "expires_at": sign_in.expires_at.isoformat(),
    }
    return json_response(told, status=201)


def collect(request: HttpRequest, sign_in_id: UUID) -> HttpResponseBase:
    """`{"verifier"}` in; 202 while nobody has answered, and once 200 `{"token", "person", "expires_at"}`."""
    verifier = read_text(read_asked(request, most_bytes=_MOST_BYTES).get("verifier"), "verifier")
    made = sign_ins.collect(sign_in_id=sign_in_id, verifier=verifier)
    if made is None:
        return json_response({"state": "waiting"}, status=202)
    person, expires_at = made.token.person.get_username(), made.token.expires_at.isoformat()
    return json_response({"token": made.text, "person": person, "expires_at": expires_at})


def give_back(request: TokenRequest) -> HttpResponseBase:
    """Revoke the token that the request was sent with."""
    tokens.revoke_token(person_id=request.user.pk, token_id=request.bearer.token_id)
    return json_response({"revoked": request.bearer.name})
