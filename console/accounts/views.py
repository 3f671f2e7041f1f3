"""Pages around an account: first run, signing in, joining by invitation, one's own account."""

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
from console.accounts.throttle import WAIT_SECONDS, Attempt
from console.page import UNPROCESSABLE, PageRequest
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.collections import people
from storage.errors import InvitationSpent

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
        self.attempt = Attempt(request.META["REMOTE_ADDR"], request.POST.get("username", "")[:150])
        if self.attempt.may_try():
            return super().post(request, *args, **kwargs)
        response = render(request, "accounts/too_many_tries.html", {"minutes": WAIT_SECONDS // 60}, status=429)
        response["Retry-After"] = str(WAIT_SECONDS)
        return response

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        self.attempt.forget()
        return super().form_valid(form)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        self.attempt.count_failure()
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
    status = UNPROCESSABLE if form is not None and form.errors else 200
    return render(request, "accounts/join.html", {"invitation": invitation, "form": form}, status=status)


@never_cache
@require_http_methods(_FORM_METHODS)
def account(request: PageRequest) -> HttpResponse:
    """One's own password. A new one ends all other sessions: their hash no longer fits."""
    form = NewPasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save(commit=False)  # which hashes: slow work that no transaction should wait for
        with transaction.atomic():
            form.user.save()
            update_session_auth_hash(request, form.user)
            audit.record(Verb.PASSWORD_CHANGED, about=form.user.get_username())
        messages.success(request, "Password changed. Other browsers are signed out.")
        return redirect("account")
    return render(request, "accounts/account.html", {"form": form}, status=UNPROCESSABLE if form.errors else 200)


@require_POST
def sign_out_everywhere(request: PageRequest) -> HttpResponse:
    """End all sessions of this person, this one too."""
    with transaction.atomic():
        people.end_sessions(person_id=request.user.id)
        logout(request)
    return redirect("sign-in")
