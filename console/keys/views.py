"""The pages of data keys. A new key is only ever in the answer to its form."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from console import access
from console.connect.addresses import env_lines
from console.keys.forms import KeyForm
from console.page import PageRequest, go_to, show_dialog
from storage.collections import keys, usage
from storage.errors import DataKeyNotFound, InvalidInput
from storage.models import Role
from storage.postgres import clock

_FORM_METHODS = ["GET", "HEAD", "POST"]


@require_safe
def index(request: HttpRequest, collection_id: str) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    context = {"granted": granted, "tab": "keys", "keys": keys.list_keys(collection_id), "now": clock.now()}
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
                made_by=request.user,
            )
        except InvalidInput as error:
            form.add_error("others", error.messages[-1])
        else:
            context = {
                "granted": granted,
                "title": "Your new data key",
                "made": made,
                "env": env_lines(request, made.text),
            }
            return show_dialog(request, "keys/created.html", **context)
    return show_dialog(request, "keys/new.html", form=form, granted=granted, title="New data key")


@require_http_methods(_FORM_METHODS)
def revoke(request: HttpRequest, collection_id: str, key_id: int) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.OWNER)
    try:
        data_key = keys.find_key(collection_id=collection_id, key_id=key_id)
    except DataKeyNotFound as error:
        raise Http404(error.messages[0]) from None
    if request.method == "POST":
        keys.revoke_key(collection_id=collection_id, key_id=key_id)
        return go_to(
            request, "keys", collection_id, said=f"“{data_key.name}” revoked. Requests with it are refused from now on."
        )
    title = f"Revoke “{data_key.name}”?"
    return show_dialog(request, "keys/revoke.html", granted=granted, data_key=data_key, title=title)
