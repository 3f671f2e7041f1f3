"""Pages around an account: first run, signing in, joining by invitation, one's own account."""

import math
from typing import Any

from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts import first_run, invitations
from console.accounts.forms import NewAccountForm, NewPasswordForm, SignInForm
from console.accounts.throttle import PASSWORD_CHANGE, Attempt
from console.error_status import HashingBusy
from console.page import UNPROCESSABLE, PageRequest
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.collections import people
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
        login(request, person)
        return redirect("collections")
    return render(request, "accounts/welcome.html", {"form": form}, status=UNPROCESSABLE if form.errors else 200)


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    """Django's own: it rotates the session and follows a local `next` alone. Ours are the limits on trying."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.attempt = Attempt.of(request, request.POST.get("username", ""))
        if wait_seconds := self.attempt.begin():
            return _told_to_wait(request, wait_seconds, back="sign-in")
        try:
            return super().post(request, *args, **kwargs)
        except HashingBusy:
            self.attempt.give_back()
            raise

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        self.attempt.succeed(response)
        return response

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
                login(request, person)
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
    return render(request, "accounts/join.html", {"invitation": invitation, "form": form}, status=status)


@never_cache
@require_http_methods(_FORM_METHODS)
def account(request: PageRequest) -> HttpResponse:
    """One's own password. A new one ends all other sessions: their hash no longer fits."""
    if request.method != "POST":
        return render(request, "accounts/account.html", {"form": NewPasswordForm(request.user)})
    counted = [Counter(PASSWORD_CHANGE, (str(request.user.pk),))]
    if wait_seconds := tries.take_try(counted):
        return _told_to_wait(request, wait_seconds, back="account")
    form = NewPasswordForm(request.user, request.POST)
    try:
        is_valid = form.is_valid()
        if is_valid:
            form.save(commit=False)  # which hashes: slow work that no transaction should wait for
    except HashingBusy:
        tries.give_back(counted)
        raise
    if "old_password" not in form.errors:
        tries.forget_tries(counted)
    if is_valid:
        with transaction.atomic():
            form.user.save()
            update_session_auth_hash(request, form.user)
            audit.record(Verb.PASSWORD_CHANGED, about=form.user.get_username())
        messages.success(request, "Password changed. Other browsers are signed out.")
        return redirect("account")
    return render(request, "accounts/account.html", {"form": form}, status=UNPROCESSABLE)


@require_POST
def sign_out_everywhere(request: PageRequest) -> HttpResponse:
    """End all sessions of this person, this one too."""
    with transaction.atomic():
        people.end_sessions(person_id=request.user.id)
        logout(request)
    return redirect("sign-in")


def _told_to_wait(request: HttpRequest, wait_seconds: int, *, back: str) -> HttpResponse:
    context = {"minutes": math.ceil(wait_seconds / 60), "back": back}
    response = render(request, "accounts/too_many_tries.html", context, status=429)
    response["Retry-After"] = str(wait_seconds)
    return response
