"""The doors into a new collection: each makes what it leads to, and leads there."""

import pytest

from storage.models import Base, Collection, Drive
from tests.console.conftest import Browser
from tests.people import Cast

DOORS = [
    ("data", "base/data/#add-item", ["data"], []),
    ("files", "drive/files/", [], ["files"]),
    ("connect", "connect/", [], []),
    ("import", "imports/new/", [], []),
    ("", "start/", [], []),
    ("cellar", "start/", [], []),
]


@pytest.mark.parametrize("door, leads_to, bases, drives", DOORS)
def test_collection_is_made_through_a_door(
    people: Cast, browser: Browser, door: str, leads_to: str, bases: list[str], drives: list[str]
) -> None:
    answer = browser(people.server_owner).post("/collections/new/", {"name": "Through a door", "door": door})
    made = Collection.objects.get(name="Through a door")
    assert answer["Location"] == f"/collections/{made.id}/{leads_to}"
    assert [base.name for base in Base.objects.filter(collection=made)] == bases
    assert [drive.name for drive in Drive.objects.filter(collection=made)] == drives


@pytest.mark.parametrize("door, leads_to", [(door, leads_to) for door, leads_to, *_ in DOORS])
def test_door_of_a_collection_that_is_there(people: Cast, browser: Browser, door: str, leads_to: str) -> None:
    at = f"/collections/{people.collection.id}/"
    member = browser(people.member)
    for _ in range(2):
        assert member.post(f"{at}start/", {"door": door})["Location"] == at + leads_to
    assert member.get(at + leads_to).status_code == 200


def test_doors_are_for_those_who_write(people: Cast, browser: Browser) -> None:
    at = f"/collections/{people.collection.id}/start/"
    for door in ("Enter data", "Upload files", "Connect an app"):
        assert door in browser(people.member).get(at).content.decode()
    assert browser(people.reader).post(at, {"door": "data"}).status_code == 403
    assert not Base.objects.filter(collection=people.collection).exists()


def test_new_base_leads_into_it(people: Cast, browser: Browser) -> None:
    at = f"/collections/{people.collection.id}/"
    assert browser(people.member).post(f"{at}new-base/", {"name": "notes"})["Location"] == f"{at}base/notes/"


def test_import_from_the_list_leads_on_to_the_file(people: Cast, browser: Browser) -> None:
    owner = browser(people.server_owner)
    dialog = owner.get("/collections/new/?door=import").content.decode()
    assert "Import into a new collection" in dialog
    assert '<input type="hidden" name="door" value="import">' in dialog
    assert "<script>" not in owner.get("/collections/new/?door=<script>").content.decode()
