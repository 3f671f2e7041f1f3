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


def test_what_begins_so_comes_before_a_page_that_only_holds_it(known: Cast, browser: Browser) -> None:
    Base.objects.create(collection=known.collection, name="plants")
    found = browser(known.server_owner).get("/jump/", {"q": "pl"}).context["found"]
    # The server's owner finds what is everybody's, and so what other tests made.
    names = [jump.name for jump in found if jump.name in ("plants", "People")]
    assert names == ["plants", "People"]


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


@pytest.mark.parametrize(
    "text, name, how, people_who",
    [
        ("new base web", "New Base", "dialog", "owner member"),
        ("new b", "New Base", "dialog", "owner member"),
        ("web new da k", "New data key", "dialog", "owner"),
        ("drive new", "New Drive", "dialog", "owner member"),
        ("new data key", "New data key", "dialog", "owner"),
        ("export now", "Export now", "post", "owner member"),
    ],
)
def test_acts_are_found_by_those_who_may_do_them(
    known: Cast, browser: Browser, text: str, name: str, how: str, people_who: str
) -> None:
    for person in ("owner", "member", "reader", "outsider"):
        found = browser(getattr(known, person)).get("/jump/", {"q": text}).context["found"]
        shown = [(jump.name, jump.where, jump.how) for jump in found if jump.name == name]
        assert shown == ([(name, "In Webshop", how)] if person in people_who.split() else []), person


def test_acts_of_the_collection_that_is_open_come_first(known: Cast, browser: Browser) -> None:
    at = f"http://testserver/collections/{known.collection.id}/base/orders/?q=x"

    def first(person: str, url: str) -> list[str]:
        headers = {"HX-Request": "true", "HX-Current-URL": url}
        found = browser(getattr(known, person)).get("/jump/", headers=headers).context["found"]
        return [jump.name for jump in found if jump.how != "go"]

    assert first("owner", at) == ["New Base", "New Drive", "New data key", "Export now"]
    assert first("reader", at) == []
    assert first("outsider", at) == []
    for elsewhere in ("http://testserver/", "http://elsewhere/x", "http://testserver/no/such/page", "%", ""):
        assert first("owner", elsewhere) == []


@pytest.mark.parametrize(
    "text, names",
    [
        ("dark", ["Dark theme"]),
        ("light theme", ["Light theme"]),
        ("theme", ["Light theme", "Dark theme", "Theme of the system"]),
        ("the", ["Light theme", "Dark theme", "Theme of the system"]),
        ("th", []),
    ],
)
def test_themes_are_found_where_a_script_can_choose_them(
    known: Cast, browser: Browser, text: str, names: list[str]
) -> None:
    client = browser(known.outsider)
    shown = [jump.name for jump in client.get("/jump/", {"q": text}, HTTP_HX_REQUEST="true").context["found"]]
    assert shown == names
    assert client.get("/jump/", {"q": text}).context["found"] == []


@pytest.mark.parametrize("cookie, told", [("dark", "dark"), ("light", "light"), ("", ""), ('"><b>', ""), ("blue", "")])
def test_page_comes_in_the_theme_of_the_browser(known: Cast, browser: Browser, cookie: str, told: str) -> None:
    client = browser(known.reader)
    client.cookies["theme"] = cookie
    page = client.get("/account/").content.decode()
    assert (f'<html lang="en" data-theme="{told}">' in page) if told else ("data-theme=" not in page)
    assert f'<meta name="color-scheme" content="{told or "light dark"}">' in page


def test_letters_that_many_pages_share_find_none(known: Cast, browser: Browser) -> None:
    found = browser(known.owner).get("/jump/", {"q": "ke"}).context["found"]
    assert found == []
