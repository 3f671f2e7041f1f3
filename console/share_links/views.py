"""The share links of a Drive: for members, who list, make and revoke them. A new one is only ever in the answer to its form."""

from django.contrib.auth.hashers import make_password
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from console.drive.context import DriveContext, open_drive
from console.page import PageRequest, go_to, show_dialog
from console.share_links.forms import LinkForm
from console.share_links.tokens import address_of, make_token
from storage.drive import files, folders
from storage.errors import FileNotFound, InvalidInput, ShareLinkNotFound
from storage.models import Role, ShareLink
from storage.share_links import links

_FORM_METHODS = ["GET", "HEAD", "POST"]


@require_safe
def index(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    context = {"granted": at.granted, "tab": "drives", "drive": drive, "links": links.list_links(at.id)}
    return render(request, "share_links/index.html", context)


@never_cache
@require_http_methods(_FORM_METHODS)
def new(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """A link to the file `?name=`."""
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    name = request.GET.get("name", "")
    label = _label_of_file(at, name)
    form = LinkForm(request.POST or None)
    context = {"granted": at.granted, "tab": "drives", "drive": drive, "name": name}
    if request.method == "POST" and form.is_valid():
        token, password = make_token(), form.cleaned_data["password"]
        # Hashing takes its time, so it comes before what the transaction holds.
        hashed = make_password(password) if password else ""
        try:
            link = links.create_link(
                access=at.access,
                drive_id=at.id,
                drive=drive,
                name=name,
                text=token,
                hours=form.cleaned_data["hours"],
                password=hashed,
                made_by=request.user,
            )
        except FileNotFound as error:
            raise Http404(error.messages[0]) from None
        except InvalidInput as error:
            form.add_error(None, error.messages[-1])
        else:
            context |= {"title": f"Link to “{label}”", "link": link, "address": address_of(request, token)}
            return show_dialog(request, "share_links/created.html", **context)
    return show_dialog(request, "share_links/new.html", form=form, title=f"Share “{label}”", **context)


@require_http_methods(_FORM_METHODS)
def revoke(request: PageRequest, collection_id: str, drive: str, link_id: int) -> HttpResponse:
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    link = _link(at, link_id)
    label = folders.label_of(link.file_name)
    if request.method == "POST":
        links.revoke_link(access=at.access, drive_id=at.id, drive=drive, link_id=link_id)
        said = f"Link to “{label}” revoked. It leads nowhere from now on."
        return go_to(request, "share-links", collection_id, drive, said=said)
    context = {"granted": at.granted, "tab": "drives", "drive": drive, "link": link}
    return show_dialog(request, "share_links/revoke.html", title=f"Revoke the link to “{label}”?", **context)


def _label_of_file(at: DriveContext, name: str) -> str:
    """What the file is called in its folder. Raises Http404 for a missing one."""
    try:
        files.get_file(access=at.access, drive=at.name, name=name)
    except (FileNotFound, InvalidInput) as error:
        raise Http404(error.messages[0]) from None
    return folders.label_of(name)


def _link(at: DriveContext, link_id: int) -> ShareLink:
    try:
        return links.find_link(drive_id=at.id, link_id=link_id)
    except ShareLinkNotFound as error:
        raise Http404(error.messages[0]) from None
