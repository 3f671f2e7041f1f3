"""How an app reaches a collection: the lines for each client, and a light that turns green with the first request."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console import access
from console.connect.addresses import addresses_for, constraints_install, python_install_url
from console.connect.environment import authority_for, environments
from console.connect.python_client import find_wheel
from console.page import PageRequest
from storage.collections import keys

CLIENTS = ("javascript", "python", "go", "curl")


@require_safe
def connect(request: PageRequest, collection_id: str) -> HttpResponse:
    """`?client=` says which client's lines are shown."""
    granted = access.by_person(request, collection_id)
    client = request.GET.get("client")
    at, wheel = addresses_for(request), find_wheel()
    where = authority_for(sees_files=request.user.is_superuser)
    context = {
        "granted": granted,
        "tab": "connect",
        "client": client if client in CLIENTS else CLIENTS[0],
        "at": at,
        "python_client": python_install_url(at, wheel) if wheel else None,
        "constraints": constraints_install(at),
        "authority": where,
        "env": environments(at, key_text="your data key", authority=where),
        "first_use": keys.find_first_use(collection_id),
    }
    return render(request, "connect/index.html", context)


@require_safe
def light(request: HttpRequest, collection_id: str) -> HttpResponse:
    """The light alone; the page asks for it until it is green."""
    granted = access.by_person(request, collection_id)
    return render(request, "connect/_light.html", {"granted": granted, "first_use": keys.find_first_use(collection_id)})


@require_safe
def authority(request: HttpRequest, collection_id: str) -> HttpResponse:
    """The certificate of the local authority that clients are told to trust; it is public."""
    access.by_person(request, collection_id)
    path = settings.DATA / "tls" / "ca.pem"
    if not path.is_file():
        raise Http404("This server has no certificates of its own")
    response = HttpResponse(path.read_bytes(), content_type="application/x-pem-file")
    response["Content-Disposition"] = 'attachment; filename="homeport-ca.pem"'
    return response
