"""The second step of signing in, and signing in with a passkey alone."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts import sign_in
from console.accounts.second_factor import factors, passkeys
from console.accounts.second_factor.forms import SecondStepForm
from console.accounts.sign_in import Pending
from console.accounts.throttle import find_browser
from console.accounts.waiting import told_to_wait
from console.audit.sign_ins import record_refusal
from console.client_addresses import network_of
from console.error_status import SignedOut, TooManyTries
from console.json_views import answers_json, json_response
from console.page import UNPROCESSABLE
from storage import limits
from storage.throttles import tries
from storage.throttles.tries import Counter, Limit

# Whoever is here knows the password: these bound the guesses at one person's codes from all addresses together.
SECOND_STEP = Limit("second step", limits.SECOND_STEP_TRIES, limits.SECOND_STEP_WINDOW_SECONDS)
SECOND_STEP_DAILY = Limit("second step daily", limits.SECOND_STEP_TRIES_DAILY, 24 * 60 * 60)
# Each question to a stranger's browser is kept for ten minutes.
QUESTIONS = Limit("passkey question", limits.SIGN_IN_QUESTIONS, limits.SIGN_IN_WINDOW_SECONDS)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """A code of the app, or a recovery code."""
    pending = sign_in.find_pending(request)
    if pending is None:
        return _start_again(request)
    form = SecondStepForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        counted = _counted(request, pending)
        made = tries.take_try(counted)
        if made.wait_seconds:
            record_refusal(request, name=pending.person.username, how="second factor")
            return told_to_wait(request, made.wait_seconds, back="second-step")
        with made:
            if response := _complete_with(request, pending, form.cleaned_data["code"]):
                made.succeed(forgets=counted)
                return response
        factors.announce_failure(request, pending.person)
        form.add_error("code", "This code is not valid, or was used before.")
    return _show_second_step(request, pending, form)


@login_not_required
@never_cache
@require_POST
@answers_json
def second_step_question(request: HttpRequest) -> HttpResponse:
    """What the page's script asks the browser with: for one of this person's passkeys."""
    pending = sign_in.find_pending(request)
    if pending is None:
        raise SignedOut()
    return json_response(passkeys.ask_passkey(pending.person))


@login_not_required
@never_cache
@require_POST
def second_step_passkey(request: HttpRequest) -> HttpResponse:
    pending = sign_in.find_pending(request)
    if pending is None:
        return _start_again(request)
    try:
        passkeys.check_passkey(request, request.POST.get("answer", ""), person=pending.person)
    except passkeys.WrongPasskey:
        factors.announce_failure(request, pending.person)
        form = SecondStepForm()
        return _show_second_step(
            request, pending, form, fault="This passkey was not accepted. Try again, or type a code."
        )
    return sign_in.complete(request, pending.person, next_url=pending.next_url)


@login_not_required
@never_cache
@require_POST
@answers_json
def passkey_question(request: HttpRequest) -> HttpResponse:
    """What the sign-in page's script asks the browser with: for a passkey of anybody's."""
    made = tries.take_try([Counter(QUESTIONS, (network_of(request.META["REMOTE_ADDR"]),))])
    if made.wait_seconds:
        raise TooManyTries(made.wait_seconds)
    with made:
        sign_in.hold_briefly(request)
        question = passkeys.ask_passkey(None)
        sign_in.keep(request)
    return json_response(question)


@login_not_required
@never_cache
@require_POST
def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey alone: the device has asked for a PIN, a finger or a face, which is a second factor."""
    try:
        person = passkeys.check_passkey(request, request.POST.get("answer", ""), person=None)
    except passkeys.WrongPasskey:
        messages.error(request, "This passkey was not accepted. Sign in with your password.")
        return redirect("sign-in")
    return sign_in.complete(request, person, next_url=request.POST.get("next", ""))


def _counted(request: HttpRequest, pending: Pending) -> list[Counter]:
    """A browser that the person has signed in with is counted by itself, so that others' tries do not lock them out."""
    person = str(pending.person.pk)
    if browser := find_browser(request, pending.person.get_username()):
        return [Counter(SECOND_STEP, (person, browser))]
    return [Counter(SECOND_STEP, (person,)), Counter(SECOND_STEP_DAILY, (person,))]


def _complete_with(request: HttpRequest, pending: Pending, code: str) -> HttpResponse | None:
    """Signed in by the code; None for a wrong one. A code is used up only together with what it lets in."""
    with transaction.atomic():
        if not factors.accepts_code(request, pending.person, code):
            return None
        return sign_in.complete(request, pending.person, next_url=pending.next_url)


def _start_again(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("collections")
    messages.error(request, "That took too long, or the password has changed. Sign in again.")
    return redirect("sign-in")


def _show_second_step(request: HttpRequest, pending: Pending, form: SecondStepForm, *, fault: str = "") -> HttpResponse:
    context = {
        "form": form,
        "fault": fault,
        "has_passkey": bool(factors.find_factors(pending.person).passkeys) and passkeys.can_be_used(request),
    }
    status = UNPROCESSABLE if fault or form.errors else 200
    return render(request, "accounts/second_factor/second_step.html", context, status=status)
