"""Signing in through the OpenID Connect provider, and linking one's account to it."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from console.accounts import sign_in
from console.accounts.openid import admission
from console.accounts.openid.errors import ProviderFailed, SignInRefused
from console.accounts.second_factor import factors
from console.accounts.second_factor.proofs import ask_proof
from console.accounts.waiting import told_to_wait
from console.client_addresses import network_of
from console.page import PageRequest, go_to, show_dialog
from storage import limits
from storage.throttles import tries
from storage.throttles.tries import Counter, Limit

logger = logging.getLogger(__name__)

# Each is kept for ten minutes, and asks the provider.
BEGUN = Limit("openid sign-in", limits.SIGN_IN_QUESTIONS, limits.SIGN_IN_WINDOW_SECONDS)


def _where_configured(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """404 where the settings name no provider; a sentence where it is in the way."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.OIDC_ISSUER:
            raise Http404
        try:
            return view(request, *args, **kwargs)
        except SignInRefused as refusal:
            return _say(request, str(refusal), status=403)
        except ProviderFailed as failure:
            logger.warning("Sign-in through %s failed: %s", settings.OIDC_ISSUER, failure)
            return _say(
                request, f"{settings.OIDC_NAME} does not answer as it should. Try again in a moment.", status=502
            )

    return answer


@login_not_required
@never_cache
@require_safe
@_where_configured
def begin(request: HttpRequest) -> HttpResponse:
    """On to the provider. Another site's page cannot begin it for somebody."""
    from console.accounts.openid import provider

    next_url = request.GET.get("next", "")
    if request.user.is_authenticated:
        return sign_in.follow(request, next_url, otherwise="collections")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return redirect("sign-in")
    made = tries.take_try([Counter(BEGUN, (network_of(request.META["REMOTE_ADDR"]),))])
    if made.wait_seconds:
        return told_to_wait(request, made.wait_seconds, back="sign-in")
    with made:
        sign_in.hold_briefly(request)
        sign_in.keep(request)
    invitation = request.GET.get("invitation", "")
    return redirect(provider.sign_in_address(request, next_url=next_url, invitation=invitation))


@login_not_required
@never_cache
@require_safe
@_where_configured
def callback(request: HttpRequest) -> HttpResponse:
    """Back from the provider: to sign in, or to link one's account."""
    from console.accounts.openid import (
        provider,
    )  # its library for requests takes megabytes: loaded when somebody uses it

    claims, kept = provider.finish_sign_in(request)
    if "person" in kept:
        if str(request.user.pk) != kept["person"]:
            raise SignInRefused("You are no longer signed in as who you were. Sign in, and link the account again.")
        admission.link(request.user, claims)  # type: ignore[arg-type]  # only a person has this number
        messages.success(request, f"Your account at {settings.OIDC_NAME} signs you in from now on.")
        return redirect("account")
    invitation = kept.get("invitation", "")
    person, is_new = admission.admit(claims, invitation_token=invitation)
    # Who had an account already accepts the invitation on its page.
    next_url = reverse("join", args=[invitation]) if invitation and not is_new else kept.get("next", "")
    return sign_in.begin(request, person, next_url=next_url)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_where_configured
def link(request: PageRequest) -> HttpResponse:
    """Link one's account. It is not a redirect of the form: the pages' policy lets forms lead to this server alone."""
    from console.accounts.openid import provider

    title = f"Sign in with {settings.OIDC_NAME} from now on?"
    can_prove = request.user.has_usable_password() or factors.has_second_factor(request.user)
    form, is_proved = ask_proof(request)
    if not is_proved:
        context = {"title": title, "openid": settings.OIDC_NAME, "can_prove": can_prove}
        return show_dialog(request, "accounts/openid/link.html", form=form, **context)
    address = provider.sign_in_address(request, person=str(request.user.pk))
    if request.htmx:
        return HttpResponseClientRedirect(address)
    return show_dialog(request, "accounts/openid/go_on.html", address=address, title=title, openid=settings.OIDC_NAME)


@require_http_methods(["GET", "HEAD", "POST"])
@_where_configured
def unlink(request: PageRequest) -> HttpResponse:
    """Only for those who can still sign in without it."""
    form, is_proved = ask_proof(request)
    if is_proved:
        if request.user.has_usable_password() or factors.find_factors(request.user).passkeys:
            admission.unlink(request.user)
            return go_to(request, "account", said=f"{settings.OIDC_NAME} no longer signs you in.")
        form.add_error(None, "You could not sign in any more: set a password, or add a passkey first.")
    title = f"Sign in with {settings.OIDC_NAME} no longer?"
    return show_dialog(request, "accounts/openid/unlink.html", form=form, title=title)


def _say(request: HttpRequest, reason: str, *, status: int) -> HttpResponse:
    return render(request, "accounts/openid/refused.html", {"reason": reason}, status=status)
