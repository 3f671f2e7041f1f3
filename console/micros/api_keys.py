"""A Micro's API keys. A new one is only ever in the answer to its form."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from console.micros import shown
from console.micros.addresses import address_of
from console.micros.forms import ApiKeyForm, put_error
from console.page import PageRequest, go_to, show_dialog
from storage.errors import AlreadyTaken, InvalidInput
from storage.micros import api_keys
from storage.models import MicroKey, Role

_FORM_METHODS = ["GET", "HEAD", "POST"]


@require_safe
def index(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    granted, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    context = shown.page_of(request, granted, micro, "keys", keys=api_keys.list_keys(micro_id))
    return render(request, "micros/keys.html", context)


@never_cache
@require_http_methods(_FORM_METHODS)
def new(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    granted, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    form = ApiKeyForm(request.POST or None)
    context = {"granted": granted, "micro": micro}
    if request.method == "POST" and form.is_valid():
        try:
            made = api_keys.create_key(
                collection_id=collection_id, micro_id=micro_id, made_by=request.user, **form.cleaned_data
            )
        except (AlreadyTaken, InvalidInput) as error:
            put_error(form, error, description="description", name="")
        else:
            address = address_of(request, micro)
            title = "Your new API key"
            return show_dialog(request, "micros/key_created.html", made=made, address=address, title=title, **context)
    return show_dialog(request, "micros/new_key.html", form=form, title="New API key", **context)


@require_http_methods(_FORM_METHODS)
def revoke(request: PageRequest, collection_id: str, micro_id: str, api_key_id: int) -> HttpResponse:
    granted, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    key = _key(micro_id, api_key_id)
    if request.method == "POST":
        api_keys.revoke_key(collection_id=collection_id, micro_id=micro_id, name=key.name)
        said = f"“{key.name}” revoked. Requests with it are refused from now on."
        return go_to(request, "micro-keys", collection_id, micro_id, said=said)
    title = f"Revoke “{key.name}”?"
    return show_dialog(request, "micros/revoke_key.html", granted=granted, micro=micro, key=key, title=title)


def _key(micro_id: str, api_key_id: int) -> MicroKey:
    key = next((key for key in api_keys.list_keys(micro_id) if key.pk == api_key_id), None)
    if key is None:
        raise Http404("The Micro has no such API key")
    return key
