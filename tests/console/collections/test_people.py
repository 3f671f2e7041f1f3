"""Invitations by link, roles, and who leaves."""

import html
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.accounts.forms import NewAccountForm
from storage.access_tokens import tokens
from storage.collections import invitations, keys
from storage.collections import people as storage_people
from storage.models import DataKey, Import, Invitation, Membership, Role
from storage.postgres.leases import Lease, Superseded
from tests.console.conftest import Browser
from tests.matching import search
from tests.people import PASSWORD, Cast, make_person

NEWCOMER = {"username": "Newcomer-of-this-test", "password1": PASSWORD}


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
    invitations.invite_person(collection_id=None, role=Role.OWNER, note="", invited_by=people.server_owner)
    Invitation.objects.update(expires_at="2020-01-01T00:00Z")
    storage_people.remove_spent()
    assert not Invitation.objects.exists()


def settings_of(people: Cast) -> str:
    return f"/collections/{people.collection.id}/settings/people"


def remove_account(people: Cast, browser: Browser, person: User) -> None:
    browser(people.server_owner).post(f"/people/{person.pk}/remove/")


def remove_from_collection(people: Cast, browser: Browser, person: User) -> None:
    browser(people.server_owner).post(f"{settings_of(people)}/{person.pk}/remove/")


def make_member(people: Cast, browser: Browser, person: User) -> None:
    browser(people.server_owner).post(f"{settings_of(people)}/{person.pk}/role/", {"role": "member"})


Leave = Callable[[Cast, Browser, User], None]
LEAVING: list[Leave] = [remove_account, remove_from_collection, make_member]


@pytest.mark.parametrize("leave", LEAVING)
@pytest.mark.parametrize("role", ["reader", "owner"])
def test_invitations_end_with_the_right_of_who_made_them(
    people: Cast, browser: Browser, leave: Leave, role: str
) -> None:
    mine, others = invite(browser(people.owner), people, role), invite(browser(people.server_owner), people, role)
    leave(people, browser, people.owner)
    assert not Invitation.objects.filter(collection=people.collection, invited_by_id=people.owner.pk).exists()
    for client in (Client(), browser(people.outsider)):
        assert client.get(mine).status_code == 410
        assert client.post(mine, NEWCOMER).status_code == 410
    assert not User.objects.filter(username=NEWCOMER["username"]).exists()
    assert not Membership.objects.filter(person=people.outsider).exists()
    assert Client().get(others).status_code == 200


def test_invitation_does_not_come_back_with_the_right(people: Cast, browser: Browser) -> None:
    link = invite(browser(people.owner), people)
    make_member(people, browser, people.owner)
    browser(people.server_owner).post(f"{settings_of(people)}/{people.owner.pk}/role/", {"role": "owner"})
    assert Client().get(link).status_code == 410


@pytest.mark.parametrize("lose", ["role", "membership", "account is off"])
def test_right_of_who_invites_is_looked_at_again_when_accepted(people: Cast, browser: Browser, lose: str) -> None:
    """However it was lost: here beside the functions that end invitations, as before there were any."""
    link = invite(browser(people.owner), people)
    if lose == "role":
        Membership.objects.filter(person=people.owner).update(role="member")
    elif lose == "membership":
        Membership.objects.filter(person=people.owner).delete()
    else:
        User.objects.filter(pk=people.owner.pk).update(is_active=False)
    assert Client().get(link).status_code == 410
    assert Client().post(link, NEWCOMER).status_code == 410


def test_owner_of_the_server_who_is_none_any_more_invites_no_other(people: Cast, browser: Browser) -> None:
    link = path_in(browser(people.server_owner).post("/people/invite/", {"note": "Barbara"}))
    User.objects.filter(pk=people.server_owner.pk).update(is_superuser=False)
    assert Client().post(link, NEWCOMER).status_code == 410


