"""Share links in storage: whom they belong to, what ends them, and by whose clock."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from storage import limits
from storage.audit.log import Conditions, Verb, list_entries
from storage.collections import deletion, people, roles, stores
from storage.drive import drives, moves
from storage.errors import FileNotFound, Forbidden, InvalidInput, ShareLinkNotFound
from storage.models import Drive, Membership, Role, ShareLink
from storage.postgres.caller import Access
from storage.share_links import links
from tests.people import Cast, make_cast
from tests.storage.rows import fill_drive

pytestmark = pytest.mark.usefixtures("database")


class Shared:
    """A Drive with files in it, which a member shares."""

    def __init__(self, *names: str) -> None:
        self.cast: Cast = make_cast()
        self.access = Access(self.cast.collection.id, person_id=self.cast.member.pk)
        self.drive_id = drives.ensure_drive(collection_id=self.cast.collection.id, name="files")
        for name in names:
            # Each in a transaction of its own: what is as old and has the same name is taken for the same file.
            fill_drive(self.cast.collection.id, "files", [name])

    def share(self, name: str, text: str, **more: Any) -> ShareLink:
        given = {"hours": 1, "made_by": self.cast.member, **more}
        at: dict[str, Any] = {"access": self.access, "drive_id": self.drive_id, "drive": "files"}
        return links.create_link(name=name, text=f"{text}-{self.drive_id}-secret", **{**at, **given})

    def name_of(self, text: str) -> str:
        return links.find_shared(f"{text}-{self.drive_id}-secret").name

    def is_over(self, text: str) -> bool:
        try:
            self.name_of(text)
        except ShareLinkNotFound:
            return True
        return False

    def move(self, *paths: str, to: str) -> None:
        chosen = moves.choose([p for p in paths if p[-1:] != "/"], [p for p in paths if p[-1:] == "/"])
        moves.move(access=self.access, drive_id=self.drive_id, chosen=chosen, to=to, if_exists="replace")


def test_each_follows_its_own_file_through_moves() -> None:
    shared = Shared("a.txt", "in/b.txt", "out/a.txt", "c.txt")
    for name in ("a.txt", "in/b.txt", "out/a.txt"):
        shared.share(name, name)

    shared.move("in/", to="deep/")
    assert shared.name_of("in/b.txt") == "deep/in/b.txt"

    # What is replaced is gone; the link of what took its place goes on with that.
    shared.move("a.txt", to="out/")
    assert shared.name_of("a.txt") == "out/a.txt"
    assert shared.is_over("out/a.txt")
    assert [link.state for link in links.list_links(shared.drive_id)] == ["deleted", "active", "active"]


def by_the_clock(shared: Shared) -> None:
    ShareLink.objects.filter(drive_id=shared.drive_id).update(expires_at="2001-01-01T00:00:00Z")


def by_hand(shared: Shared) -> None:
    link = ShareLink.objects.get(drive_id=shared.drive_id)
    links.revoke_link(access=shared.access, drive_id=shared.drive_id, drive="files", link_id=link.pk)


def its_drive(shared: Shared) -> None:
    with transaction.atomic():
        # Locked first: a figure of it that is counted in between would hold on to it.
        Drive.objects.select_for_update().get(id=shared.drive_id).delete()


ENDS: dict[str, Callable[[Shared], object]] = {
    "its time": by_the_clock,
    "being revoked": by_hand,
    "its Drive": its_drive,
    "its collection": lambda shared: deletion.delete_collection(
        collection_id=shared.cast.collection.id, typed_name="Made by a test", asked_by=None
    ),
    "its maker's membership": lambda shared: roles.remove_member(
        collection_id=shared.cast.collection.id, person_id=shared.cast.member.pk
    ),
    "its maker's right to write": lambda shared: roles.set_role(
        collection_id=shared.cast.collection.id, person_id=shared.cast.member.pk, role=Role.READER
    ),
    "its maker's account": lambda shared: people.remove_person(
        person_id=shared.cast.member.pk, asked_by=shared.cast.server_owner
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_link_ends_with(end: str) -> None:
    shared = Shared("a.txt")
    link = shared.share("a.txt", "link")
    links.count_download(link.pk)
    ENDS[end](shared)
    assert shared.is_over("link")
    with pytest.raises(ShareLinkNotFound):
        links.count_download(link.pk)


@pytest.mark.parametrize("act", ["delete", "empty"])
def test_a_drive_that_is_set_aside_takes_its_links_along_and_back(act: str) -> None:
    shared = Shared("a.txt")
    link = shared.share("a.txt", "link")
    at: dict[str, Any] = {"access": shared.access, "kind": "drive", "name": "files"}
    gone = stores.empty_store(**at) if act == "empty" else stores.delete_store(**at, typed_name="files")
    assert shared.is_over("link")
    with pytest.raises(ShareLinkNotFound):
        links.count_download(link.pk)
    stores.bring_back(access=shared.access, deletion_id=gone.pk)
    assert shared.name_of("link") == "a.txt"
    gone = stores.delete_store(**at, typed_name="files")
    # Who made it leaves meanwhile.
    roles.remove_member(collection_id=shared.cast.collection.id, person_id=shared.cast.member.pk)
    stores.bring_back(access=Access(shared.cast.collection.id, person_id=shared.cast.owner.pk), deletion_id=gone.pk)
    assert shared.is_over("link")


def test_links_of_a_drive_that_moves_end_unless_their_makers_may_write_there() -> None:
    shared = Shared("a.txt")
    shared.share("a.txt", "theirs")
    shared.share("a.txt", "mine", made_by=shared.cast.owner)
    other = make_cast().collection
    Membership.objects.create(collection=other, person=shared.cast.owner, role=Role.MEMBER)
    Membership.objects.create(collection=other, person=shared.cast.member, role=Role.READER)
    owner = Access(shared.cast.collection.id, person_id=shared.cast.owner.pk)
    stores.move_store(access=owner, kind="drive", name="files", to_collection_id=other.id)
    assert shared.name_of("mine") == "a.txt"
    assert shared.is_over("theirs")
    revoked = [entry.verb for entry in list_entries(Conditions(other.id), limit=10)]
    assert revoked.count(Verb.LINK_REVOKED) == 1


def test_time_is_the_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Shared("a.txt")
    link = shared.share("a.txt", "link", hours=2)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM expires_at - now()) / 60 FROM storage_sharelink WHERE id = %s", [link.pk]
        )
        assert 110 < cursor.fetchone()[0] <= 120


def test_who_may_not_write_makes_none_and_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Shared("a.txt")
    with pytest.raises(Forbidden):
        shared.share("a.txt", "x", access=Access(shared.cast.collection.id, person_id=shared.cast.reader.pk))
    with pytest.raises(FileNotFound):
        shared.share("b.txt", "x")
    for hours in (0, -1, limits.SHARE_LINK_HOURS_MAX + 1):
        with pytest.raises(InvalidInput):
            shared.share("a.txt", "x", hours=hours)
    monkeypatch.setattr(limits, "SHARE_LINKS_MAX", 1)
    shared.share("a.txt", "y")
    with pytest.raises(InvalidInput, match="has 1 links"):
        shared.share("a.txt", "z")


def test_each_end_is_recorded_and_old_ones_are_forgotten() -> None:
    shared = Shared("a.txt")
    shared.share("a.txt", "one")
    shared.share("a.txt", "two")
    roles.remove_member(collection_id=shared.cast.collection.id, person_id=shared.cast.member.pk)
    entries = list_entries(Conditions(shared.cast.collection.id), limit=10)
    assert [entry.verb for entry in entries].count(Verb.LINK_REVOKED) == 2
    assert "-secret" not in str(entries)
    links.forget_old()
    assert ShareLink.objects.filter(drive_id=shared.drive_id).count() == 2
    ShareLink.objects.filter(drive_id=shared.drive_id).update(revoked_at="2001-01-01T00:00:00Z")
    links.forget_old()
    assert not ShareLink.objects.filter(drive_id=shared.drive_id).exists()
