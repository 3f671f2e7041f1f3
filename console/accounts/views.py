"""Pages around an account: first run, signing in, joining by invitation, one's own account."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts import first_run, invitations, sign_in
from console.accounts.forms import FirstPasswordForm, NewAccountForm, NewPasswordForm, SignInForm
from console.accounts.openid import admission
from console.accounts.openid.configured import openid_name
from console.accounts.second_factor import factors, passkeys
from console.accounts.second_factor.proofs import proved_lately
from console.accounts.throttle import PASSWORD_CHANGE, Attempt, know_browser
from console.accounts.waiting import told_to_wait
from console.audit.sign_ins import record_failure, record_refusal
from console.page import UNPROCESSABLE, PageRequest
from storage.access_tokens import tokens
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.collections import people, sign_in_rules
from storage.errors import InvalidInput, InvitationSpent
from storage.throttles import tries
from storage.throttles.tries import Counter

_FORM_METHODS = ["GET", "HEAD", "POST"]


@login_not_required
@never_cache
@require_http_methods(_FORM_METHODS)
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """The one-time link that `serve` prints."""
    if not first_run.is_open(token):
        return render(request, "accounts/welcome_spent.html", status=410)
    form = NewAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        person = first_run.create_first_person(form)
        if person is None:
            return render(request, "accounts/welcome_spent.html", status=410)
        sign_in.start_session(request, person)
        return redirect("collections")
    return render(request, "accounts/welcome.html", {"form": form}, status=UNPROCESSABLE if form.errors else 200)


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    """Django's own: it rotates the session and follows a local `next` alone. Ours are the limits on trying."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        ways = {"passkeys_work": passkeys.can_be_used(self.request), "openid": openid_name()}
        return super().get_context_data(**ways, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        attempt = Attempt.of(request, request.POST.get("username", ""))
        made = attempt.begin()
        if made.wait_seconds:
            record_refusal(request, name=attempt.typed)
            return told_to_wait(request, made.wait_seconds, back="sign-in")
        form = self.get_form()
        with made:
            if form.is_valid():
                response = sign_in.begin(request, form.get_user(), next_url=self.get_success_url())
                made.succeed(forgets=attempt.forgets)
                return response
        if form.non_field_errors():
            record_failure(request, name=form.cleaned_data["username"])
        return self.form_invalid(form)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        response.status_code = UNPROCESSABLE
        return response


@method_decorator(transaction.atomic, name="post")
class SignOut(LogoutView):
    """Django's own; the session ends together with the entry in the audit log."""


@login_not_required
@never_cache
@require_http_methods(_FORM_METHODS)
def join(request: PageRequest, token: str) -> HttpResponse:
    """An invitation: a signed-in person accepts it, anyone else creates an account with it."""
    try:
        invitation = invitations.read_link(token)
        is_known = request.user.is_authenticated
        form = None if is_known else NewAccountForm(request.POST or None)
        if request.method == "POST" and (form is None or form.is_valid()):
            person = invitations.accept(invitation, person=request.user if form is None else form)
            if not is_known:
                sign_in.start_session(request, person)
            return (
                redirect("collection", invitation.collection_id)
                if invitation.collection_id
                else redirect("collections")
            )
    except InvitationSpent:
        return render(request, "accounts/join_spent.html", status=410)
    except InvalidInput as error:
        assert form is not None  # noqa: S101 -- only a new account has a name that can be taken
        form.add_error("username", error.messages[0])
    status = UNPROCESSABLE if form is not None and form.errors else 200
    context = {"invitation": invitation, "form": form, "token": token, "openid": openid_name()}
    return render(request, "accounts/join.html", context, status=status)


@never_cache
@require_http_methods(_FORM_METHODS)
def account(request: PageRequest) -> HttpResponse:
    """One's own password and what else signs one in.

    A new password ends all other sessions, and all access tokens: their hash no longer fits.
    """
    if request.method != "POST" or not request.user.has_usable_password():
        return _show_account(request, NewPasswordForm(request.user))
    counted = [Counter(PASSWORD_CHANGE, (str(request.user.pk),))]
    made = tries.take_try(counted)
    if made.wait_seconds:
        return told_to_wait(request, made.wait_seconds, back="account")
    form = NewPasswordForm(request.user, request.POST)
    with made:
        is_valid = form.is_valid()
        if is_valid:
            form.save(commit=False)  # which hashes: slow work that no transaction should wait for
        if "old_password" not in form.errors:
            made.succeed(forgets=counted)
    if is_valid:
        return _changed_password(request, form, "Password changed. Other browsers and all terminals are signed out.")
    return _show_account(request, form, status=UNPROCESSABLE)


@never_cache
@require_http_methods(_FORM_METHODS)
@proved_lately
def first_password(request: PageRequest) -> HttpResponse:
    """For those who came through the OpenID Connect provider, and have none."""
    if request.user.has_usable_password():
        return redirect("account")
    form = FirstPasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save(commit=False)
        return _changed_password(request, form, "Your account has a password now.")
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "accounts/first_password.html", {"form": form}, status=status)


@require_POST
def sign_out_everywhere(request: PageRequest) -> HttpResponse:
    """End all sessions of this person, this one too, and all access tokens."""
    with transaction.atomic():
        people.end_sessions(person_id=request.user.id)
        logout(request)
    return redirect("sign-in")


def _show_account(request: PageRequest, form: NewPasswordForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "second_factor": factors.find_factors(request.user),
        "is_required": sign_in_rules.is_second_factor_required(),
        "passkeys_work": passkeys.can_be_used(request),
        "tokens": tokens.list_tokens(request.user.pk),
        "openid": openid_name(),
        "openid_link": admission.find_link(request.user) if openid_name() else None,
    }
    return render(request, "accounts/account.html", context, status=status)


def _changed_password(request: PageRequest, form: "SetPasswordForm[User]", said: str) -> HttpResponse:
    """Store what the form has hashed."""
    with transaction.atomic():
        form.user.save()
        update_session_auth_hash(request, form.user)
        audit.record(Verb.PASSWORD_CHANGED, about=form.user.get_username())
    messages.success(request, said)
    response = redirect("account")
    know_browser(request, response, form.user)
    return response
