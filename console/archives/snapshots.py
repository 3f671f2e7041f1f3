"""The page with a collection's snapshot schedule; only owners can change it."""

from django.core.exceptions import PermissionDenied
from django.forms.models import model_to_dict
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from console import access
from console.archives.forms import SnapshotForm
from console.page import UNPROCESSABLE, PageRequest, go_to
from storage import jobs
from storage.archive.exporting import snapshot_copies
from storage.archive.exporting import snapshots as storage_snapshots
from storage.errors import InvalidInput
from storage.models import Role


@require_http_methods(["GET", "HEAD", "POST"])
def snapshots(request: PageRequest, collection_id: str) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    if request.method == "POST" and not granted.is_owner:
        raise PermissionDenied(f"Your role in this collection is “{granted.role.label}”")
    schedule = storage_snapshots.find_schedule(collection_id)
    before = model_to_dict(schedule, ["every", "keep", "is_checked", "is_copied"]) if schedule else {"every": ""}
    form = SnapshotForm(request.POST or None, initial=before, has_second_place=snapshot_copies.is_set_up())
    if request.method == "POST" and form.is_valid():
        try:
            storage_snapshots.set_schedule(collection_id=collection_id, set_by=request.user, **form.cleaned_data)
        except InvalidInput as error:
            form.add_error(None, error.messages[0])
        else:
            jobs.start(jobs.continue_archives)
            said = "Snapshots are on." if form.cleaned_data["every"] else "Snapshots are off."
            return go_to(request, "snapshots", collection_id, said=said)
    context = {
        "granted": granted,
        "tab": "exports",
        "part": "snapshots",
        "schedule": schedule,
        "form": form,
        "has_second_place": snapshot_copies.is_set_up(),
        "copies": snapshot_copies.list_copies(collection_id),
    }
    return render(request, "archives/snapshots.html", context, status=UNPROCESSABLE if form.errors else 200)
