"""One's own second factor, from the account page: set up, name, take away."""

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.accounts import sign_in
from console.accounts.openid import admission
from console.accounts.openid.configured import openid_name
from console.accounts.second_factor import factors, passkeys, qr_codes
from console.accounts.second_factor.forms import AppForm, NewPasskeyForm, PasskeyNameForm
from console.accounts.second_factor.proofs import ask_proof, proved_lately
from console.json_views import answers_json, json_response
from console.page import UNPROCESSABLE, PageRequest, go_to, show_dialog
from storage.collections import sign_in_rules

_FORM_METHODS = ["GET", "HEAD", "POST"]
_SECRET = "new_app_secret"  # noqa: S105 (where it is kept, encrypted, until the app's first code came)
_LAST_WAY_IN = "You could not sign in any more: set a password first."
_REQUIRED = "An owner of this server requires two-factor sign-in of everybody: set up another way first."


@require_safe
def set_up(request: PageRequest) -> HttpResponse:
    """Where everybody is led who has none, while the owner of the server requires one."""
    if not factors.owes_second_factor(request.user):
        return redirect("account")
    return render(request, "accounts/second_factor/set_up.html", {"passkeys_work": passkeys.can_be_used(request)})


@never_cache
@require_http_methods(_FORM_METHODS)
@proved_lately
def app(request: PageRequest) -> HttpResponse:
    """Set up an authenticator app: its secret as a picture and as text, and its first code."""
    form = AppForm(request.POST or None)
    kept = request.session.get(_SECRET)
    if request.method == "POST" and kept and form.is_valid():
        try:
            codes = factors.turn_on_app(
                request, request.user, secret=get_adapter().decrypt(kept), code=form.cleaned_data["code"]
            )
        except factors.WrongCode:
            form.add_error("code", "This code is not valid now. Look whether the clock of the device is right.")
        else:
            del request.session[_SECRET]
            return _show_codes(request, codes, said="The authenticator app is set up.")
    if request.method != "POST" or not kept:
        kept = request.session[_SECRET] = get_adapter().encrypt(factors.make_secret())
    secret = get_adapter().decrypt(kept)
    context = {
        "form": form,
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "picture": qr_codes.draw(get_adapter().build_totp_url(request.user, secret)),
        "is_new": factors.find_factors(request.user).app is None,
    }
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "accounts/second_factor/app.html", context, status=status)


@never_cache
@require_http_methods(_FORM_METHODS)
@proved_lately
def new_passkey(request: PageRequest) -> HttpResponse:
    form = NewPasskeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = passkeys.add_passkey(request, request.user, **form.cleaned_data)
        except passkeys.WrongPasskey:
            form.add_error(None, "The browser's answer was not valid, or came too late. Try again.")
        else:
            return _show_codes(request, codes, said="Passkey added.")
    context = {"form": form, "passkeys_work": passkeys.can_be_used(request)}
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "accounts/second_factor/new_passkey.html", context, status=status)


@never_cache
@require_POST
@answers_json
@proved_lately
def new_passkey_question(request: PageRequest) -> HttpResponse:
    """What the page's script asks the browser with."""
    return json_response(passkeys.ask_new_passkey(request.user))


@require_http_methods(_FORM_METHODS)
def rename_passkey(request: PageRequest, factor_id: int) -> HttpResponse:
    passkey = _own(request, factor_id, kind=Authenticator.Type.WEBAUTHN)
    form = PasskeyNameForm(request.POST or None, initial={"name": passkey.data["name"]})
    if request.method == "POST" and form.is_valid():
        passkeys.rename_passkey(passkey, name=form.cleaned_data["name"])
        return go_to(request, "account", said="Passkey renamed.")
    return show_dialog(request, "accounts/second_factor/rename.html", form=form, title="Rename the passkey")


