"""axe finds nothing on any page, in light and dark, wide and narrow; and no page is wider than its window.

axe tries styles of its own, which the policy of the pages would refuse: it is off for these tests.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from storage import events, keys, recording
from storage import people as storage_people
from storage.models import Base, Collection, Role
from tests.browser.conftest import Pages
from tests.people import Cast, make_cast
from tests.visor import body, make_event

PAGES = {
    "collections": "/",
    "no-match": "/?q=nothing-is-called-that",
    "new-collection": "/collections/new/",
    "bases": "/collections/{id}/base/",
    "new-base": "/collections/{id}/base/new/",
    "drives-empty": "/collections/{id}/drive/",
    "keys": "/collections/{id}/keys/",
    "new-key": "/collections/{id}/keys/new/",
    "revoke": "/collections/{id}/keys/{key}/revoke/",
    "connect-javascript": "/collections/{id}/connect/",
    "connect-python": "/collections/{id}/connect/?client=python",
    "connect-go": "/collections/{id}/connect/?client=go",
    "connect-curl": "/collections/{id}/connect/?client=curl",
    "visor-empty": "/collections/{empty}/visor/",
    "visor": "/collections/{id}/visor/",
    "visor-more-filters": "/collections/{id}/visor/?slower=0001&span=14d",
    "visor-no-match": "/collections/{id}/visor/?path=nowhere",
    "visor-event": "/collections/{id}/visor/{event}/",
    "visor-request": "/collections/{id}/visor/{event}/?tab=request",
    "visor-logs": "/collections/{id}/visor/{event}/?tab=log",
    "visor-code": "/collections/{id}/visor/{event}/?tab=code",
    "visor-difference": "/collections/{id}/visor/{replay}/?tab=difference",
    "visor-client": "/collections/{id}/visor/client/",
    "visor-client-sent": "/collections/{id}/visor/client/?sent={replay}",
    "settings": "/collections/{id}/settings/",
    "delete": "/collections/{id}/settings/delete/",
    "invite": "/collections/{id}/settings/people/invite/",
    "people": "/people/",
    "account": "/account/",
    "jump": "/jump/?q=a",
    "not-there": "/nothing/",
}


@pytest.fixture
def full(cast: Cast) -> Cast:
    """The collection with something in every list."""
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


def keep_events(collection_id: str) -> tuple[str, str]:
    """A recorded request with something on every tab, and one that sent it again."""
    recording.start_recording(collection_id)
    made = make_event(
        collection_id,
        method="PUT",
        path="notes/items",
        status=207,
        request=body('{"items": [{"key": "a"}]}'),
        response=body('{"processed":{"items":[{"key":"a"}]}}'),
        request_headers=(("X-API-Key", "[redacted]"), ("A-Rather-Long-Header-Name-That-Goes-On", "x" * 200)),
        log=(("WARNING", "storage", "something happened"), ("ERROR", "storage", "y" * 300)),
        is_redacted=True,
    )
    again = make_event(
        collection_id, origin="replay", replay_of=made.line.id, status=503, response=body("{}"), sent_by="Ada"
    )
    for event in (made, again, *(make_event(collection_id, status=status) for status in (200, 304, 404, 500))):
        events.keep_event(event)
    return made.line.id, again.line.id


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
    event, replay = keep_events(full.collection.id)
    known = {"id": full.collection.id, "key": key, "event": event, "replay": replay, "empty": make_cast().collection.id}
    faults = {}
    for name, path in PAGES.items():
        page.goto(path.format(**known))
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
