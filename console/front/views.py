"""The console's page that sends a person on to a Micro, with a ticket."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from console import access, host_names
from console.front import visitors
from console.front.paths import ENTER, local_path
from storage import micro_addresses
from storage.micros import micros


@login_not_required
@require_GET
def ask(request: HttpRequest) -> HttpResponse:
    """Whether a name is served here: what a reverse proxy asks before it gets a certificate. 200 or 404.

    It tells no more than a request to that name does.
    """
    name = request.GET.get("domain", "")
    is_ours = host_names.is_the_consoles(name) or micros.find_micro_by_host(name) is not None
    return HttpResponse(status=200 if is_ours else 404)


@require_GET
def enter(request: HttpRequest) -> HttpResponse:
    """Whoever has a role in the Micro's collection may enter; anyone else gets 404, as where there is no Micro."""
    host = request.GET.get("to", "")
    micro = micros.find_micro_by_host(host)
    if micro is None:
        raise Http404
    access.by_person(request, micro.collection_id)
    session_key = request.session.session_key or ""
    ticket = visitors.make_ticket(session_key=session_key, micro=micro, state=request.GET.get("state", ""))
    port = host.rpartition(":")[2]
    name = micro_addresses.normalise_host(host)
    where = f"{name}:{port}" if port.isdigit() else name
    asked = urlencode({"ticket": ticket, "path": local_path(request.GET.get("path", ""))})
    address = f"{request.scheme}://{where}{ENTER}?{asked}"
    response = render(request, "front/entering.html", {"host": where, "address": address})
    # No redirect: somebody comes here by sending the form of the sign-in page, whose policy lets no form lead elsewhere.
    response["Refresh"] = f"0; url={address}"
    return response
