"""A Drive as tiles: thumbnails that come by themselves, the keys of a grid, and tiles that are dragged onto folders."""

from playwright.sync_api import expect

from tests.browser.axe import faults_of
from tests.browser.conftest import Pages
from tests.browser.drive.page import PNG, open_drive
from tests.people import Cast
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS


def test_tiles_with_thumbnails_keys_and_drag_to_move(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(
        pages, server, cast, {"box/in.txt": b"12345", "a.txt": b"a", "b.png": PNG, "c.txt": b"c"}, bypass_csp=True
    )
    page = drive.page
    expect(drive.row("box").locator(".drive-size")).to_have_text("5 B")
    assert page.locator(".drive-thumbnail").count() == 0

    tiles = page.get_by_role("button", name="Tiles", exact=True)
    tiles.click()
    expect(tiles).to_have_attribute("aria-pressed", "true")
    thumbnail = drive.row("b.png").locator(".drive-thumbnail")
    expect(thumbnail).to_be_visible(timeout=MOMENT_SECONDS * 1000)
    expect(thumbnail).to_have_js_property("naturalWidth", 1)
    expect(drive.row("b.png").locator("svg").first).to_be_hidden()

    assert faults_of(page) == []

    # They stand beside each other, and the arrows know it.
    assert drive.row("box").bounding_box()["y"] == drive.row("c.txt").bounding_box()["y"]  # type: ignore[index]
    drive.row("box").focus()
    page.keyboard.press("ArrowRight")
    expect(drive.row("a.txt")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(drive.row("a.txt")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".drive-columns [data-sort]").first).to_be_focused()

    drive.row("a.txt").drag_to(drive.row("box"))
    expect(page.get_by_role("status").get_by_text("Moved “a.txt” to box/.")).to_be_visible()
    assert drive.stored_names() == ["b.png", "box/a.txt", "box/in.txt", "c.txt"]
    expect(drive.row("box").locator(".drive-size")).to_have_text("6 B")

    # The choice is kept, and so is what a list is made of.
    page.reload()
    expect(drive.row("b.png").locator(".drive-thumbnail")).to_be_visible()
    page.get_by_role("button", name="Tiles", exact=True).click()
    expect(drive.row("b.png").locator(".drive-thumbnail")).to_be_hidden()
    drive.expect_labels("box", "b.png", "c.txt")
