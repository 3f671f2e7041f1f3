"""axe finds nothing on any page, in light and dark, wide and narrow; and no page is wider than its window.

axe tries styles of its own, which the policy of the pages would refuse: it is off for these tests.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from storage import keys
from storage import people as storage_people
from storage.models import Base, Collection, Drive, Role
from tests.browser.conftest import Pages
from tests.drives import make_drive
from tests.people import Cast
from tests.serving import Server

PAGES = {
    "collections": "/",
    "no-match": "/?q=nothing-is-called-that",
    "new-collection": "/collections/new/",
    "bases": "/collections/{id}/base/",
    "new-base": "/collections/{id}/base/new/",
    "drives": "/collections/{id}/drive/",
    "new-drive": "/collections/{id}/new-drive/",
    "drive": "/collections/{id}/drive/photos/",
    "drive-folder": "/collections/{id}/drive/photos/?folder=2024/&sort=-size",
    "drive-search": "/collections/{id}/drive/photos/?q=text",
    "drive-no-match": "/collections/{id}/drive/photos/?q=nothing-is-called-that",
    "drive-preview": "/collections/{id}/drive/photos/?file=text.txt",
    "drive-empty": "/collections/{id}/drive/empty/",
    "keys": "/collections/{id}/keys/",
    "new-key": "/collections/{id}/keys/new/",
    "revoke": "/collections/{id}/keys/{key}/revoke/",
    "connect-javascript": "/collections/{id}/connect/",
    "connect-python": "/collections/{id}/connect/?client=python",
    "connect-go": "/collections/{id}/connect/?client=go",
    "connect-curl": "/collections/{id}/connect/?client=curl",
    "settings": "/collections/{id}/settings/",
    "delete": "/collections/{id}/settings/delete/",
    "invite": "/collections/{id}/settings/people/invite/",
    "people": "/people/",
    "account": "/account/",
    "jump": "/jump/?q=a",
    "not-there": "/nothing/",
}


@pytest.fixture
def full(server: Server, cast: Cast) -> Cast:
    """The collection with something in every list."""
    Drive.objects.create(collection=cast.collection, name="empty")
    files = make_drive(server, "photos", collection_id=cast.collection.id)
    for name in ("text.txt", "2024/one.txt", "2024/deep/two.bin", "a long name " * 20):
        assert files.put(name, b"text").status_code == 201
    Base.objects.create(collection=cast.collection, name="notes")
    keys.create_key(collection_id=cast.collection.id, name="app with a rather long name, to see what happens")
    old = keys.create_key(
        collection_id=cast.collection.id, name="old", can_write=False, base_names=["notes"], drive_names=[]
    )
    keys.revoke_key(collection_id=cast.collection.id, key_id=old.data_key.id)
    storage_people.invite_person(
        collection_id=cast.collection.id, role=Role.READER, note="Linus", invited_by=cast.owner
    )
    return cast


def faults_of(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    faults = [f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in found]
    return faults + ([f"{wide} pixels too wide"] if wide > 0 else [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page(full: Cast, pages: Pages, scheme: str, width: int) -> None:
    key = keys.list_keys(full.collection.id)[0].id
    page = pages(full.server_owner, width=width, scheme=scheme, bypass_csp=True)
    faults = {}
    for name, path in PAGES.items():
        page.goto(path.format(id=full.collection.id, key=key))
        if found := faults_of(page):
            faults[name] = found
    assert faults == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_before_signing_in_and_of_other_roles(full: Cast, pages: Pages, scheme: str) -> None:
    for person, path in (
        (None, "/sign-in/"),
        (None, "/join/x/"),
        (full.outsider, "/"),
        (full.reader, f"/collections/{full.collection.id}/base/"),
        (full.reader, f"/collections/{full.collection.id}/settings/"),
    ):
        assert faults_of(pages(person, path, scheme=scheme, bypass_csp=True)) == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dialogs_menu_and_palette(full: Cast, pages: Pages, scheme: str) -> None:
    page = pages(full.server_owner, f"/collections/{full.collection.id}/keys/", scheme=scheme, bypass_csp=True)
    page.get_by_role("link", name="New data key").click()
    page.get_by_role("dialog").get_by_text("Only these:").click()
    assert faults_of(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name=full.server_owner.username).click()
    assert faults_of(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_role("option").first.wait_for()
    assert faults_of(page) == []


def test_widest_window_keeps_lines_readable(full: Cast, pages: Pages) -> None:
    page = pages(full.server_owner, "/", width=2560)
    assert page.locator("#content").bounding_box()["width"] < 1400
    assert Collection.objects.filter(id=full.collection.id).exists()
