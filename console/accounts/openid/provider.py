"""The one OpenID Connect provider that the settings name: its addresses, its keys, and how a browser is sent there.

django-allauth does state, PKCE and the exchange of codes; `id_tokens.py` reads what comes back. Everything the provider is
asked for has to come within five seconds.
"""

import secrets
from typing import Any, Never

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from requests import RequestException

from console.accounts.openid import id_tokens
from console.accounts.openid.configured import provider_id
from console.accounts.openid.errors import ProviderFailed, SignInRefused

_DISCOVERY_KEPT_SECONDS = 300
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_OPTIONAL_ENDPOINTS = ("userinfo_endpoint",)


def sign_in_address(request: HttpRequest, *, next_url: str = "", **kept: str) -> str:
    """Where to send the browser. `kept` is given back by `finish_sign_in`, to this browser alone. Raises ProviderFailed."""
    nonce = secrets.token_urlsafe(24)
    try:
        provider = _make_provider(request)
        sent = provider.redirect(
            request, AuthProcess.LOGIN, next_url=next_url, auth_params={"nonce": nonce}, nonce=nonce, **kept
        )
    except (RequestException, OAuth2Error, ValueError) as error:
        _fail(error)
    return str(sent["Location"])


def finish_sign_in(request: HttpRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """Who came back, as claims that hold, and what was kept when they were sent (`next`, and what was given).

    Raises SignInRefused when the provider or the person said no, or what came is not an answer to our question, and
    ProviderFailed.
    """
    provider = _make_provider(request)
    try:
        kept: dict[str, Any] = provider.unstash_redirect_state(request, request.GET.get("state", ""))
    except PermissionDenied:
        raise SignInRefused("This sign-in was begun in another browser, or too long ago.") from None
    if "error" in request.GET or not request.GET.get("code"):
        raise SignInRefused(f"{settings.OIDC_NAME} did not sign you in.")
    try:
        adapter: Any = provider.get_oauth2_adapter(request)
        client = adapter.get_client(request, provider.app)
        answer = client.get_access_token(request.GET["code"], pkce_code_verifier=kept["pkce_code_verifier"])
        config = adapter.openid_config
        claims = id_tokens.verify_id_token(
            answer.get("id_token"),
            keys=_fetch(config["jwks_uri"]),
            issuer=settings.OIDC_ISSUER,
            client_id=settings.OIDC_CLIENT_ID,
            nonce=kept["nonce"],
        )
        if "email" not in claims and config.get("userinfo_endpoint"):
            claims |= _fetch_more(config["userinfo_endpoint"], answer["access_token"], subject=claims["sub"])
    except (RequestException, OAuth2Error, ValueError, KeyError, TypeError) as error:
        _fail(error)
    return claims, kept


class _Adapter(OpenIDConnectOAuth2Adapter):
    """With our own addresses, and what the provider says of itself looked at and kept for some minutes."""

    @property
    def openid_config(self) -> dict[str, Any]:
        key = provider_id()
        found: dict[str, Any] | None = cache.get(key)
        if found is None:
            found = _fetch(f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration")
            _check_discovery(found)
            cache.set(key, found, _DISCOVERY_KEPT_SECONDS)
        return found

    def get_provider(self) -> OpenIDConnectProvider:
        return _make_provider(self.request)

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return request.build_absolute_uri(reverse("openid-callback"))


class _Provider(OpenIDConnectProvider):
    oauth2_adapter_class = _Adapter


def _make_provider(request: HttpRequest) -> OpenIDConnectProvider:
    app = SocialApp(
        provider=OpenIDConnectProvider.id,
        provider_id=provider_id(),
        name=settings.OIDC_NAME,
        client_id=settings.OIDC_CLIENT_ID,
        secret=settings.OIDC_CLIENT_SECRET,
        settings={"server_url": settings.OIDC_ISSUER, "oauth_pkce_enabled": True},
    )
    return _Provider(request, app=app)


def _check_discovery(found: dict[str, Any]) -> None:
    """Raises ValueError: the issuer has to be the one that was asked, and nothing may go unencrypted that need not."""
    if found.get("issuer") != settings.OIDC_ISSUER:
        raise ValueError(f"its issuer is {found.get('issuer')!r}")
    scheme = settings.OIDC_ISSUER.partition("://")[0]
    for name in (*_ENDPOINTS, *(name for name in _OPTIONAL_ENDPOINTS if found.get(name))):
        if not str(found.get(name, "")).startswith(f"{scheme}://"):
            raise ValueError(f"its {name} is {found.get(name)!r}")


def _fetch(url: str, **headers: str) -> dict[str, Any]:
    """A JSON object. Raises RequestException, ValueError."""
    with get_adapter().get_requests_session() as session:
        answer = session.get(url, headers=headers)
        answer.raise_for_status()
        read = answer.json()
    if not isinstance(read, dict):
        raise ValueError(f"{url} is no JSON object")
    return read


def _fetch_more(url: str, access_token: str, *, subject: str) -> dict[str, Any]:
    """What the provider tells besides the token, of the same person. Raises RequestException, ValueError."""
    more = _fetch(url, Authorization=f"Bearer {access_token}")
    if more.get("sub") != subject:
        raise ValueError("it tells of somebody else than the token")
    return id_tokens.readable_claims(more)


def _fail(error: Exception) -> Never:
    """What went wrong is for the log, without what was sent: an answer of the provider's can hold a token."""
    told = "no token" if isinstance(error, OAuth2Error) else f"{type(error).__name__}: {error}"
    raise ProviderFailed(told) from error
