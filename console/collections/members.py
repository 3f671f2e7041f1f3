"""The people in a collection: invite by link, change a role, remove."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console import access
from console.accounts.invitations import make_link
from console.collections.forms import InvitationForm
from console.page import PageRequest, go_to, read_chosen_keys, show_dialog
from storage.collections import invitations, keys, roles
from storage.errors import PersonNotFound
from storage.models import Membership, Role


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: PageRequest, collection_id: str) -> HttpResponse:
    """The link is only in the answer to the form."""
    granted = access.by_person(request, collection_id, at_least=Role.OWNER)
    form = InvitationForm(request.POST or None)
    context = {"granted": granted, "title": f"Invite to “{granted.collection.name}”", "back": "settings"}
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        invitation = invitations.invite_person(
            collection_id=collection_id, role=Role(chosen["role"]), note=chosen["note"], invited_by=request.user
        )
        return show_dialog(
            request, "people/invited.html", link=make_link(request, invitation), invitation=invitation, **context
        )
    return show_dialog(request, "people/invite.html", form=form, **context)


@require_POST
def change_role(request: HttpRequest, collection_id: str, person_id: int) -> HttpResponse:
    access.by_person(request, collection_id, at_least=Role.OWNER)
    member = _member(collection_id, person_id)
    if request.POST.get("role") not in Role.values:
        return go_to(request, "settings", collection_id)
    role = Role(request.POST["role"])
    roles.set_role(collection_id=collection_id, person_id=person_id, role=role)
    return go_to(request, "settings", collection_id, said=f"{member.person.username} now has the role “{role.label}”.")


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, collection_id: str, person_id: int) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.OWNER)
    member = _member(collection_id, person_id)
    if request.method == "POST":
        revoked_keys = read_chosen_keys(request)
        roles.remove_member(collection_id=collection_id, person_id=person_id, revoked_keys=revoked_keys)
        return go_to(request, "settings", collection_id, said=f"{member.person.username} removed.")
    context = {"title": f"Remove {member.person.username}?", "granted": granted, "member": member}
    context["keys"] = keys.list_keys_made_by(person_id, collection_id=collection_id)
    return show_dialog(request, "collections/remove_member.html", **context)


@require_POST
def withdraw(request: HttpRequest, collection_id: str, invitation_id: int) -> HttpResponse:
    access.by_person(request, collection_id, at_least=Role.OWNER)
    invitations.withdraw_invitation(collection_id=collection_id, invitation_id=invitation_id)
    return go_to(request, "settings", collection_id, said="Invitation withdrawn.")


def _member(collection_id: str, person_id: int) -> Membership:
    try:
        return roles.find_member(collection_id=collection_id, person_id=person_id)
    except PersonNotFound as error:
        raise Http404(error.messages[0]) from None
