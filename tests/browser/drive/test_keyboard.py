"""A Drive with the keyboard alone, and at the width of a phone."""

import pytest
from playwright.sync_api import FilePayload, Locator, expect

from tests.browser.axe import faults_of
from tests.browser.conftest import Pages, box_of
from tests.browser.drive.page import open_drive
from tests.browser.test_keyboard import tab_to
from tests.people import Cast
from tests.serving import Server

FILES = ["box/deep/e.txt", "box/d.txt", "alpha.txt", "beach.txt", "beta.txt", "gamma.txt"]


def test_the_list_is_one_tab_stop(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.page.locator("#drive-tools").get_by_role("button").last.focus()
    drive.page.keyboard.press("Tab")
    expect(drive.row("box")).to_be_focused()
    assert drive.row("box").evaluate("row => getComputedStyle(row).outlineStyle") != "none"
    drive.page.keyboard.press("Tab")
    assert drive.page.evaluate("document.activeElement.closest('#drive-list')") is None


def test_moving_opening_and_going_up(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    page = drive.page
    drive.row("box").focus()
    for key, label in (
        ("ArrowDown", "alpha.txt"),
        ("End", "gamma.txt"),
        ("ArrowDown", "gamma.txt"),
        ("PageUp", "box"),
        ("b", "beach.txt"),
        ("Home", "box"),
    ):
        page.keyboard.press(key)
        expect(drive.row(label)).to_be_focused()
    page.keyboard.press("Enter")
    drive.expect_labels("deep", "d.txt")
    expect(drive.row("deep")).to_be_focused()
    page.keyboard.press("Enter")
    expect(drive.row("e.txt")).to_be_focused()
    page.keyboard.press("Backspace")
    expect(drive.row("deep")).to_be_focused()
    page.keyboard.press("Alt+ArrowUp")
    expect(drive.row("box")).to_be_focused()
    page.keyboard.type("bet")
    expect(drive.row("beta.txt")).to_be_focused()


def test_selecting(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    page, count = drive.page, drive.page.locator("#drive-selected-count")
    drive.row("alpha.txt").focus()
    page.keyboard.press("Space")
    expect(drive.row("alpha.txt")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(count).to_have_text("3 selected")
    page.keyboard.press("Shift+ArrowUp")
    expect(count).to_have_text("2 selected")
    page.keyboard.press("Control+a")
    expect(count).to_have_text("5 selected")
    page.keyboard.press("Escape")
    expect(page.locator("#drive-selected")).to_be_hidden()


def test_sorting_by_the_column_headers(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    page = drive.page
    drive.row("box").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("columnheader", name="Name").get_by_role("link")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("columnheader", name="Size").get_by_role("link")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    drive.expect_labels("box", "gamma.txt", "beta.txt", "beach.txt", "alpha.txt")


def test_the_menu_of_a_row(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    page = drive.page
    drive.row("alpha.txt").focus()
    page.keyboard.press("Shift+F10")
    expect(page.get_by_role("menuitem", name="Open")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Delete …")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(drive.row("alpha.txt")).to_be_focused()
    page.keyboard.press("Shift+F10")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="alpha.txt")).to_be_visible()


def test_new_folder_and_delete_without_a_pointer(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    page = drive.page
    tab_to(page, "New folder")
    page.keyboard.press("Enter")
    page.keyboard.type("crate")
    page.keyboard.press("Enter")
    expect(drive.row("crate")).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    drive.expect_labels("box", "alpha.txt", "beach.txt", "beta.txt", "gamma.txt")
    expect(page.locator(".drive-row:focus")).to_have_count(1)


def test_the_keys_are_told(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.page.keyboard.press("?")
    dialog = drive.page.get_by_role("dialog", name="Keys")
    for key in ("F2", "Space", "Delete", "Escape"):
        expect(dialog).to_contain_text(key)


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(server: Server, cast: Cast, pages: Pages, width: int) -> None:
    files = {
        "box/d.txt": b"d",
        "code.py": b"def answer():\n    return 'x', 42  # why\n",
        "table.csv": b"a,b\n1,2\n",
        "text.md": b"# A\n\n[link](https://example.org) `code`\n\n> quoted\n",
        "thing.bin": b"\x00\xff",
        "a long name " * 9 + ".txt": b"x",
    }
    drive = open_drive(pages, server, cast, files, width=width, bypass_csp=True)
    page, faults = drive.page, {}

    def check(what: str) -> None:
        # A list that is on its way is pale for a moment.
        expect(page.locator("#drive-view[aria-busy]")).to_have_count(0)
        if found := faults_of(page):
            faults[what] = found

    check("list")
    drive.row("box").get_by_role("checkbox").check()
    check("selected")
    for name in ("Delete …", "Move …"):
        page.locator("#drive-selected").get_by_role("button", name=name).click()
        page.wait_for_timeout(300)
        check(name)
        page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New folder").click()
    check("new folder")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    check("keys")
    page.keyboard.press("Escape")
    drive.row("code.py").locator("[data-command=entry-menu]").click()
    check("menu")
    page.keyboard.press("Escape")
    drive.row("code.py").focus()
    page.keyboard.press("F2")
    page.keyboard.type("thing")
    check("rename")
    page.keyboard.press("Escape")
    page.locator("#choose-files").set_input_files(
        [
            FilePayload(name="up.txt", mimeType="text/plain", buffer=b"x"),
            FilePayload(name="code.py", mimeType="", buffer=b"y"),
        ]
    )
    expect(page.get_by_role("dialog")).to_contain_text("already exists")
    check("clash")
    page.get_by_role("dialog").get_by_role("button", name="Skip").click()
    drive.expect_uploaded("up.txt")
    check("tray")
    for name in ("code.py", "table.csv", "text.md", "thing.bin"):
        drive.go(file=name)
        expect(page.locator("#preview")).to_be_visible()
        check(name)
    drive.go(q="nothing is called that")
    check("nothing found")
    drive.go(folder="box/", sort="-size")
    check("sorted")
    assert faults == {}


def test_a_phone_has_targets_for_fingers(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES, width=390, has_touch=True, is_mobile=True)
    page = drive.page
    for selector in ("#drive-tools button", ".drive-row [data-command=entry-menu]", ".drive-row .drive-check"):
        for box in page.locator(selector).all():
            if box.is_visible():
                assert is_touchable(box), selector
    assert box_of(drive.row("alpha.txt"))["height"] >= 44
    drive.row("alpha.txt").locator(".drive-check").tap()
    expect(page.locator("#drive-selected-count")).to_have_text("1 selected")
    bar = box_of(page.locator("#drive-selected"))
    assert page.viewport_size is not None
    assert bar["y"] + bar["height"] <= page.viewport_size["height"] + 1
    for button in page.locator("#drive-selected button:visible").all():
        assert is_touchable(button)
    page.get_by_role("button", name="Clear the selection").tap()
    drive.row("box").locator("[data-open]").tap()
    drive.expect_labels("deep", "d.txt")
    drive.row("d.txt").locator("[data-open]").tap()
    expect(page.get_by_role("dialog", name="d.txt")).to_be_visible()
    preview = box_of(page.locator("#preview-dialog"))
    assert (preview["width"], preview["height"]) == (390, 800)


def is_touchable(control: Locator) -> bool:
    """Large enough for a finger: 44 pixels each way."""
    box = box_of(control)
    return box is not None and min(box["width"], box["height"]) >= 44
