"""Who asks for something that matters shows again who they are, by the password or, without one, by a code.

What signs in may be added for ten minutes after signing in or a proof; taking it away asks each time. Tries are counted with
those of changing the password.
"""

import math
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.hashers import check_password
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from console.accounts import sign_in
from console.accounts.second_factor import factors
from console.accounts.second_factor.forms import ProofForm
from console.accounts.throttle import PASSWORD_CHANGE
from console.page import PageRequest
from storage.throttles import tries
from storage.throttles.tries import Counter

P = ParamSpec("P")


def ask_proof(request: PageRequest) -> tuple[ProofForm, bool]:
    """The form that asks for a proof, and whether it was given: never by a GET."""
    form = ProofForm(request.user, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return form, False
    counted = [Counter(PASSWORD_CHANGE, (str(request.user.pk),))]
    made = tries.take_try(counted)
    if made.wait_seconds:
        minutes = math.ceil(made.wait_seconds / 60)
        form.add_error(None, f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''}.")
        return form, False
    with made:
        if _is_right(request, form):
            made.succeed(forgets=counted)
            sign_in.note_proof(request)
            return form, True
    if not form.asks_password:
        factors.announce_failure(request, request.user)
    form.add_error("proof", "This is not your password." if form.asks_password else "This code is not valid.")
    return form, False


def proved_lately(
    view: Callable[Concatenate[PageRequest, P], HttpResponse],
) -> Callable[Concatenate[PageRequest, P], HttpResponse]:
    """A page for those who signed in, or gave a proof, within ten minutes; others give one first."""

    @wraps(view)
    def ask_first(request: PageRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if sign_in.has_proved_lately(request):
            return view(request, *args, **kwargs)
        return redirect(f"{reverse('prove')}?{urlencode({'next': request.path})}")

    return ask_first


def _is_right(request: PageRequest, form: ProofForm) -> bool:
    person, proof = request.user, form.cleaned_data["proof"]
    if form.asks_password:
        # Not the person's own method: it may hash anew, with what is newer by now, and that would end all sessions.
        return check_password(proof, person.password)
    return factors.accepts_code(request, person, proof)
