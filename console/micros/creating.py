"""New Micros: from files that a person has, or from a starter."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from console import access
from console.json_views import answers_json, json_response
from console.micros import starters
from console.micros.addresses import port_of
from console.micros.deployments import deploy
from console.micros.forms import MicroForm, put_error
from console.micros.shown import find_why_off
from console.page import UNPROCESSABLE, PageRequest, go_to
from storage import limits, micro_addresses
from storage.errors import AlreadyTaken, InvalidInput
from storage.micros import bundles, micros, subdomains
from storage.models import Micro, Role

_FORM_METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(_FORM_METHODS)
@answers_json
def new(request: PageRequest, collection_id: str) -> HttpResponse:
    """The page that asks for files; its script makes the Micro by a POST, and sends them to the address in the answer."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    form = MicroForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (micro := _create(request, collection_id, form)):
        bundle, page = (reverse(name, args=[collection_id, micro.id]) for name in ("micro-bundle", "micro-deployments"))
        return json_response({"bundle": bundle, "page": page}) if _is_script(request) else go_to(request, page)
    if form.errors and _is_script(request):
        raise InvalidInput(*[f"{name}: {text}" for name, texts in form.errors.items() for text in texts])
    context: dict[str, Any] = {
        "granted": granted,
        "tab": "micros",
        "form": form,
        "why_off": find_why_off(),
        "starters": starters.STARTERS.values(),
        "most_mb": limits.MICRO_BUNDLE_MAX_BYTES // 1_048_576,
        "most_files": limits.MICRO_BUNDLE_MAX_FILES,
    }
    return render(request, "micros/new.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_http_methods(_FORM_METHODS)
def from_starter(request: PageRequest, collection_id: str, starter: str) -> HttpResponse:
    """A starter's files, to be read before they are made into a Micro."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    chosen = starters.STARTERS.get(starter)
    if chosen is None:
        raise Http404("There is no such template")
    form = MicroForm(request.POST or None, initial={"name": chosen.name})
    if request.method == "POST" and form.is_valid() and (micro := _create(request, collection_id, form)):
        with bundles.bundle_of(chosen.contents()) as bundle:
            made = deploy(micro, bundle, asked_by=request.user)
        return go_to(request, "micro-deployment", collection_id, micro.id, made.id)
    context = {"granted": granted, "tab": "micros", "form": form, "starter": chosen, "why_off": find_why_off()}
    return render(request, "micros/starter.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_safe
def check_address(request: PageRequest, collection_id: str) -> HttpResponse:
    """Whether the sub-domain that is being typed is free; for none, one that would suit the name."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    typed, name = request.GET.get("subdomain", "").strip(), request.GET.get("name", "").strip()
    chosen, fault = "", ""
    try:
        chosen = subdomains.check_subdomain(typed) if typed else micros.find_free_subdomain(name) if name else ""
        if typed and not micros.is_free(chosen):
            fault = f"The sub-domain “{chosen}” is taken."
    except InvalidInput as error:
        fault = f"{error.messages[0]}."
    address = f"{request.scheme}://{micro_addresses.hostname(chosen)}{port_of(request)}" if chosen else ""
    context = {"address": address, "subdomain": chosen, "fault": fault, "is_suggestion": not typed, "name": name}
    return render(request, "micros/_address_check.html", context)


def _create(request: PageRequest, collection_id: str, form: MicroForm) -> Micro | None:
    """The new Micro; None when the form now says why there is none."""
    said = form.cleaned_data
    try:
        return micros.create_micro(
            collection_id=collection_id,
            name=said["name"],
            subdomain=chosen_subdomain(request, form),
            made_by=request.user,
        )
    except (AlreadyTaken, InvalidInput) as error:
        put_error(form, error, subdomain="sub-domain", name="")
    return None


def chosen_subdomain(request: PageRequest, form: MicroForm) -> str:
    """What a person chose, else what the page suggested; empty when that was for another name, or can't be had any more."""
    said = form.cleaned_data
    suggested = request.POST.get("suggested", "") if request.POST.get("suggested_for") == said["name"] else ""
    return said["subdomain"] or _still_free(suggested)


def _still_free(suggested: str) -> str:
    """The suggestion that the page showed; empty when it is none that can be had any more."""
    try:
        chosen = subdomains.check_subdomain(suggested) if suggested else ""
    except InvalidInput:
        return ""
    return chosen if chosen and micros.is_free(chosen) else ""


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "fetch"
