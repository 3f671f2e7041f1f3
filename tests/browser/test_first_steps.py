"""From the collections to the first item and the first file, in as few steps as they take; and what helps on the way."""

import re

import pytest
from playwright.sync_api import FilePayload, expect

from storage.models import Base, Collection, Drive, Export, File
from tests.browser.conftest import Pages, box_of, eventually_on
from tests.matching import search
from tests.people import Cast


def test_new_collection_leads_to_a_first_file(cast: Cast, pages: Pages) -> None:
    page = pages(cast.server_owner)
    page.get_by_role("link", name="New collection").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Photos of a test")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/start/")

    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload files").click()
    chooser.value.set_files([FilePayload(name="a b.txt", mimeType="text/plain", buffer=b"hello")])

    expect(page.get_by_role("row", name=re.compile("a b.txt"))).to_be_visible()
    assert page.url.endswith("/drive/files/")
    collection_id = search(r"collections/(\w+)/", page.url).group(1)
    drive_id = Drive.objects.get(collection_id=collection_id, name="files").pk
    assert [file.name for file in File.objects.filter(drive_id=drive_id)] == ["a b.txt"]
    # The page is a Drive's now, as one that was loaded is.
    page.get_by_role("button", name="New folder").click()
    page.keyboard.type("inside")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=re.compile("inside"))).to_be_visible()
    page.reload()
    expect(page.get_by_role("row", name=re.compile("a b.txt"))).to_be_visible()


def test_doors_to_data_and_to_an_app(cast: Cast, pages: Pages) -> None:
    page = pages(cast.member, f"/collections/{cast.collection.id}/start/")
    page.get_by_role("button", name="Connect an app").click()
    page.wait_for_url("**/connect/")
    page.go_back()
    page.get_by_role("button", name="Enter data").click()
    page.wait_for_url("**/base/data/")
    # A new item is begun, which nothing is lost of.
    expect(page.get_by_role("dialog", name="New item")).to_be_visible()
    page.keyboard.type("first")
    expect(page.locator(":focus")).to_have_value("first")


def test_switcher_finds_and_makes(cast: Cast, pages: Pages) -> None:
    for name in ("apples", "pears", "plums"):
        Base.objects.create(collection=cast.collection, name=name)
    Drive.objects.create(collection=cast.collection, name="photos")
    page = pages(cast.member, f"/collections/{cast.collection.id}/base/apples/")
    page.get_by_role("button", name="apples").click()
    expect(page.get_by_role("searchbox", name="Find a Base")).to_be_focused()
    page.keyboard.type("EAR")
    expect(page.locator("#switch-list a:visible")).to_have_text(["pears"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/base/pears/")

    page.goto(f"/collections/{cast.collection.id}/drive/photos/")
    page.get_by_role("button", name="photos", exact=True).click()
    expect(page.get_by_role("searchbox", name="Find a Drive")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="photos", exact=True).and_(page.locator(":focus"))).to_be_visible()
    page.get_by_role("link", name="New Drive").click()
    page.get_by_role("dialog").get_by_label("Name").fill("letters")
    page.keyboard.press("Enter")
    page.wait_for_url("**/drive/letters/")


def test_palette_does_things(cast: Cast, pages: Pages) -> None:
    page = pages(cast.owner, f"/collections/{cast.collection.id}/keys/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_contain_text("New Base")
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="New Base").get_by_label("Name").fill("by-palette")
    page.keyboard.press("Enter")
    page.wait_for_url("**/base/by-palette/")

    page.keyboard.press("Control+k")
    page.keyboard.type("dark")
    expect(page.get_by_role("option")).to_have_text([re.compile("Dark theme")])
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    page.keyboard.press("Control+k")
    page.keyboard.type("export now")
    expect(page.get_by_role("option").first).to_contain_text("Export now")
    page.keyboard.press("Enter")
    page.wait_for_url("**/exports/")
    assert eventually_on(page, lambda: Export.objects.filter(collection=cast.collection).exists())


def test_theme_stays_until_it_is_the_systems_again(cast: Cast, pages: Pages) -> None:
    page = pages(cast.reader, "/account/", color_scheme="dark")
    surface = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(surface)
    menu = page.get_by_role("button", name=cast.reader.username)
    menu.click()
    page.get_by_role("radio", name="Light").check()
    light = page.evaluate(surface)
    assert light != dark
    page.goto("/")
    assert page.evaluate(surface) == light
    page.get_by_role("button", name=cast.reader.username).click()
    expect(page.get_by_role("radio", name="Light")).to_be_checked()
    page.get_by_role("radio", name="System").check()
    assert page.evaluate(surface) == dark
    page.reload()
    assert page.evaluate(surface) == dark
    page.emulate_media(color_scheme="light")
    assert page.evaluate(surface) == light


@pytest.mark.slow
def test_head_of_a_collection_stays_where_it_is(cast: Cast, pages: Pages) -> None:
    Base.objects.create(collection=cast.collection, name="apples")
    Drive.objects.create(collection=cast.collection, name="photos")
    page = pages(cast.owner)
    places = ("base/", "base/apples/", "drive/", "drive/photos/", "micros/", "visor/", "keys/", "connect/", "settings/")
    for width in (390, 1280, 2560):
        page.set_viewport_size({"width": width, "height": 800})
        boxes = {}
        for place in places:
            page.goto(f"/collections/{cast.collection.id}/{place}")
            boxes[place] = box_of(page.locator(".collection-head"))
        first = boxes["base/"]
        if width == 390:  # the table begins higher there
            assert boxes["base/apples/"]["height"] < first["height"]
            boxes["base/apples/"]["height"] = first["height"]
        # A page that is longer than the window has a scroll bar.
        assert {place: box for place, box in boxes.items() if box != first} == {}, width
        assert page.locator(".collection-head .tabs [aria-current]").evaluate(
            "tab => { const { left, right } = tab.getBoundingClientRect(); return left >= 0 && right <= innerWidth; }"
        )
    assert Collection.objects.filter(id=cast.collection.id).exists()
