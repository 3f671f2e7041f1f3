"""The pages with all accounts, for owners of the server. A collection's settings invite people to it."""

from django import forms
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console import access
from console.accounts.invitations import make_link
from console.page import PageRequest, go_to, read_chosen_keys, show_dialog
from storage import limits
from storage.collections import invitations, keys, people
from storage.errors import InvalidInput, PersonNotFound
from storage.models import Role


class OwnerInvitationForm(forms.Form):
    """Who to invite as an owner of the server."""

    note = forms.CharField(
        label="Who it is for",
        help_text="A note that helps you to recognise the link.",
        max_length=limits.INVITATION_NOTE_MAX_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )


@require_safe
def index(request: PageRequest) -> HttpResponse:
    access.server_owner(request)
    context = {"people": people.list_people(), "invitations": invitations.list_invitations(None)}
    return render(request, "people/index.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: PageRequest) -> HttpResponse:
    """The link is only in the answer to the form."""
    access.server_owner(request)
    form = OwnerInvitationForm(request.POST or None)
    context = {"title": "Invite an owner of this server", "back": "people"}
    if request.method == "POST" and form.is_valid():
        invitation = invitations.invite_person(
            collection_id=None, role=Role.OWNER, note=form.cleaned_data["note"], invited_by=request.user
        )
        return show_dialog(
            request, "people/invited.html", link=make_link(request, invitation), invitation=invitation, **context
        )
    return show_dialog(request, "people/invite.html", form=form, **context)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: PageRequest, person_id: int) -> HttpResponse:
    access.server_owner(request)
    person = _person(person_id)
    error = ""
    if request.method == "POST":
        try:
            people.remove_person(person_id=person_id, asked_by=request.user, revoked_keys=read_chosen_keys(request))
            return go_to(request, "people", said=f"Account of {person.username} removed.")
        except InvalidInput as refusal:
            error = refusal.messages[0]
    context = {"title": f"Remove {person.username}?", "person": person, "error": error}
    return show_dialog(request, "people/remove.html", keys=keys.list_keys_made_by(person_id), **context)


@require_POST
def withdraw(request: PageRequest, invitation_id: int) -> HttpResponse:
    access.server_owner(request)
    invitations.withdraw_invitation(collection_id=None, invitation_id=invitation_id)
    return go_to(request, "people", said="Invitation withdrawn.")


def _person(person_id: int) -> User:
    try:
        return people.find_person(person_id)
    except PersonNotFound as error:
        raise Http404(error.messages[0]) from None
