"""Terminals that ask to be let in as somebody, and the end of what lets them in. The list is on the account page."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from console.page import PageRequest, go_to, show_dialog
from storage.access_tokens import sign_ins, tokens
from storage.errors import AccessTokenNotFound, SignInNotFound, SignInOver

_FORM_METHODS = ["GET", "HEAD", "POST"]


@never_cache
@require_http_methods(_FORM_METHODS)
def terminal(request: PageRequest, sign_in_id: UUID) -> HttpResponse:
    """The code to compare, and who asks; a POST answers, `answer` being `allow` or anything else."""
    try:
        if request.method != "POST":
            return render(request, "access_tokens/terminal.html", {"sign_in": sign_ins.find(sign_in_id)})
        if request.POST.get("answer") == "allow":
            sign_in = sign_ins.allow(sign_in_id=sign_in_id, person=request.user)
        else:
            sign_in = sign_ins.refuse(sign_in_id=sign_in_id)
    except SignInNotFound as error:
        raise Http404(error.messages[0]) from None
    except SignInOver:
        return render(request, "access_tokens/terminal_over.html", status=410)
    return render(request, "access_tokens/terminal_answered.html", {"sign_in": sign_in})


@require_http_methods(_FORM_METHODS)
def revoke(request: PageRequest, token_id: int) -> HttpResponse:
    """Asks once more; one's own tokens alone are there."""
    found = next((token for token in tokens.list_tokens(request.user.pk) if token.pk == token_id), None)
    if found is None:
        raise Http404("There is no such access token")
    if request.method != "POST":
        return show_dialog(request, "access_tokens/revoke.html", token=found, title=f"Sign out “{found.name}”?")
    try:
        tokens.revoke_token(person_id=request.user.pk, token_id=token_id)
    except AccessTokenNotFound as error:
        raise Http404(error.messages[0]) from None
    return go_to(request, "account", said=f"“{found.name}” is signed out.")