@require_http_methods(_FORM_METHODS)
def remove_factor(request: PageRequest, factor_id: int) -> HttpResponse:
    removed = _own(request, factor_id)
    is_passkey = removed.type == Authenticator.Type.WEBAUTHN
    what = f"the passkey “{removed.data['name']}”" if is_passkey else "the authenticator app"
    is_last = factors.find_factors(request.user).is_alone
    form, is_proved = ask_proof(request)
    if is_proved:
        if is_last and sign_in_rules.is_second_factor_required():
            form.add_error(None, _REQUIRED)
        elif is_passkey and _needs_passkeys(request.user, but=removed):
            form.add_error(None, _LAST_WAY_IN)
        else:
            factors.remove_factor(request, removed)
            return go_to(request, "account", said=f"Removed {what}.")
    context = {"title": f"Remove {what}?", "is_last": is_last, "act": "Remove it"}
    return show_dialog(request, "accounts/second_factor/remove.html", form=form, **context)


@require_http_methods(_FORM_METHODS)
def turn_off(request: PageRequest) -> HttpResponse:
    form, is_proved = ask_proof(request)
    if is_proved:
        if sign_in_rules.is_second_factor_required():
            form.add_error(None, "An owner of this server requires two-factor sign-in of everybody.")
        elif _needs_passkeys(request.user):
            form.add_error(None, _LAST_WAY_IN)
        else:
            factors.turn_off(request, request.user)
            return go_to(request, "account", said="Two-factor sign-in is off.")
    context = {"title": "Turn off two-factor sign-in?", "is_last": True, "act": "Turn it off"}
    return show_dialog(request, "accounts/second_factor/remove.html", form=form, **context)


@never_cache
@require_http_methods(_FORM_METHODS)
def recovery_codes(request: PageRequest) -> HttpResponse:
    """New recovery codes. They are only in the answer to the form."""
    if not factors.has_second_factor(request.user):
        raise Http404
    form, is_proved = ask_proof(request)
    if is_proved:
        codes = "\n".join(factors.renew_codes(request, request.user))
        title = "Your recovery codes"
        return show_dialog(request, "accounts/second_factor/codes_dialog.html", codes=codes, title=title)
    title = "Make new recovery codes?"
    return show_dialog(request, "accounts/second_factor/renew_codes.html", form=form, title=title)


@never_cache
@require_http_methods(_FORM_METHODS)
def prove(request: PageRequest) -> HttpResponse:
    """Ask for a proof on the way to what needs one. Somebody without a password and a second factor signs in again."""
    form, is_proved = ask_proof(request)
    if is_proved:
        return sign_in.follow(request, request.GET.get("next", ""), otherwise="account")
    can_prove = request.user.has_usable_password() or factors.has_second_factor(request.user)
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "accounts/second_factor/prove.html", {"form": form, "can_prove": can_prove}, status=status)


def _own(request: PageRequest, factor_id: int, *, kind: str | None = None) -> Authenticator:
    """One of the person's own apps and passkeys. Raises Http404."""
    found = Authenticator.objects.filter(user=request.user, id=factor_id).exclude(
        type=Authenticator.Type.RECOVERY_CODES
    )
    factor = (found if kind is None else found.filter(type=kind)).first()
    if factor is None:
        raise Http404
    return factor


def _needs_passkeys(person: User, *, but: Authenticator | None = None) -> bool:
    """Whether passkeys alone sign this person in, and taking away this one (None: all of them) would leave none."""
    passkeys_now = factors.find_factors(person).passkeys
    if not passkeys_now or person.has_usable_password() or (openid_name() and admission.find_link(person)):
        return False
    return but is None or passkeys_now == [but]


def _show_codes(request: PageRequest, codes: list[str], *, said: str) -> HttpResponse:
    """After something was added: the recovery codes if they are new, this once."""
    if not codes:
        messages.success(request, said)
        return redirect("account")
    return render(request, "accounts/second_factor/codes.html", {"codes": "\n".join(codes), "said": said})
