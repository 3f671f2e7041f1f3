"""A collection's settings: its name, its people, its deletion."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from console import access
from console.collections.forms import CollectionForm, DeletionForm
from console.page import UNPROCESSABLE, PageRequest, go_to, show_dialog
from storage import jobs
from storage.collections import collections, deletion, invitations, roles, usage
from storage.errors import InvalidInput
from storage.events import recording
from storage.models import Role

_FORM_METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(_FORM_METHODS)
def settings(request: HttpRequest, collection_id: str) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.OWNER)
    form = CollectionForm(request.POST or None, initial={"name": granted.collection.name})
    form.fields["name"].widget.attrs.pop("autofocus", None)
    if request.method == "POST" and form.is_valid():
        try:
            collections.rename_collection(collection_id=collection_id, name=form.cleaned_data["name"])
            return go_to(request, "settings", collection_id, said="Collection renamed.")
        except InvalidInput as error:
            form.add_error("name", error.messages[0])
    context = {
        "granted": granted,
        "tab": "settings",
        "form": form,
        "roles": Role.choices,
        "members": roles.list_members(collection_id),
        "invitations": invitations.list_invitations(collection_id),
        "recording": recording.find_recording(collection_id),
    }
    return render(request, "collections/settings.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_http_methods(_FORM_METHODS)
def delete(request: PageRequest, collection_id: str) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.OWNER)
    form = DeletionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data["typed_name"]
        try:
            deletion.delete_collection(collection_id=collection_id, typed_name=typed, asked_by=request.user)
            jobs.start(jobs.continue_deletions)
            return go_to(request, "collections")
        except InvalidInput as error:
            form.add_error("typed_name", error.messages[0])
    held = usage.find_holding(collection_id)
    title = f"Delete “{granted.collection.name}”?"
    return show_dialog(request, "collections/delete.html", form=form, granted=granted, held=held, title=title)
