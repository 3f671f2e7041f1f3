"""Bases and Drives as wholes, from the menus of their rows and pages."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from storage.base import items
from storage.drive import drives
from storage.models import Base, Drive, Duplication, Membership, Role
from storage.postgres.caller import Access
from tests.browser.base.page import make_base
from tests.browser.conftest import Pages
from tests.factories import make_client
from tests.people import Cast, make_cast
from tests.serving import Server
from tests.storage.rows import fill_drive

# Whether a panel that is as wide as the window stands above an element.
COVERED = """element => {
  const panel = document.createElement("aside");
  panel.className = "panel";
  panel.style.width = "100vw";
  document.querySelector("main").prepend(panel);
  const { left, top } = element.getBoundingClientRect();
  const isAbove = document.elementFromPoint(left + 9, top + 9) === panel;
  panel.remove();
  return isAbove;
}"""


def choose(page: Page, name: str, act: str) -> None:
    page.get_by_role("button", name=f"What to do with {name}", exact=True).click()
    page.get_by_role("link", name=act).click()
    page.get_by_role("dialog").get_by_role("heading").wait_for()


def test_a_base_from_its_row(cast: Cast, pages: Pages, server: Server) -> None:
    make_base(cast, {"key": "a", "n": 1}, {"key": "b"}, name="notes")
    client = make_client(server, "notes", collection_id=cast.collection.id, base_names=["notes"])
    page = pages(cast.member, f"/collections/{cast.collection.id}/base/")
    dialog = page.get_by_role("dialog")

    choose(page, "notes", "Rename")
    expect(dialog).to_contain_text("The API answers at the new name")
    dialog.get_by_label("New name").fill("my notes")
    dialog.get_by_role("button", name="Rename").click()
    expect(dialog.get_by_label("New name")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("New name").fill("letters")
    dialog.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("link", name="letters", exact=True)).to_be_visible()
    # A key that may use this Base alone has followed it, and may not ask for the old name.
    moved = replace(client, name="letters")
    assert (moved.all_keys(), client.get("a").status_code) == (["a", "b"], 403)

    choose(page, "letters", "Duplicate")
    dialog.get_by_role("button", name="Duplicate").click()
    page.wait_for_url(re.compile("/base/letters-copy/$"))
    expect(page.locator("#grid-body [data-id]")).to_have_count(2)

    page.goto(f"/collections/{cast.collection.id}/base/")
    choose(page, "letters", "Empty")
    expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Empty").click()
    strip = page.get_by_role("group", name="Base letters")
    expect(strip).to_contain_text("was emptied")
    assert moved.all_keys() == []
    strip.get_by_role("button", name="Bring back letters").click()
    page.get_by_text("Base “letters” is back.").wait_for()
    assert moved.all_keys() == ["a", "b"]

    choose(page, "letters", "Delete")
    dialog.get_by_label("Name").fill("letter")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Name").fill("letters")
    dialog.get_by_role("button", name="Delete").click()
    expect(strip).to_contain_text("was deleted")
    items.put_items(access=Access(cast.collection.id), base="letters", items=[{"key": "new"}])
    strip.get_by_role("button", name="Bring back letters").click()
    expect(page.get_by_role("link", name="letters-2", exact=True)).to_be_visible()


@pytest.mark.slow
def test_from_the_pages_of_a_base_and_a_drive_and_for_a_reader(cast: Cast, pages: Pages) -> None:
    make_base(cast, {"key": "a"}, name="notes")
    other = make_cast("The other one").collection
    Membership.objects.create(collection=other, person=cast.member, role=Role.MEMBER)
    page = pages(cast.member, f"/collections/{cast.collection.id}/base/notes/")
    page.locator("#grid-body [data-id]").first.wait_for()
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("link", name="Move to another collection").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("To the collection").select_option("The other one")
    dialog.get_by_role("button", name="Move").click()
    page.wait_for_url(f"**/collections/{other.id}/base/notes/")
    assert [
        each.collection_id for each in Base.objects.filter(name="notes", collection__in=[other, cast.collection])
    ] == [other.id]

    drive = f"/collections/{cast.collection.id}/drive/photos/"
    drives.ensure_drive(collection_id=cast.collection.id, name="photos")
    fill_drive(cast.collection.id, "photos", ["2024/a.txt"])
    page.goto(drive)
    page.get_by_role("button", name="What to do with the Drive photos").click()
    page.get_by_role("link", name="Rename").click()
    dialog.get_by_label("New name").fill("pictures")
    dialog.get_by_role("button", name="Rename").click()
    page.wait_for_url(re.compile("/drive/pictures/$"))
    expect(page.get_by_role("link", name="2024")).to_be_visible()

    page.get_by_role("button", name="What to do with the Drive pictures").click()
    page.get_by_role("link", name="Duplicate").click()
    expect(dialog).to_contain_text("Share links are not copied.")
    dialog.get_by_label("New name").fill("pictures")
    dialog.get_by_role("button", name="Duplicate").click()
    expect(dialog).to_contain_text("There is a Drive called “pictures” already")
    dialog.get_by_label("New name").fill("again")
    dialog.get_by_role("button", name="Duplicate").click()
    page.wait_for_url(re.compile("/drive/again/$"))
    expect(page.get_by_role("link", name="2024")).to_be_visible()

    follow_a_copy(page, cast)

    page = pages(cast.reader, f"/collections/{cast.collection.id}/drive/")
    page.get_by_role("button", name="What to do with pictures").click()
    expect(page.get_by_role("link", name="Open")).to_be_focused()
    expect(page.get_by_role("link", name=re.compile("Rename|Empty|Delete|Move"))).to_have_count(0)


def follow_a_copy(page: Page, cast: Cast) -> None:
    """How far a copy is that takes longer, and what came of it, without a reload."""
    source, target = (Drive.objects.get(collection=cast.collection, name=name) for name in ("pictures", "again"))
    copy = Duplication.objects.create(
        collection=cast.collection,
        source_id=source.pk,
        target_id=target.pk,
        source_name="pictures",
        state=Duplication.State.RUNNING,
        heartbeat_at=timezone.now() + timedelta(hours=1),
        expected=1_200,
        expected_bytes=3_000_000,
    )
    page.goto(f"/collections/{cast.collection.id}/drive/pictures/")
    strip = page.locator("#duplication")
    expect(strip).to_contain_text("This Drive is being copied to again: 0 of 1,200 files, 0 B of 3.0 MB.")
    strip.get_by_role("link", name="again").click()
    expect(strip).to_contain_text("pictures is being copied here: 0 of 1,200 files")
    fill_drive(cast.collection.id, "again", ["came.txt"])
    now = Duplication.objects.filter(pk=copy.pk)
    now.update(copied=1, copied_bytes=1_000_000)
    expect(strip).to_contain_text("1 of 1,200 files, 1.0 MB of 3.0 MB")
    expect(strip.get_by_role("progressbar")).to_have_attribute("value", "1000000")
    expect(page.get_by_role("link", name="came.txt", exact=True)).to_be_visible()
    problems = ["a.txt: it was deleted or renamed meanwhile"]
    now.update(state="failed", finished_at=timezone.now(), reason="It is full.", left_out=1, problems=problems)
    expect(strip).to_contain_text("Copying pictures stopped: It is full. 1 of 1,200 files is here.")
    expect(strip).to_contain_text("Left out: 1 (a.txt: it was deleted or renamed meanwhile).")
    page.reload()
    strip.get_by_role("button", name="Dismiss").click()
    expect(strip).to_have_count(0)
    page.reload()
    expect(page.get_by_role("link", name="came.txt", exact=True)).to_be_visible()
    expect(strip).to_have_count(0)


def test_on_a_wide_screen_all_stand_beside_the_pages(cast: Cast, pages: Pages) -> None:
    for name in ("notes", "guests"):
        make_base(cast, {"key": "a"}, name=name)
    drives.ensure_drive(collection_id=cast.collection.id, name="photos")
    page = pages(cast.reader, f"/collections/{cast.collection.id}/base/notes/", width=1700)
    side = page.get_by_role("complementary", name="Bases and Drives")
    expect(side.get_by_role("listitem")).to_have_text(["guests", "notes", "photos"])
    expect(side.get_by_role("link", name="notes")).to_have_attribute("aria-current", "page")
    find = side.get_by_role("searchbox", name="Find a Base or Drive")
    assert find.evaluate(COVERED), "a panel that slides over the page is above the search"
    find.fill("PHO")
    expect(side.get_by_role("listitem")).to_have_text(["photos"])
    find.press("ArrowDown")
    expect(side.get_by_role("link", name="photos")).to_be_focused()
    find.press("Enter")
    page.wait_for_url(re.compile("/drive/photos/$"))
    expect(side.get_by_role("link", name="photos")).to_have_attribute("aria-current", "page")
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(side).to_be_hidden()
