"""Collections: made, found, renamed, shown with what they hold."""

import pytest
from django.db import connection

from storage.base import items
from storage.collections import collections, usage
from storage.models import BaseFigures, Collection, Membership, Role
from storage.postgres.caller import Access
from tests.console.conftest import Browser
from tests.people import Cast

HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}"


def test_server_owner_makes_a_collection(people: Cast, browser: Browser) -> None:
    answer = browser(people.server_owner).post("/collections/new/", {"name": "  Fresh  "})
    made = Collection.objects.get(name="Fresh")
    assert answer["Location"] == f"/collections/{made.id}/start/"


@pytest.mark.parametrize("name", ["", "   ", "x" * 129, "a\u202eb", "a\nb"])
def test_unfit_name_is_refused(people: Cast, browser: Browser, name: str) -> None:
    before = Collection.objects.count()
    assert browser(people.server_owner).post("/collections/new/", {"name": name}).status_code == 422
    assert Collection.objects.count() == before
    path = f"/collections/{people.collection.id}/settings/"
    assert browser(people.owner).post(path, {"name": name}).status_code == 422


def test_rename_keeps_id_and_keys(people: Cast, browser: Browser) -> None:
    browser(people.owner).post(f"/collections/{people.collection.id}/settings/", {"name": "Renamed"})
    people.collection.refresh_from_db()
    assert people.collection.name == "Renamed"


@pytest.mark.parametrize(
    "page", ["/", "/collections/{}/base/", "/collections/{}/settings/", "/collections/{}/settings/delete/"]
)
def test_hostile_name_is_text(people: Cast, browser: Browser, page: str) -> None:
    collections.rename_collection(collection_id=people.collection.id, name=HOSTILE)
    text = browser(people.owner).get(page.format(people.collection.id)).content.decode()
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_list_shows_ones_own_and_finds_by_name(people: Cast, browser: Browser) -> None:
    collections.create_collection("Somebody else's")
    mine = collections.create_collection("100% mine_too")
    Membership.objects.create(collection=mine, person=people.reader, role=Role.READER)
    reader = browser(people.reader)
    everything = reader.get("/").content.decode()
    assert "Made by a test" in everything
    assert "100% mine_too" in everything
    assert "Somebody else" not in everything
    for search, finds in (("MINE", True), ("%", True), ("_", True), ("made", False), ("'", False)):
        assert ("100% mine_too" in reader.get("/", {"q": search}).content.decode()) is finds


@pytest.mark.parametrize("page", ["2", "0", "-1", "x", "99999", "1" * 40, "²"])
def test_any_page_number_is_answered(people: Cast, browser: Browser, page: str) -> None:
    assert browser(people.reader).get("/", {"page": page}).status_code == 200


def test_part_and_page_come_from_one_address(people: Cast, browser: Browser) -> None:
    part = browser(people.owner).get("/", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="cards").content.decode()
    page = browser(people.owner).get("/").content.decode()
    assert "<html" not in part
    assert '<div id="cards"' in part
    assert '<div id="cards"' in page


def test_figures_say_what_was_counted(people: Cast, browser: Browser) -> None:
    access = Access(people.collection.id)
    items.put_items(access=access, base="notes", items=[{"key": str(number)} for number in range(20)])
    items.put_items(access=access, base="old", items=[{"key": "gone", "__expires": 1}])
    run_count()
    counted = dict(BaseFigures.objects.filter(base__collection=people.collection).values_list("base__name", "items"))
    assert counted == {"notes": 20, "old": 0}
    assert "2 Bases · 20 items" in browser(people.owner).get("/").content.decode()
    page = browser(people.owner).get(f"/collections/{people.collection.id}/base/").content.decode()
    assert "notes" in page


def test_count_rests_between_passes(undone: None) -> None:
    run_count()
    assert usage.count_everything() is False


def test_new_base_is_made_by_members(people: Cast, browser: Browser) -> None:
    path = f"/collections/{people.collection.id}/new-base/"
    assert browser(people.member).post(path, {"name": "notes"}).status_code == 302
    assert browser(people.member).post(path, {"name": "../notes"}).status_code == 422
    assert browser(people.reader).post(path, {"name": "more"}).status_code == 403
    assert [base.name for base in usage.list_bases(people.collection.id)] == ["notes"]


def run_count() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM storage_count")
    assert usage.count_everything() is True