def test_name_that_was_taken_in_between_is_told(
    people: Cast, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = invite(browser(people.owner), people)
    monkeypatch.setattr(NewAccountForm, "clean_username", lambda self: self.cleaned_data["username"])
    monkeypatch.setattr(NewAccountForm, "validate_unique", lambda self: None)
    answer = Client().post(link, NEWCOMER | {"username": people.reader.username})
    assert answer.status_code == 422
    assert "A user with that username already exists." in answer.content.decode()
    assert Client().post(link, NEWCOMER).status_code == 302


def test_who_removes_somebody_sees_the_keys_they_made_and_may_revoke_them(people: Cast, browser: Browser) -> None:
    def make_key(name: str, maker: User) -> DataKey:
        return keys.create_key(collection_id=people.collection.id, name=name, made_by=maker).data_key

    kept, gone, somebody_elses = (
        make_key("kept-key", people.member),
        make_key("gone-key", people.member),
        make_key("other-key", people.owner),
    )
    owner, path = browser(people.owner), f"{settings_of(people)}/{people.member.pk}/remove/"
    page = owner.get(path).content.decode()
    assert ("kept-key" in page, "gone-key" in page, "other-key" in page) == (True, True, False)
    owner.post(path, {"revoke": [gone.pk, somebody_elses.pk, "x", "9" * 40]})
    states = {key.name: key.revoked_at is not None for key in people.collection.data_keys.all()}
    assert states == {"kept-key": False, "gone-key": True, "other-key": False}
    account = browser(people.server_owner)
    page = account.get(f"/people/{people.member.pk}/remove/").content.decode()
    assert ("kept-key" in page, "gone-key" in page, people.collection.name in page) == (True, False, True)
    account.post(f"/people/{people.member.pk}/remove/", {"revoke": kept.pk})
    kept.refresh_from_db()
    assert kept.revoked_at is not None


def test_page_of_keys_says_who_made_them(people: Cast, browser: Browser) -> None:
    form = {"name": "my app", "rights": "write", "scope": "all", "days": "0", "others": ""}
    browser(people.owner).post(f"/collections/{people.collection.id}/keys/new/", form)
    page = browser(people.member).get(f"/collections/{people.collection.id}/keys/").content.decode()
    assert f"by {people.owner.username}" in page


def make_reader(people: Cast, browser: Browser, person: User) -> None:
    browser(people.server_owner).post(f"{settings_of(people)}/{person.pk}/role/", {"role": "reader"})


@pytest.mark.parametrize("leave", [remove_account, remove_from_collection, make_reader, make_member])
def test_development_keys_end_with_the_right_of_who_made_them(people: Cast, browser: Browser, leave: Leave) -> None:
    terminal = Client(headers={"Authorization": f"Bearer {tokens.create_token(person=people.member, name='x').text}"})
    path = f"/cli/collections/{people.collection.id}/dev-keys"
    mine = [terminal.post(path, body, "application/json").json()["id"] for body in ({"device": "laptop"}, {})]
    others = keys.create_key(collection_id=people.collection.id, name="of the server", made_by=people.member).data_key
    leave(people, browser, people.member)
    good = set(DataKey.objects.filter(collection=people.collection, revoked_at=None).values_list("id", flat=True))
    assert good == {others.pk} | (set(mine) if leave is make_member else set())


@pytest.mark.parametrize("leave", [remove_account, remove_from_collection])
def test_imports_of_who_leaves_stop(people: Cast, browser: Browser, leave: Leave) -> None:
    running = Import.objects.create(
        collection=people.collection, state="running", size_expected=1, asked_by=people.member
    )
    others = Import.objects.create(
        collection=people.collection, state="running", size_expected=1, asked_by=people.owner
    )
    lease = Lease(running, state="running")
    leave(people, browser, people.member)
    with pytest.raises(Superseded):
        lease.save()
    running.refresh_from_db()
    others.refresh_from_db()
    assert (running.state, others.state) == ("failed", "running")
    assert "may no longer write" in running.reason
