"""Where in the console something is: the addresses that `deta open` opens."""

from django.http.response import HttpResponseBase
from django.urls import reverse

from console import access
from console.cli_api.gate import TokenRequest
from console.json_views import json_response
from storage.base import bases
from storage.drive import folders
from storage.errors import InvalidInput, MicroNotFound
from storage.micros import micros


def find(request: TokenRequest, collection_id: str) -> HttpResponseBase:
    """`{"page": address}` of what `?base=`, `?drive=`, `?micro=` (an id or a name) or `?visor=1` asks for, else the collection's.

    Raises Http404 for a collection that the person may not see, and named errors for what is not in it.
    """
    access.by_person(request, collection_id)
    asked = [(kind, request.GET[kind]) for kind in ("base", "drive", "micro", "visor") if kind in request.GET]
    if len(asked) > 1:
        raise InvalidInput("One page at a time")
    kind, name = asked[0] if asked else ("", "")
    path = _path(collection_id, kind, name)
    return json_response({"page": request.build_absolute_uri(path)})


def _path(collection_id: str, kind: str, name: str) -> str:
    if kind == "base":
        return reverse("base", args=[collection_id, bases.find_base(collection_id=collection_id, name=name).name])
    if kind == "drive":
        folders.find_drive(collection_id=collection_id, name=name)
        return reverse("drive", args=[collection_id, name])
    if kind == "micro":
        return reverse("micro", args=[collection_id, _find_micro(collection_id, name)])
    return reverse("visor" if kind else "collection", args=[collection_id])


def _find_micro(collection_id: str, said: str) -> str:
    """The id of the Micro with this id or this name."""
    try:
        return micros.find_micro(collection_id=collection_id, micro_id=said).id
    except MicroNotFound:
        return micros.find_micro_by_name(collection_id=collection_id, name=said).id
