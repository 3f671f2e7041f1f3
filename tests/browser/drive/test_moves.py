"""Tidying: select, download, rename, move, new folders, delete and undo. What has become of it is read from Postgres and S3."""

import io
import zipfile
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Pages, eventually_on, intercept
from tests.browser.drive.page import open_drive
from tests.people import Cast
from tests.serving import Server
from tests.waiting import NOTHING_SECONDS

FILES = {"a.txt": b"aaa", "b.txt": b"bb", "c.txt": b"c", "box/d.txt": b"d", "box/deep/e.txt": b"ee"}


def test_select_by_click_ctrl_shift_and_checkbox(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    count = drive.page.locator("#drive-selected-count")

    def beside(label: str, *keys: Literal["Control", "ControlOrMeta", "Shift"]) -> None:
        """A click on the row, beside its name."""
        drive.row(label).locator(".drive-type").click(modifiers=list(keys))

    beside("a.txt")
    expect(count).to_have_text("1 selected")
    beside("c.txt", "ControlOrMeta")
    expect(count).to_have_text("2 selected")
    beside("box")
    expect(count).to_have_text("1 selected")
    beside("b.txt", "Shift")
    expect(count).to_have_text("3 selected")
    expect(drive.page.locator("#drive-selected-size")).to_have_text("8 B")  # with what is in the folder
    drive.row("c.txt").get_by_role("checkbox").check()
    expect(count).to_have_text("4 selected")
    expect(drive.page.locator("#drive-all")).to_be_checked()
    drive.row("a.txt").get_by_role("checkbox").uncheck()
    expect(drive.page.locator("#drive-all")).to_have_js_property("indeterminate", True)
    expect(drive.row("a.txt")).to_have_attribute("aria-selected", "false")
    drive.page.keyboard.press("Escape")
    expect(drive.page.locator("#drive-selected")).to_be_hidden()


def test_download_one_file_under_its_own_name(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.row("a.txt").hover()
    with drive.page.expect_download() as started:
        drive.row("a.txt").get_by_role("link", name="Download").click()
    assert started.value.suggested_filename == "a.txt"
    assert Path(started.value.path()).read_bytes() == b"aaa"


def test_download_several_and_a_folder_as_zip(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.row("a.txt").get_by_role("checkbox").check()
    drive.row("box").get_by_role("checkbox").check()
    with drive.page.expect_download() as started:
        drive.page.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(io.BytesIO(Path(started.value.path()).read_bytes())) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert held == {"a.txt": b"aaa", "box/d.txt": b"d", "box/deep/e.txt": b"ee"}
    expect(drive.page.locator("#drive-selected-count")).to_have_text("2 selected")


def test_rename_in_the_row(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.row("a.txt").locator(".drive-type").click()
    drive.page.keyboard.press("F2")
    field = drive.page.get_by_role("textbox", name="New name of a.txt")
    expect(field).to_be_focused()
    assert drive.page.evaluate("getSelection().toString()") == "a"
    drive.page.keyboard.type("b")
    drive.page.keyboard.press("Enter")
    expect(drive.page.get_by_role("alert")).to_have_text("A file with this name already exists.")
    expect(field).to_be_focused()
    field.fill("new “a”.txt")
    drive.page.keyboard.press("Enter")
    drive.expect_labels("box", "b.txt", "c.txt", "new “a”.txt")
    expect(drive.row("new “a”.txt")).to_be_focused()
    assert drive.stored("new “a”.txt") == b"aaa"
    assert drive.stored("a.txt") is None
    # What was done to it since is undone first.
    drive.page.keyboard.press("Delete")
    drive.page.keyboard.press("Tab")
    drive.page.keyboard.press("Enter")
    drive.expect_labels("box", "b.txt", "c.txt")
    toasts = drive.page.locator("#toasts")
    expect(toasts.get_by_role("button", name="Changed since")).to_be_disabled()
    toasts.get_by_role("button", name="Undo").click()
    drive.expect_labels("box", "b.txt", "c.txt", "new “a”.txt")
    toasts.get_by_role("button", name="Undo").click()
    drive.expect_labels("box", "a.txt", "b.txt", "c.txt")
    assert drive.stored("a.txt") == b"aaa"


def test_rename_a_folder_takes_all_that_is_in_it(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.row("box").click(button="right")
    drive.page.get_by_role("menuitem", name="Rename").click()
    drive.page.keyboard.type("crate")
    drive.page.keyboard.press("Enter")
    drive.expect_labels("crate", "a.txt", "b.txt", "c.txt")
    assert drive.stored("crate/deep/e.txt") == b"ee"
    assert drive.stored("crate/d.txt") == b"d"
    assert not any(name.startswith("box/") for name in drive.stored_names())


def test_escape_leaves_the_name_as_it_was(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.row("a.txt").locator(".drive-type").click()
    drive.page.keyboard.press("F2")
    drive.page.keyboard.type("other")
    drive.page.keyboard.press("Escape")
    drive.expect_labels("box", "a.txt", "b.txt", "c.txt")
    expect(drive.row("a.txt")).to_be_focused()
    assert drive.stored_names() == sorted(FILES)


def test_move_by_the_dialog_and_back_by_undo(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    for label in ("a.txt", "b.txt"):
        drive.row(label).get_by_role("checkbox").check()
    drive.page.get_by_role("button", name="Move …").click()
    dialog = drive.page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Already here")).to_be_disabled()
    dialog.get_by_role("button", name="box").click()
    dialog.get_by_role("button", name="deep").click()
    dialog.get_by_role("button", name="Move to deep").click()
    drive.expect_labels("box", "c.txt")
    assert drive.stored("box/deep/a.txt") == b"aaa"
    assert drive.stored("box/deep/b.txt") == b"bb"
    assert drive.stored("a.txt") is None
    drive.page.locator("#toasts").get_by_role("button", name="Undo").click()
    drive.expect_labels("box", "a.txt", "b.txt", "c.txt")
    assert drive.stored_names() == sorted(FILES)


@pytest.mark.slow
def test_move_into_a_folder_made_on_the_way(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    held: list[Route] = []
    intercept(drive.page, "**/folders/?folder=", lambda route: held.append(route))
    drive.row("c.txt").get_by_role("checkbox").check()
    drive.page.get_by_role("button", name="Move …").click()
    dialog = drive.page.get_by_role("dialog")
    dialog.get_by_role("button", name="New folder").click()
    drive.page.keyboard.type("fre")
    # The list of the folders that there are comes late, and does not get in the way.
    (late,) = eventually_on(drive.page, lambda: held)
    late.continue_()
    expect(dialog.get_by_role("button", name="box")).to_be_visible()
    drive.page.keyboard.type("sh")
    drive.page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Move to fresh").click()
    drive.expect_labels("box", "fresh", "a.txt", "b.txt")
    assert drive.stored("fresh/c.txt") == b"c"


@pytest.mark.slow
def test_late_list_of_another_folder_takes_no_place_in_the_dialog(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, {"a.txt": b"a", "box/deep/b.txt": b"b"})
    held: list[Route] = []
    intercept(drive.page, "**/folders/?folder=box%2F", lambda route: held.append(route))
    drive.row("a.txt").click()
    drive.page.get_by_role("button", name="Move …").click()
    dialog = drive.page.get_by_role("dialog")
    dialog.get_by_role("button", name="box").click()
    expect(dialog.get_by_role("button", name="Move to box")).to_be_visible()
    dialog.locator(".crumb-button").first.click()
    expect(dialog.get_by_role("button", name="Already here")).to_be_visible()

    eventually_on(drive.page, lambda: held)
    with drive.page.expect_response("**/folders/?folder=box%2F"):
        held[0].continue_()
    drive.page.wait_for_timeout(NOTHING_SECONDS * 1000)

    expect(dialog.get_by_role("button", name="deep")).to_have_count(0)
    expect(dialog.get_by_role("button", name="box")).to_be_visible()
    # One that fails says so where it was asked, and leaves no folder of another to choose.
    drive.page.unroute("**/folders/?folder=box%2F")
    intercept(drive.page, "**/folders/?folder=box%2F", lambda route: route.abort())
    dialog.get_by_role("button", name="box").click()
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    expect(dialog.get_by_role("button", name="box", exact=True)).to_have_count(0)


@pytest.mark.parametrize(
    "choice, expected",
    [
        pytest.param("Cancel", {"a.txt": b"aaa", "box/a.txt": b"other"}, marks=pytest.mark.slow),
        pytest.param("Replace", {"box/a.txt": b"aaa"}, marks=pytest.mark.slow),
        ("Keep both", {"box/a.txt": b"other", "box/a (2).txt": b"aaa"}),
    ],
)
def test_move_onto_names_that_exist_asks(
    server: Server, cast: Cast, pages: Pages, choice: str, expected: dict[str, bytes]
) -> None:
    drive = open_drive(pages, server, cast, {"a.txt": b"aaa", "box/a.txt": b"other"})
    drive.row("a.txt").drag_to(drive.row("box"))
    dialog = drive.page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_contain_text("already exists")
    dialog.get_by_role("button", name=choice).click()
    expect(drive.page.get_by_role("dialog")).to_have_count(0)
    expect(drive.rows).to_have_count(2 if choice == "Cancel" else 1)
    assert {name: drive.stored(name) for name in drive.stored_names()} == expected


def test_drag_rows_onto_a_folder_and_onto_the_path(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.row("a.txt").drag_to(drive.row("box"))
    drive.expect_labels("box", "b.txt", "c.txt")
    assert drive.stored("box/a.txt") == b"aaa"
    drive.go(folder="box/")
    drive.row("d.txt").drag_to(drive.page.locator(".drive-crumbs").get_by_role("link", name="photos"))
    drive.expect_labels("deep", "a.txt")
    assert drive.stored("d.txt") == b"d"


@pytest.mark.slow
def test_folders_open_while_something_is_held_over_them(
    server: Server, cast: Cast, pages: Pages, tmp_path: Path
) -> None:
    drive = open_drive(pages, server, cast, {"a.txt": b"aaa", "box/deep/er/e.txt": b"e", "box/f.txt": b"f"})
    started_at = drive.page.url
    crumbs = drive.page.locator("#drive-view .drive-crumbs")

    # Escape: back to where it began, and nothing has moved. A folder does not open for what it is itself.
    drive.pick_up("a.txt")
    drive.hold_over(drive.row("box"))
    drive.expect_crumbs("photos", "box")
    drive.page.keyboard.press("Escape")
    drive.page.mouse.up()
    drive.expect_labels("box", "a.txt")
    expect(drive.page).to_have_url(started_at)
    assert "a.txt" in drive.stored_names()

    # Two folders down, up again by the path, and let go on the ground of the folder that is open.
    drive.pick_up("a.txt")
    drive.hold_over(drive.row("box"))
    drive.expect_labels("deep", "f.txt")
    drive.hold_over(drive.row("f.txt"))
    drive.hold_over(drive.row("deep"))
    drive.expect_crumbs("photos", "box", "deep")
    drive.hold_over(crumbs.get_by_role("link", name="box"))
    drive.expect_crumbs("photos", "box")
    drive.hold_over(drive.row("f.txt"))
    drive.page.mouse.up()
    drive.expect_labels("deep", "a.txt", "f.txt")
    assert drive.stored("box/a.txt") == b"aaa"
    drive.page.go_back()
    drive.expect_labels("box")

    # Files from the desktop, all the same: leaving the window goes back.
    (tmp_path / "new.txt").write_bytes(b"new")
    drive.drag_over(tmp_path / "new.txt", on=drive.row("box"))
    drive.expect_crumbs("photos", "box")
    drive.drag_over(tmp_path / "new.txt", steps=("dragOver",), on=drive.row("f.txt"))
    # The protocol that tests speak with the browser has no word for that, so the page is told as the browser would tell it.
    drive.page.locator('.drive-row[data-label="f.txt"] .drive-name').evaluate(
        """(cell) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(["new"], "new.txt"));
            cell.dispatchEvent(new DragEvent("dragenter", { bubbles: true, dataTransfer }));
            cell.dispatchEvent(new DragEvent("dragleave", { bubbles: true, dataTransfer }));
        }"""
    )
    drive.expect_labels("box")
    expect(drive.page.locator("#drop-here")).to_be_hidden()
    drive.drag_over(tmp_path / "new.txt", on=drive.row("box"))
    drive.expect_crumbs("photos", "box")
    drive.drag_over(tmp_path / "new.txt", steps=("dragOver", "dragOver"), on=drive.row("f.txt"))
    drive.drag_over(tmp_path / "new.txt", steps=("dragOver", "dragOver"), on=drive.row("deep"))
    drive.expect_crumbs("photos", "box", "deep")
    drive.drag_over(tmp_path / "new.txt", steps=("dragOver", "drop"), on=drive.row("er"))
    drive.expect_uploaded("new.txt")
    assert drive.stored("box/deep/er/new.txt") == b"new"


def test_new_folder_stays_while_it_is_empty(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.page.get_by_role("button", name="New folder").click()
    dialog = drive.page.get_by_role("dialog")
    drive.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("at least one character")
    drive.page.keyboard.type("box")
    drive.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("already exists")
    dialog.get_by_label("Name").fill("plans & more")
    drive.page.keyboard.press("Enter")
    drive.expect_labels("box", "plans & more", "a.txt", "b.txt", "c.txt")
    expect(drive.row("plans & more")).to_be_focused()
    drive.page.reload()
    drive.expect_labels("box", "plans & more", "a.txt", "b.txt", "c.txt")


def test_delete_asks_with_counts_and_is_undone(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.row("a.txt").get_by_role("checkbox").check()
    drive.row("box").get_by_role("checkbox").check()
    drive.page.get_by_role("button", name="Delete …").click()
    dialog = drive.page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 files in 1 folder, 6 B")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Delete").click()
    drive.expect_labels("b.txt", "c.txt")
    assert drive.stored_names() == ["b.txt", "c.txt"]
    drive.page.locator("#toasts").get_by_role("button", name="Undo").click()
    drive.expect_labels("box", "a.txt", "b.txt", "c.txt")
    assert {name: drive.stored(name) for name in drive.stored_names()} == FILES


@pytest.mark.slow
def test_undo_by_key_keeps_what_came_meanwhile(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.row("a.txt").locator(".drive-type").click()
    drive.page.keyboard.press("Delete")
    expect(drive.page.get_by_role("dialog")).to_contain_text("Delete “a.txt”?")
    drive.page.keyboard.press("Tab")
    drive.page.keyboard.press("Enter")
    drive.expect_labels("box", "b.txt", "c.txt")
    drive.client.put("a.txt", b"newer")
    drive.page.keyboard.press("Control+z")
    drive.expect_labels("box", "a (2).txt", "a.txt", "b.txt", "c.txt")
    assert drive.stored("a.txt") == b"newer"
    assert drive.stored("a (2).txt") == b"aaa"
    expect(drive.page.locator("#toasts")).to_contain_text("Both files are kept")


@pytest.mark.slow
def test_a_failure_that_comes_again_is_shown_once(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.page.route("**/delete/", lambda route: route.abort())
    for _ in range(2):
        drive.row("a.txt").focus()
        with drive.page.expect_event("requestfailed", lambda request: request.url.endswith("/delete/")):
            drive.page.keyboard.press("Delete")
            drive.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(drive.page.locator(".toast-danger")).to_have_count(1)


@pytest.mark.slow
def test_a_folder_of_many_files_goes_in_the_background_and_comes_back(server: Server, cast: Cast, pages: Pages) -> None:
    names = [f"many/{number:04}.txt" for number in range(1200)]
    drive = open_drive(pages, server, cast, [*names, "stays.txt"])
    drive.row("many").locator(".drive-type").click()
    drive.page.get_by_role("button", name="Delete …").click()
    expect(drive.page.get_by_role("dialog")).to_contain_text("1,200 files")
    drive.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    undo = drive.page.locator("#toasts").get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    drive.expect_labels("stays.txt")
    undo.click()
    expect(drive.page.locator("#toasts")).to_contain_text("1,200 files restored")
    assert drive.stored_names() == [*names, "stays.txt"]


def test_copy_names_and_code(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES, permissions=["clipboard-read", "clipboard-write"])
    drive.row("a.txt").get_by_role("checkbox").check()
    drive.row("b.txt").get_by_role("checkbox").check()
    drive.row("b.txt").focus()
    drive.page.keyboard.press("Control+c")
    expect(drive.page.locator("#toasts")).to_contain_text("2 names copied")
    assert drive.page.evaluate("navigator.clipboard.readText()") == "a.txt\nb.txt"
    drive.page.keyboard.press("Escape")
    drive.row("c.txt").click(button="right")
    drive.page.get_by_role("menuitem", name="Copy as curl").click()
    expect(drive.page.locator("#toasts")).to_contain_text("Copied.")
    copied = drive.page.evaluate("navigator.clipboard.readText()")
    assert "curl" in copied
    assert f"/v1/{cast.collection.id}/photos/files/download?name=c.txt" in copied


def test_details_of_a_folder_count_what_it_holds(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.row("box").click(button="right")
    drive.page.get_by_role("menuitem", name="Details").click()
    expect(drive.page.get_by_role("dialog")).to_contain_text("2 files in 1 folder, 3 B")
