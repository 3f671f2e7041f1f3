"""The pages with all accounts, for owners of the server. A collection's settings invite people to it."""

from django import forms
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console import access
from console.accounts.invitations import make_link
from console.accounts.openid import admission
from console.accounts.openid.configured import openid_name
from console.accounts.openid.errors import SignInRefused
from console.accounts.second_factor import factors
from console.page import PageRequest, go_to, read_chosen_keys, show_dialog
from storage import limits
from storage.collections import invitations, keys, people, sign_in_rules
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


class EmailForm(forms.Form):
    """A person's address; empty for none."""

    email = forms.EmailField(
        label="E-mail address", required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )


@require_safe
def index(request: PageRequest) -> HttpResponse:
    access.server_owner(request)
    listed, kinds = list(people.list_people()), factors.kinds_by_person()
    for person in listed:
        person.second_factors = kinds.get(person.id, "")  # type: ignore[attr-defined]  # for the template alone
    context = {
        "people": listed,
        "invitations": invitations.list_invitations(None),
        "without": sum(person.id not in kinds for person in listed),
        "is_required": sign_in_rules.is_second_factor_required(),
        "openid": openid_name(),
    }
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


@require_POST
def require_second_factor(request: PageRequest) -> HttpResponse:
    access.server_owner(request)
    is_required = request.POST.get("required") == "yes"
    sign_in_rules.require_second_factor(is_required=is_required)
    said = (
        "Two-factor sign-in is required of everybody." if is_required else "Two-factor sign-in is each person's choice."
    )
    return go_to(request, "people", said=said)


@require_http_methods(["GET", "HEAD", "POST"])
def reset_second_factor(request: PageRequest, person_id: int) -> HttpResponse:
    """For somebody who lost phone and codes. One's own is on the account page."""
    access.server_owner(request)
    person = _person(person_id)
    if person == request.user:
        return redirect("account")
    if request.method == "POST":
        factors.reset(request, person)
        return go_to(request, "people", said=f"Two-factor sign-in of {person.username} is reset.")
    title = f"Reset two-factor sign-in of {person.username}?"
    return show_dialog(request, "people/reset_second_factor.html", person=person, title=title)


@require_http_methods(["GET", "HEAD", "POST"])
def person_email(request: PageRequest, person_id: int) -> HttpResponse:
    """The address by which the OpenID Connect provider's people are known to be ours."""
    access.server_owner(request)
    if not openid_name():
        raise Http404
    person = _person(person_id)
    form = EmailForm(request.POST or None, initial={"email": admission.find_email(person)})
    if request.method == "POST" and form.is_valid():
        try:
            admission.note_email(person, form.cleaned_data["email"])
            return go_to(request, "people", said=f"E-mail address of {person.username} saved.")
        except SignInRefused as refusal:
            form.add_error("email", str(refusal))
    title = f"E-mail address of {person.username}"
    return show_dialog(request, "people/email.html", form=form, person=person, title=title, openid=openid_name())


def _person(person_id: int) -> User:
    try:
        return people.find_person(person_id)
    except PersonNotFound as error:
        raise Http404(error.messages[0]) from None
