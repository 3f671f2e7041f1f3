"""Invitations by link, roles, and who leaves."""

import html
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from storage.collections import invitations
from storage.collections import people as storage_people
from storage.models import Invitation, Membership, Role
from tests.console.conftest import Browser
from tests.matching import search
from tests.people import PASSWORD, Cast, make_person

NEWCOMER = {"username": "Newcomer-of-this-test", "password1": PASSWORD, "password2": PASSWORD}


def invite(client: Client, people: Cast, role: str = "reader") -> str:
    """The path of a new link, as the page shows it."""
    answer = client.post(
        f"/collections/{people.collection.id}/settings/people/invite/", {"note": "Linus", "role": role}
    )
    return path_in(answer)


def path_in(answer: Any) -> str:
    return search(r"http://testserver(/join/[^<\s]+)", html.unescape(answer.content.decode())).group(1)


@pytest.mark.parametrize("role", ["reader", "member", "owner"])
def test_newcomer_joins_with_the_role_of_the_link(people: Cast, browser: Browser, role: str) -> None:
    link, newcomer = invite(browser(people.owner), people, role), Client()
    assert newcomer.get(link).status_code == 200
    assert newcomer.post(link, NEWCOMER)["Location"] == f"/collections/{people.collection.id}/"
    person = User.objects.get(username=NEWCOMER["username"])
    assert Membership.objects.get(person=person).role == role
    assert not person.is_superuser
    assert newcomer.get(f"/collections/{people.collection.id}/base/").status_code == 200


def test_link_is_good_once(people: Cast, browser: Browser) -> None:
    link = invite(browser(people.owner), people)
    Client().post(link, NEWCOMER)
    assert Client().get(link).status_code == 410
    assert Client().post(link, NEWCOMER | {"username": "Second"}).status_code == 410
    assert not User.objects.filter(username="Second").exists()


def test_link_is_spent_when_withdrawn_or_old(people: Cast, browser: Browser) -> None:
    owner = browser(people.owner)
    invitations = f"/collections/{people.collection.id}/settings/people/invitations"
    for spend in (
        lambda: owner.post(f"{invitations}/{Invitation.objects.get(collection=people.collection).pk}/withdraw/"),
        lambda: Invitation.objects.update(expires_at="2020-01-01T00:00Z"),
    ):
        link = invite(owner, people)
        spend()
        assert Client().post(link, NEWCOMER).status_code == 410
        Invitation.objects.all().delete()
    assert not User.objects.filter(username=NEWCOMER["username"]).exists()


def test_forged_link_is_spent(undone: None) -> None:
    assert Client().get("/join/1:abc:def/").status_code == 410


def test_person_with_an_account_joins_and_keeps_a_better_role(people: Cast, browser: Browser) -> None:
    owner = browser(people.owner)
    for person, before, invited, after in (
        (people.outsider, None, "reader", "reader"),
        (people.member, "member", "reader", "member"),
        (people.reader, "reader", "owner", "owner"),
    ):
        assert Membership.objects.filter(person=person).values_list("role", flat=True).first() == before
        browser(person).post(invite(owner, people, invited))
        assert Membership.objects.get(person=person).role == after


def test_server_owner_invites_another(people: Cast, browser: Browser) -> None:
    link = path_in(browser(people.server_owner).post("/people/invite/", {"note": "Barbara"}))
    newcomer = Client()
    newcomer.post(link, NEWCOMER)
    assert newcomer.get("/people/").status_code == 200


def test_link_is_kept_nowhere(people: Cast, browser: Browser) -> None:
    owner = browser(people.owner)
    token = invite(owner, people).split("/")[2]
    assert token not in owner.get(f"/collections/{people.collection.id}/settings/").content.decode()


def test_role_changes_at_once(people: Cast, browser: Browser) -> None:
    reader, path = browser(people.reader), f"/collections/{people.collection.id}/new-base/"
    assert reader.get(path).status_code == 403
    change = f"/collections/{people.collection.id}/settings/people/{people.reader.id}/role/"
    browser(people.owner).post(change, {"role": "member"})
    assert reader.get(path).status_code == 200
    browser(people.owner).post(change, {"role": "emperor"})
    assert Membership.objects.get(person=people.reader).role == "member"


def test_removed_member_is_an_outsider(people: Cast, browser: Browser) -> None:
    reader = browser(people.reader)
    browser(people.owner).post(f"/collections/{people.collection.id}/settings/people/{people.reader.id}/remove/")
    assert reader.get(f"/collections/{people.collection.id}/base/").status_code == 404


def test_removed_account_is_signed_out(people: Cast, browser: Browser) -> None:
    reader = browser(people.reader)
    browser(people.server_owner).post(f"/people/{people.reader.id}/remove/")
    assert reader.get("/").status_code == 302
    assert not User.objects.filter(id=people.reader.id).exists()


def test_nobody_removes_themselves(people: Cast, browser: Browser) -> None:
    answer = browser(people.server_owner).post(f"/people/{people.server_owner.id}/remove/")
    assert "You cannot remove your own account" in answer.content.decode()
    assert User.objects.filter(id=people.server_owner.id).exists()


def test_spent_sessions_and_invitations_are_removed(people: Cast, browser: Browser) -> None:
    make_person()
    browser(people.reader)
    invitations.invite_person(collection_id=None, role=Role.OWNER, note="", invited_by=people.owner)
    Invitation.objects.update(expires_at="2020-01-01T00:00Z")
    storage_people.remove_spent()
    assert not Invitation.objects.exists()
