"""How far a copy of a whole Drive is, on its pages and on those of the Drive that it is made of."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.drive.context import DriveContext, open_drive
from console.page import PageRequest
from storage.drive import duplication
from storage.errors import DuplicationNotFound
from storage.models import Drive, Duplication

_PROBLEMS_SHOWN = 3


@require_safe
def one(request: PageRequest, collection_id: str, drive: str, duplication_id: UUID) -> HttpResponse:
    """The strip alone, for the page that asks again."""
    at = open_drive(request, collection_id, drive)
    try:
        found = duplication.find_duplication(drive_id=at.id, duplication_id=duplication_id)
    except DuplicationNotFound as error:
        raise Http404(error.messages[0]) from None
    return render(request, "drive/_duplication.html", {"granted": at.granted, "drive": at.name, **_tell(at, found)})


def tell(at: DriveContext) -> dict[str, object]:
    """The context of the strip, if there is anything to tell."""
    found = duplication.find_told(at.id)
    return {} if found is None else _tell(at, found)


def _tell(at: DriveContext, found: Duplication) -> dict[str, object]:
    target = Drive.objects.filter(pk=found.target_id, collection_id=found.collection_id)
    return {
        "duplication": found,
        "is_here": found.target_id == at.id,
        "target": target.values_list("name", flat=True).first(),
        "done_bytes": found.copied_bytes + found.bytes_under_way,
        "problems": found.problems[:_PROBLEMS_SHOWN],
        "has_more_problems": found.left_out > _PROBLEMS_SHOWN,
    }
