"""The pages of data keys. A new key is only ever in the answer to its form."""

from datetime import UTC

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from console import access
from console.connect.addresses import addresses_for
from console.connect.environment import TITLES, authority_for, environments
from console.keys.forms import KeyForm, LimitsForm
from console.page import PageRequest, go_to, show_dialog
from storage.collections import keys, usage
from storage.errors import DataKeyNotFound, InvalidInput
from storage.models import DataKey, Role
from storage.postgres import clock

_FORM_METHODS = ["GET", "HEAD", "POST"]


@require_safe
def index(request: HttpRequest, collection_id: str) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    now = clock.now()
    context = {"granted": granted, "tab": "keys", "keys": keys.list_keys(collection_id), "now": now}
    context["today"] = now.astimezone(UTC).date()
    return render(request, "keys/index.html", context)


@never_cache
@require_http_methods(_FORM_METHODS)
def new(request: PageRequest, collection_id: str) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.OWNER)
    bases = [base.name for base in usage.list_bases(collection_id)]
    drives = [drive.name for drive in usage.list_drives(collection_id)]
    form = KeyForm(request.POST or None, bases=bases, drives=drives)
    if request.method == "POST" and form.is_valid():
        try:
            made = keys.create_key(
                collection_id=collection_id,
                name=form.cleaned_data["name"],
                can_write=form.cleaned_data["rights"] == "write",
                base_names=form.base_names,
                drive_names=form.drive_names,
                expires_at=form.expires_at,
                requests_per_second=form.cleaned_data["requests_per_second"],
                bytes_per_day=form.cleaned_data["bytes_per_day"],
                made_by=request.user,
            )
        except InvalidInput as error:
            form.add_error("others", error.messages[-1])
        else:
            where = authority_for(sees_files=request.user.is_superuser)
            context = {
                "granted": granted,
                "title": "Your new data key",
                "made": made,
                "at": (at := addresses_for(request)),
                "env": [
                    (name, TITLES[name], lines)
                    for name, lines in environments(at, key_text=made.text, authority=where).items()
                ],
            }
            return show_dialog(request, "keys/created.html", **context)
    return show_dialog(request, "keys/new.html", form=form, granted=granted, title="New data key")


@require_http_methods(_FORM_METHODS)
def limits(request: HttpRequest, collection_id: str, key_id: int) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.OWNER)
    data_key = _key(collection_id, key_id)
    now = {"requests_per_second": data_key.requests_per_second, "bytes_per_day": data_key.bytes_per_day}
    form = LimitsForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        keys.set_limits(collection_id=collection_id, key_id=key_id, **form.cleaned_data)
        said = f"Limits of “{data_key.name}” changed. They take effect within two seconds."
        return go_to(request, "keys", collection_id, said=said)
    title = f"Limits of “{data_key.name}”"
    return show_dialog(request, "keys/limits.html", form=form, granted=granted, data_key=data_key, title=title)


@require_http_methods(_FORM_METHODS)
def revoke(request: HttpRequest, collection_id: str, key_id: int) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.OWNER)
    data_key = _key(collection_id, key_id)
    if request.method == "POST":
        keys.revoke_key(collection_id=collection_id, key_id=key_id)
        return go_to(
            request, "keys", collection_id, said=f"“{data_key.name}” revoked. Requests with it are refused from now on."
        )
    title = f"Revoke “{data_key.name}”?"
    return show_dialog(request, "keys/revoke.html", granted=granted, data_key=data_key, title=title)


def _key(collection_id: str, key_id: int) -> DataKey:
    try:
        return keys.find_key(collection_id=collection_id, key_id=key_id)
    except DataKeyNotFound as error:
        raise Http404(error.messages[0]) from None
