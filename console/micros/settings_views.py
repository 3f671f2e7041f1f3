"""A Micro's settings: how it runs, what it is called, where it is reached, its end."""

from typing import Any

from django.conf import settings as server
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from console.micros import shown
from console.micros.forms import AddressForm, DeletionForm, NameForm, RunningForm, put_error, running_values
from console.page import UNPROCESSABLE, PageRequest, go_to, show_dialog
from storage import limits
from storage.errors import AlreadyTaken, HostUnreachable, InvalidInput
from storage.micros import deployments, hosts, micros
from storage.models import Micro, Role

_FORM_METHODS = ["GET", "HEAD", "POST"]
_MB = 1_048_576


@require_http_methods(_FORM_METHODS)
def settings(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """Two forms: `what` says which one was sent, the name's or that of how the Micro runs."""
    granted, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    is_name = request.POST.get("what") == "name"
    naming = NameForm(request.POST if is_name else None, initial={"name": micro.name})
    running = RunningForm(request.POST if request.POST and not is_name else None, initial=running_values(micro))
    form = naming if is_name else running
    if request.method == "POST" and form.is_valid():
        given = {name: value for name, value in form.cleaned_data.items() if name != "runtime" or value}
        try:
            micros.change_micro(collection_id=collection_id, micro_id=micro_id, **given)
            return go_to(request, "micro-settings", collection_id, micro_id, said="Saved.")
        except (AlreadyTaken, InvalidInput) as error:
            put_error(form, error, runtime="runtime", idle_minutes="minutes", **({"name": ""} if is_name else {}))
    more: dict[str, Any] = {"naming": naming, "running": running, "limits": _limits(), "runtimes": _runtimes()}
    context = shown.page_of(request, granted, micro, "settings", **more)
    return render(request, "micros/settings.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_http_methods(_FORM_METHODS)
def address(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """Another sub-domain: the old address answers no more."""
    granted, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    form = AddressForm(request.POST or None, initial={"subdomain": micro.subdomain})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["subdomain"]
        try:
            changed = micros.change_micro(collection_id=collection_id, micro_id=micro_id, subdomain=chosen)
            said = f"The Micro is “{changed.subdomain}” now."
            return go_to(request, "micro-settings", collection_id, micro_id, said=said)
        except (AlreadyTaken, InvalidInput) as error:
            put_error(form, error, subdomain="")
    context = {"granted": granted, "micro": micro, "title": "Another sub-domain"}
    return show_dialog(request, "micros/address.html", form=form, **context)


@require_POST
def restart(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """End what runs; the next request starts it anew."""
    shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    try:
        hosts.the_host().stop(micro_id)
        said = "Stopped. The next request starts it anew."
    except HostUnreachable as error:
        said = f"{error.messages[0]}."
    return go_to(request, "micro", collection_id, micro_id, said=said)


@require_http_methods(_FORM_METHODS)
def delete(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    granted, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    form = DeletionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            typed = form.cleaned_data["typed_name"]
            micros.delete_micro(collection_id=collection_id, micro_id=micro_id, typed_name=typed)
            return go_to(request, "micros", collection_id, said=f"Micro “{micro.name}” deleted.")
        except InvalidInput as error:
            put_error(form, error, typed_name="")
    context = {"granted": granted, "micro": micro, "held": _held(micro), "title": f"Delete “{micro.name}”?"}
    return show_dialog(request, "micros/delete.html", form=form, **context)


def _held(micro: Micro) -> dict[str, int]:
    found = deployments.list_deployments(collection_id=micro.collection_id, micro_id=micro.id)
    return {
        "deployments": len(found),
        "domains": micro.domains.count(),
        "keys": micro.api_keys.count(),
    }


def _limits() -> list[tuple[str, str]]:
    """What a Micro may use, for people; all but the last three are the server owner's to change."""
    return [
        ("Time for an answer", f"{server.MICRO_REQUEST_SECONDS:g} s"),
        ("Time to start", f"{server.MICRO_START_SECONDS:g} s"),
        ("Time to install", f"{server.MICRO_BUILD_SECONDS:g} s"),
        ("Memory", f"{server.MICRO_MEMORY_MB:,} MB"),
        ("Files in /tmp", f"{server.MICRO_TMP_MB:,} MB"),
        ("Processes and threads", f"{server.MICRO_PROCESSES:,}"),
        ("Body of a request", f"{limits.MICRO_BODY_MAX_BYTES / _MB:.1f} MB"),
        ("Code", f"{limits.MICRO_BUNDLE_MAX_BYTES // _MB} MB, {limits.MICRO_BUNDLE_MAX_FILES:,} files"),
        ("Dependencies", f"{limits.MICRO_DEPENDENCIES_MAX_BYTES // _MB} MB"),
    ]


def _runtimes() -> list[str]:
    try:
        return list(hosts.the_host().runtimes())
    except HostUnreachable:
        return []
