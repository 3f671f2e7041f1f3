"""The command palette's answers."""

import pytest

from storage.collections import collections
from storage.models import Base, Drive
from tests.console.conftest import Browser
from tests.people import Cast


@pytest.fixture
def known(people: Cast) -> Cast:
    collections.rename_collection(collection_id=people.collection.id, name="Webshop")
    Base.objects.create(collection=people.collection, name="orders")
    Drive.objects.create(collection=people.collection, name="photos")
    return people


@pytest.mark.parametrize(
    "text, first",
    [
        ("webs", "Webshop"),
        ("ORD", "orders"),
        ("shop orders", "orders"),
        ("phot", "photos"),
        ("acc", "Account"),
        ("drive", "photos"),
    ],
)
def test_finds_what_is_typed(known: Cast, browser: Browser, text: str, first: str) -> None:
    found = browser(known.reader).get("/jump/", {"q": text}).context["found"]
    assert found[0].name == first


@pytest.mark.parametrize("text", ["", "web", "orders", "photos", "%", "'", "\\", "x" * 5000])
def test_outsiders_find_nothing_of_it(known: Cast, browser: Browser, text: str) -> None:
    found = browser(known.outsider).get("/jump/", {"q": text}).context["found"]
    assert {jump.where for jump in found} <= {"Page"}


def test_people_page_is_found_by_server_owners_alone(known: Cast, browser: Browser) -> None:
    assert not browser(known.owner).get("/jump/", {"q": "people"}).context["found"]
    assert browser(known.server_owner).get("/jump/", {"q": "people"}).context["found"]


def test_it_is_a_page_too(known: Cast, browser: Browser) -> None:
    assert "<html" in browser(known.reader).get("/jump/").content.decode()
    assert "<html" not in browser(known.reader).get("/jump/", HTTP_HX_REQUEST="true").content.decode()


@pytest.mark.parametrize(
    "text, name, people_who",
    [
        ("visor", "Visor", "owner member reader"),
        ("http", "HTTP client", "owner member reader"),
        ("client web", "HTTP client", "owner member reader"),
        ("connect", "Connect", "owner member reader"),
        ("keys", "Data keys", "owner member"),
        ("exports", "Exports", "owner member"),
        ("impo", "Imports", "owner member"),
        ("snap web", "Snapshots", "owner member"),
        ("settings", "Settings", "owner"),
    ],
)
def test_pages_of_a_collection_are_found_by_those_who_may_open_them(
    known: Cast, browser: Browser, text: str, name: str, people_who: str
) -> None:
    for person in ("owner", "member", "reader", "outsider"):
        client = browser(getattr(known, person))
        found = client.get("/jump/", {"q": text}).context["found"]
        expected = [(name, "Page of Webshop")] if person in people_who.split() else []
        assert [(jump.name, jump.where) for jump in found] == expected, person
        assert all(client.get(jump.url).status_code == 200 for jump in found)


def test_letters_that_many_pages_share_find_none(known: Cast, browser: Browser) -> None:
    found = browser(known.owner).get("/jump/", {"q": "ke"}).context["found"]
    assert found == []
