"""Browsing a Drive: folders, the path, order, search, long lists, Back, deep links and reload."""

import re

import pytest
from playwright.sync_api import expect

from storage import limits
from storage.models import Drive
from tests.browser.conftest import Pages
from tests.browser.drive.page import open_drive
from tests.people import Cast
from tests.serving import Server

PAGE = limits.ROWS_PER_PAGE
TREE = ["2024/june/a.jpg", "2024/june/b.jpg", "2024/plan.txt", "zebra.txt", "alpha.txt", "2023/old.txt"]


def test_folders_first_then_files_and_the_path_back(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, TREE)
    drive.expect_labels("2023", "2024", "alpha.txt", "zebra.txt")
    drive.expect_crumbs("photos")
    drive.page.get_by_role("link", name="2024", exact=True).click()
    drive.expect_labels("june", "plan.txt")
    drive.page.get_by_role("link", name="june", exact=True).click()
    drive.expect_labels("a.jpg", "b.jpg")
    drive.expect_crumbs("photos", "2024", "june")
    expect(drive.page.locator(".drive-crumbs [aria-current]")).to_have_text("june")
    expect(drive.page).to_have_title(re.compile("2024/june/"))
    drive.page.locator(".drive-crumbs").get_by_role("link", name="photos", exact=True).click()
    drive.expect_labels("2023", "2024", "alpha.txt", "zebra.txt")
    # What is in folders counts, and on a phone no button stands on a line of its own.
    held = sum(map(len, TREE))
    expect(drive.page.locator("#drive-shown")).to_have_text(f"2 folders, 2 files · {held} B")
    drive.page.set_viewport_size({"width": 390, "height": 800})
    tops = [box["y"] for each in drive.page.locator("#drive-tools > *").all() if (box := each.bounding_box())]
    assert {top: tops.count(top) for top in tops} == {tops[0]: 2, tops[-1]: 4}


def test_where_you_are_is_black_and_what_opens_is_blue(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, {"folder/x": b"x", "text.txt": b"x", "thing.bin": b"\x00\x01\xff"})

    def colour(selector: str) -> str:
        return str(drive.page.locator(selector).evaluate("element => getComputedStyle(element).color"))

    black, blue = colour("body"), colour('[data-label="folder"] [data-open]')
    assert colour(".drive-here") == black
    assert colour('[data-label="text.txt"] [data-open]') == blue != black
    assert colour('[data-label="thing.bin"] [data-open]') == black


def test_back_forward_reload_and_deep_links(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, TREE, look={"folder": "2024/"})
    drive.expect_labels("june", "plan.txt")
    drive.page.get_by_role("link", name="june", exact=True).click()
    drive.expect_labels("a.jpg", "b.jpg")
    drive.page.go_back()
    drive.expect_labels("june", "plan.txt")
    drive.expect_crumbs("photos", "2024")
    drive.page.go_forward()
    drive.expect_labels("a.jpg", "b.jpg")
    drive.page.reload()
    drive.expect_labels("a.jpg", "b.jpg")
    drive.page.get_by_role("link", name="a.jpg", exact=True).click()
    expect(drive.page.get_by_role("dialog", name="a.jpg")).to_be_visible()
    assert "file=2024%2Fjune%2Fa.jpg" in drive.page.url
    drive.page.go_back()
    expect(drive.page.locator("#preview-dialog")).to_be_hidden()
    drive.expect_labels("a.jpg", "b.jpg")


@pytest.mark.slow
def test_the_folder_changes_without_a_reload(server: Server, cast: Cast, pages: Pages) -> None:
    """Uploads go on while a person walks through the folders."""
    drive = open_drive(pages, server, cast, TREE)
    drive.page.evaluate("document.documentElement.dataset.mark = 'same page'")
    drive.page.get_by_role("link", name="2024", exact=True).click()
    drive.expect_labels("june", "plan.txt")
    drive.page.go_back()
    drive.expect_labels("2023", "2024", "alpha.txt", "zebra.txt")
    assert drive.page.evaluate("document.documentElement.dataset.mark") == "same page"


