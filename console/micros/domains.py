"""The names that a Micro is served under beside its sub-domain."""

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from console.micros import shown
from console.micros.addresses import domain_address
from console.micros.forms import DomainForm, put_error
from console.page import UNPROCESSABLE, PageRequest, go_to, show_dialog
from storage import limits, micro_addresses
from storage.embedded import caddy
from storage.errors import AlreadyTaken, InvalidInput
from storage.micros import domains
from storage.models import Role

_FORM_METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(_FORM_METHODS)
def index(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    is_adding = request.method == "POST"
    granted, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER if is_adding else Role.READER)
    form = DomainForm(request.POST or None)
    if is_adding and form.is_valid():
        try:
            added = domains.add_domain(collection_id=collection_id, micro_id=micro_id, name=form.cleaned_data["domain"])
            said = f"{added} added. The Micro answers to it within two seconds."
            return go_to(request, "micro-domains", collection_id, micro_id, said=said)
        except (AlreadyTaken, InvalidInput) as error:
            put_error(form, error, domain="")
    found = [
        {"name": name, "address": domain_address(request, name), "has_certificate": _has_certificate(name)}
        for name in domains.list_domains(micro_id)
    ]
    more = {
        "form": form,
        "domains": found,
        "most": limits.MICRO_DOMAINS_MAX,
        "has_caddy": settings.CADDY_IS_ON,
        "hostname": micro_addresses.hostname(micro.subdomain),
    }
    context = shown.page_of(request, granted, micro, "domains", **more)
    return render(request, "micros/domains.html", context, status=UNPROCESSABLE if form.errors else 200)


def _has_certificate(name: str) -> bool:
    """Only of this server's own Caddy it is known."""
    return settings.CADDY_IS_ON and caddy.has_certificate(settings.DATA, name)


@require_http_methods(_FORM_METHODS)
def remove(request: PageRequest, collection_id: str, micro_id: str, domain: str) -> HttpResponse:
    granted, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    if domain not in domains.list_domains(micro_id):
        raise Http404("The Micro has no such domain")
    if request.method == "POST":
        domains.remove_domain(collection_id=collection_id, micro_id=micro_id, name=domain)
        return go_to(request, "micro-domains", collection_id, micro_id, said=f"{domain} removed.")
    context = {"granted": granted, "micro": micro, "domain": domain, "title": f"Remove {domain}?"}
    return show_dialog(request, "micros/remove_domain.html", **context)
