"""axe finds nothing on any page, in light and dark, wide and narrow; and no page is wider than its window.

axe tries styles of its own, which the policy of the pages would refuse: it is off for these tests.
"""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from storage import keys
from storage import people as storage_people
from storage.models import Base, Collection, Export, Import, ImportProblem, Role, SnapshotSchedule
from tests.browser.conftest import Pages
from tests.people import Cast

IMPORT_STATES = ("uploading", "checking", "checked", "running", "done", "failed")
PAGES = {
    "collections": "/",
    "no-match": "/?q=nothing-is-called-that",
    "new-collection": "/collections/new/",
    "bases": "/collections/{id}/base/",
    "new-base": "/collections/{id}/base/new/",
    "drives-empty": "/collections/{id}/drive/",
    "exports": "/collections/{id}/exports/",
    "delete-export": "/collections/{id}/exports/{export}/delete/",
    "imports": "/collections/{id}/imports/",
    "new-import": "/collections/{id}/imports/new/",
    **{f"import-{state}": f"/collections/{{id}}/imports/{{{state}}}/" for state in IMPORT_STATES},
    "delete-import": "/collections/{id}/imports/{done}/delete/",
    "snapshots": "/collections/{id}/snapshots/",
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
def full(cast: Cast) -> Cast:
    """The collection with something in every list."""
    Base.objects.create(collection=cast.collection, name="notes")
    make_archives(cast)
    keys.create_key(collection_id=cast.collection.id, name="app with a rather long name, to see what happens")
    old = keys.create_key(
        collection_id=cast.collection.id, name="old", can_write=False, base_names=["notes"], drive_names=[]
    )
    keys.revoke_key(collection_id=cast.collection.id, key_id=old.data_key.id)
    storage_people.invite_person(
        collection_id=cast.collection.id, role=Role.READER, note="Linus", invited_by=cast.owner
    )
    return cast


def make_archives(cast: Cast) -> None:
    """An export and an import in every state. Those that look as if they moved are let be by the server's worker."""
    later = timezone.now() + timedelta(hours=1)
    for state in Export.State.values:
        is_moving = state in ("queued", "running")
        Export.objects.create(
            collection=cast.collection, state="running" if is_moving else state, heartbeat_at=later, reason="It failed"
        )
    portions = [
        {
            "kind": "base",
            "name": "notes",
            "entry": "bases/notes.json",
            "count": 5,
            "faults": 2,
            "broken": "byte 7: cut",
        },
        {"kind": "drive", "name": "not legal", "entry": "drives/not legal/", "count": 5},
    ]
    report = [
        {"kind": "base", "name": "notes", "into": "mine", "do": "merge", "read": 3, "new": 2, "skipped": {"Bad": 1}}
    ]
    for state in IMPORT_STATES:
        made = Import.objects.create(
            collection=cast.collection,
            state=state,
            file_name=f"{state}.zip",
            size_expected=1000,
            heartbeat_at=later,
            plan={"made_by": "zip", "portions": portions},
            report={"portions": report} if state == "done" else {},
            problems_total=1,
        )
        ImportProblem.objects.create(found_in=made, place="bases/notes.json", spot="byte 7", key="k", what="It is bad")
    SnapshotSchedule.objects.create(collection=cast.collection, every="day", keep=7, next_at=later)


def ids_of(cast: Cast) -> dict[str, object]:
    """What the addresses of the pages are made of."""
    imports = {each.state: each.id for each in Import.objects.filter(collection=cast.collection)}
    export = Export.objects.filter(collection=cast.collection, state="done").first()
    key = keys.list_keys(cast.collection.id)[0].id
    return {"id": cast.collection.id, "key": key, "export": export.id if export else "", **imports}


def faults_of(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    faults = [f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in found]
    return faults + ([f"{wide} pixels too wide"] if wide > 0 else [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page(full: Cast, pages: Pages, scheme: str, width: int) -> None:
    ids = ids_of(full)
    page = pages(full.server_owner, width=width, scheme=scheme, bypass_csp=True)
    faults = {}
    for name, path in PAGES.items():
        page.goto(path.format(**ids))
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