@pytest.mark.slow
def test_order_by_each_column(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, {"b.txt": b"1", "a.zip": b"333", "c.md": b"22", "folder/x": b""})
    head = drive.page.locator(".drive-columns")
    for column, labels, direction in (
        ("Name", ("folder", "c.md", "b.txt", "a.zip"), "descending"),
        ("Size", ("folder", "a.zip", "c.md", "b.txt"), "descending"),
        ("Size", ("folder", "b.txt", "c.md", "a.zip"), "ascending"),
        ("Modified", ("folder", "c.md", "a.zip", "b.txt"), "descending"),
    ):
        head.get_by_role("link", name=column).click()
        drive.expect_labels(*labels)
        expect(head.locator("[aria-sort]")).to_have_attribute("aria-sort", direction)
        expect(head.locator("[aria-sort]")).to_contain_text(column)
    assert "sort=-modified" in drive.page.url
    head.get_by_role("link", name="Type").click()
    expect(head.locator("[aria-sort]")).to_contain_text("Type")
    drive.page.reload()
    expect(head.locator("[aria-sort]")).to_contain_text("Type")


def test_search_finds_below_the_folder_and_leads_there(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, [*TREE, "2024/100%_sure.txt"])
    field = drive.page.get_by_role("searchbox")
    drive.page.keyboard.press("/")
    expect(field).to_be_focused()
    drive.page.keyboard.type("PLAN")
    drive.expect_labels("plan.txt")
    expect(field).to_be_focused()
    expect(field).to_have_value("PLAN")
    expect(drive.row("plan.txt").locator(".drive-where")).to_have_text("in 2024/")
    field.fill("0%_s")
    drive.expect_labels("100%_sure.txt")
    field.fill("nothing is called that")
    expect(drive.page.get_by_role("heading", name="Nothing found")).to_be_visible()
    drive.page.go_back()
    drive.expect_labels("2023", "2024", "alpha.txt", "zebra.txt")


def test_a_long_folder_comes_by_pages_as_one_scrolls(server: Server, cast: Cast, pages: Pages) -> None:
    names = [f"many/{number:04}.txt" for number in range(2 * PAGE + 50)]
    drive = open_drive(pages, server, cast, names, look={"folder": "many/"})
    expect(drive.rows).to_have_count(PAGE)
    for expected in (2 * PAGE, len(names)):
        drive.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        expect(drive.rows).to_have_count(expected)
    expect(drive.page.locator("#drive-more")).to_have_count(0)
    expect(drive.page.locator("#drive-shown")).to_contain_text(f"{len(names)} files")
    labels = drive.page.locator(".drive-row").evaluate_all("rows => rows.map((row) => row.dataset.name)")
    assert labels == names


@pytest.mark.slow
def test_works_without_scripts(server: Server, cast: Cast, pages: Pages) -> None:
    names = [f"many/{number:04}.txt" for number in range(PAGE + 50)]
    drive = open_drive(pages, server, cast, [*names, "hello.txt"], java_script_enabled=False)
    drive.page.get_by_role("link", name="many", exact=True).click()
    expect(drive.rows).to_have_count(PAGE)
    drive.page.get_by_role("link", name="Next page").click()
    expect(drive.rows).to_have_count(50)
    drive.page.locator(".drive-crumbs").get_by_role("link", name="photos", exact=True).click()
    drive.page.get_by_role("link", name="hello.txt", exact=True).click()
    expect(drive.page.locator("#preview")).to_contain_text("hello.txt")
    assert drive.page.locator(".needs-js:visible").count() == 0


@pytest.mark.slow
def test_a_reader_sees_and_downloads_and_is_offered_no_more(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, TREE, person="reader")
    drive.row("alpha.txt").locator("[type=checkbox]").check()
    shown = drive.page.locator("#drive-selected button:visible")
    expect(shown).to_have_count(2)
    for name in ("Upload", "New folder", "Delete"):
        expect(drive.page.get_by_role("button", name=name)).to_have_count(0)
    drive.row("alpha.txt").click(button="right")
    expect(drive.page.get_by_role("menuitem", name="Download")).to_be_visible()
    expect(drive.page.get_by_role("menuitem", name="Rename")).to_have_count(0)
    drive.page.keyboard.press("Escape")
    drive.page.keyboard.press("Delete")
    expect(drive.page.get_by_role("dialog")).to_have_count(0)


def test_an_empty_drive_and_an_empty_folder_say_what_to_do(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast)
    assert Drive.objects.filter(collection=cast.collection).exists()
    expect(drive.page.get_by_role("heading", name="No file yet")).to_be_visible()
    drive.page.get_by_role("button", name="New folder").click()
    drive.page.get_by_label("Name", exact=True).fill("plans")
    drive.page.keyboard.press("Enter")
    drive.expect_labels("plans")
    drive.page.get_by_role("link", name="plans", exact=True).click()
    expect(drive.page.get_by_role("heading", name="This folder is empty")).to_be_visible()
