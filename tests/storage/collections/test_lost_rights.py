"""A right that is lost at the moment it is used: one of the two comes first, and the other sees it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest
from django.db import connection, transaction

from storage.collections import invitations, people, roles
from storage.errors import Forbidden, InvitationSpent
from storage.models import Invitation, Membership, Role
from tests.people import Cast, make_cast
from tests.waiting import MOMENT_SECONDS, NOTHING_SECONDS


@pytest.fixture
def cast(database: None) -> Cast:
    return make_cast()


def invite(cast: Cast) -> Invitation:
    return invitations.invite_person(collection_id=cast.collection.id, role=Role.OWNER, note="", invited_by=cast.owner)


def meanwhile(call: Callable[[], Any], first: Callable[[], Any]) -> "Future[Any]":
    """Begin `call` while `first` is done and not yet committed; it must wait for that."""

    def in_thread() -> Any:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            begun = pool.submit(in_thread)
            wait([begun], timeout=NOTHING_SECONDS)
            assert not begun.done(), "it did not wait"
        wait([begun], timeout=MOMENT_SECONDS)
    return begun


def demote(cast: Cast) -> Callable[[], None]:
    return lambda: roles.set_role(collection_id=cast.collection.id, person_id=cast.owner.pk, role=Role.MEMBER)


def remove(cast: Cast) -> Callable[[], None]:
    return lambda: roles.remove_member(collection_id=cast.collection.id, person_id=cast.owner.pk)


def close_account(cast: Cast) -> Callable[[], None]:
    return lambda: people.remove_person(person_id=cast.owner.pk, asked_by=cast.server_owner)


LOSSES = [demote, remove, close_account]


@pytest.mark.parametrize("lose", LOSSES)
def test_invitation_accepted_while_its_maker_loses_the_right_gives_nothing(
    cast: Cast, lose: Callable[[Cast], Callable[[], None]]
) -> None:
    invitation_id = invite(cast).pk

    def accept() -> None:
        invitations.accept_invitation(invitation_id=invitation_id, person=cast.outsider)

    accepted = meanwhile(accept, first=lose(cast))
    assert isinstance(accepted.exception(), InvitationSpent)
    assert not Membership.objects.filter(person=cast.outsider).exists()


@pytest.mark.parametrize("lose", LOSSES)
def test_invitation_made_while_its_maker_loses_the_right_is_not_made(
    cast: Cast, lose: Callable[[Cast], Callable[[], None]]
) -> None:
    made = meanwhile(lambda: invite(cast), first=lose(cast))
    assert isinstance(made.exception(), Forbidden)
    assert not Invitation.objects.filter(collection=cast.collection).exists()


def test_who_loses_the_right_waits_for_what_was_given_before(cast: Cast) -> None:
    invitation_id, other_id = invite(cast).pk, invite(cast).pk

    def accept() -> None:
        invitations.accept_invitation(invitation_id=invitation_id, person=cast.outsider)

    lost = meanwhile(demote(cast), first=accept)
    assert lost.exception() is None
    assert Membership.objects.get(person=cast.outsider).role == Role.OWNER
    assert not Invitation.objects.filter(pk=other_id).exists()
