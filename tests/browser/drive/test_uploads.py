"""Uploading: dropped and chosen files and folders, names that exist, cancel and retry.

What is stored then is read from Postgres and S3, not from the page.
"""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from storage.models import Upload
from tests.browser.conftest import Pages, eventually_on, intercept
from tests.browser.drive.page import open_drive, write_tree
from tests.drives import noise
from tests.people import Cast
from tests.serving import Server

LARGE = 23 * 1024 * 1024


def test_dropped_files_and_a_nested_folder_keep_their_paths(
    server: Server, cast: Cast, pages: Pages, tmp_path: Path
) -> None:
    drive = open_drive(pages, server, cast, ["2024/there.txt"], look={"folder": "2024/"})
    files = {
        "one.txt": b"one",
        "large.bin": noise(LARGE),
        "trip/a.txt": b"a",
        "trip/deep/er/b.bin": noise(100_000, 2),
        "trip/deep/empty.txt": b"",
    }
    write_tree(tmp_path, files)
    drive.drag_over(tmp_path / "one.txt")
    expect(drive.page.locator("#drop-here")).to_have_text("Upload to 2024/")
    drive.drop(tmp_path / "one.txt", tmp_path / "large.bin", tmp_path / "trip")
    expect(drive.page.locator("#drop-here")).to_be_hidden()
    drive.expect_uploaded("one.txt", "large.bin", "a.txt", "b.bin", "empty.txt")
    assert drive.stored_names() == sorted(["2024/there.txt", *(f"2024/{name}" for name in files)])
    for name, content in files.items():
        assert drive.stored(f"2024/{name}") == content, name
    drive.expect_labels("trip", "large.bin", "one.txt", "there.txt")
    expect(drive.page.locator("#tray-title")).to_have_text("5 files uploaded")
    expect(drive.page.locator("#tray-list")).to_be_hidden()
    drive.page.get_by_role("button", name="Show the uploads").click()
    expect(drive.page.locator("#tray-list")).to_be_visible()


def test_an_empty_folder_that_is_dropped_is_kept(server: Server, cast: Cast, pages: Pages, tmp_path: Path) -> None:
    drive = open_drive(pages, server, cast)
    (tmp_path / "outer" / "nothing in here").mkdir(parents=True)
    drive.drop(tmp_path / "outer")
    drive.page.get_by_role("link", name="outer", exact=True).click()
    drive.expect_labels("nothing in here")


def test_a_chosen_folder_and_chosen_files(server: Server, cast: Cast, pages: Pages, tmp_path: Path) -> None:
    drive = open_drive(pages, server, cast)
    write_tree(tmp_path, {"trip/a.txt": b"a", "trip/deep/b.txt": b"b", "c.txt": b"c"})
    drive.choose_folder(tmp_path / "trip")
    drive.choose(tmp_path / "c.txt")
    drive.expect_uploaded("a.txt", "b.txt", "c.txt")
    assert drive.stored_names() == ["c.txt", "trip/a.txt", "trip/deep/b.txt"]


@pytest.mark.slow
def test_a_type_comes_from_the_browser_else_from_the_name(
    server: Server, cast: Cast, pages: Pages, tmp_path: Path
) -> None:
    drive = open_drive(pages, server, cast)
    write_tree(tmp_path, {"a.png": b"x", "b.unheard-of": b"x", "c.json": b"{}", "large.png": noise(LARGE)})
    drive.choose(*sorted(tmp_path.iterdir()))
    drive.expect_uploaded("a.png", "b.unheard-of", "c.json", "large.png")
    types = [drive.client.get(name).headers["Content-Type"] for name in drive.stored_names()]
    assert types == ["image/png", "application/octet-stream", "application/json", "image/png"]


CLASHES = {"a.txt": b"old a", "b.txt": b"old b", "c.txt": b"old c"}


@pytest.mark.parametrize(
    "choice, expected",
    [
        pytest.param(
            "Replace",
            {"a.txt": b"new a", "b.txt": b"new b", "c.txt": b"new c", "d.txt": b"new d"},
            marks=pytest.mark.slow,
        ),
        (
            "Keep both",
            CLASHES | {"a (2).txt": b"new a", "b (2).txt": b"new b", "c (2).txt": b"new c", "d.txt": b"new d"},
        ),
        pytest.param("Skip", CLASHES | {"d.txt": b"new d"}, marks=pytest.mark.slow),
    ],
)
def test_names_that_exist_ask_once_for_all(
    server: Server, cast: Cast, pages: Pages, tmp_path: Path, choice: str, expected: dict[str, bytes]
) -> None:
    drive = open_drive(pages, server, cast, CLASHES)
    write_tree(tmp_path, {f"{letter}.txt": f"new {letter}".encode() for letter in "abcd"})
    drive.drop(*sorted(tmp_path.iterdir()))
    dialog = drive.page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("“a.txt” already exists")
    expect(dialog.get_by_role("button", name="Keep both")).to_be_focused()
    dialog.get_by_label("Do the same for all 2 other existing files").check()
    dialog.get_by_role("button", name=choice).click()
    drive.expect_uploaded("d.txt")
    expect(drive.page.locator("#tray-title")).to_contain_text("uploaded")
    assert {name: drive.stored(name) for name in drive.stored_names()} == expected


def test_each_name_that_exists_can_be_decided_by_itself(
    server: Server, cast: Cast, pages: Pages, tmp_path: Path
) -> None:
    drive = open_drive(pages, server, cast, CLASHES)
    write_tree(tmp_path, dict.fromkeys(CLASHES, b"new"))
    drive.drop(*sorted(tmp_path.iterdir()))
    for choice in ("Replace", "Skip", "Keep both"):
        drive.page.get_by_role("dialog").get_by_role("button", name=choice).click()
    expect(drive.page.get_by_role("dialog")).to_have_count(0)
    expect(drive.page.locator("#tray-title")).to_have_text("2 files uploaded")
    stored = {name: drive.stored(name) for name in drive.stored_names()}
    assert stored == CLASHES | {"a.txt": b"new", "c (2).txt": b"new"}


@pytest.mark.slow
def test_closing_the_question_uploads_nothing(server: Server, cast: Cast, pages: Pages, tmp_path: Path) -> None:
    drive = open_drive(pages, server, cast, CLASHES)
    write_tree(tmp_path, {"a.txt": b"new", "z.txt": b"new"})
    drive.drop(*sorted(tmp_path.iterdir()))
    expect(drive.page.get_by_role("dialog")).to_be_visible()
    drive.page.keyboard.press("Escape")
    expect(drive.page.get_by_role("dialog")).to_have_count(0)
    expect(drive.page.locator("#tray")).to_be_hidden()
    assert drive.stored_names() == sorted(CLASHES)


@pytest.mark.slow
def test_a_name_taken_while_it_goes_up_is_asked_about(server: Server, cast: Cast, pages: Pages, tmp_path: Path) -> None:
    drive = open_drive(pages, server, cast)
    write_tree(tmp_path, {"large.bin": noise(LARGE)})

    def take_the_name(route: Route) -> None:
        drive.client.put("large.bin", b"somebody else's")
        route.continue_()

    intercept(drive.page, "**/uploads/*/end/", take_the_name, times=1)
    drive.choose(tmp_path / "large.bin")
    drive.page.get_by_role("dialog").get_by_role("button", name="Keep both").click()
    drive.expect_uploaded("large (2).bin")
    assert drive.stored("large.bin") == b"somebody else's"
    assert drive.stored("large (2).bin") == noise(LARGE)


class HeldParts:
    """Parts do not arrive until the test lets them."""

    def __init__(self, page: Page) -> None:
        self.held: list[Route] = []
        self.is_open = False
        intercept(
            page, "**/uploads/*/parts/*/", lambda route: route.continue_() if self.is_open else self.held.append(route)
        )

    def let_go(self) -> None:
        self.is_open = True
        while self.held:
            self.held.pop().continue_()


def test_cancel_and_retry(server: Server, cast: Cast, pages: Pages, tmp_path: Path) -> None:
    drive = open_drive(pages, server, cast)
    write_tree(tmp_path, {"large.bin": noise(LARGE)})
    parts = HeldParts(drive.page)
    drive.choose(tmp_path / "large.bin")
    row = drive.upload_row("large.bin")
    expect(row).to_have_attribute("data-state", "sending")
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_have_attribute("data-state", "cancelled")
    expect(drive.page.locator("#tray-title")).to_have_text("Nothing uploaded")
    parts.is_open = True
    unended = Upload.objects.filter(collection_id=cast.collection.id, ended_at__isnull=True)
    eventually_on(drive.page, lambda: not unended.exists())
    assert drive.stored_names() == []
    row.get_by_role("button", name="Try again").click()
    drive.expect_uploaded("large.bin")
    assert drive.stored("large.bin") == noise(LARGE)


@pytest.mark.slow
def test_a_broken_connection_is_waited_out(server: Server, cast: Cast, pages: Pages, tmp_path: Path) -> None:
    drive = open_drive(pages, server, cast)
    write_tree(tmp_path, {"large.bin": noise(LARGE)})
    sent: list[str] = []
    drive.page.on("request", lambda request: sent.append(request.url) if "/parts/" in request.url else None)
    intercept(drive.page, "**/parts/2/", lambda route: route.abort("connectionreset"), times=1)
    drive.choose(tmp_path / "large.bin")
    drive.expect_uploaded("large.bin")
    assert drive.stored("large.bin") == noise(LARGE)
    assert sum(url.endswith("/parts/2/") for url in sent) == 2


def test_a_refusal_says_why_and_leaves_the_others_alone(
    server: Server, cast: Cast, pages: Pages, tmp_path: Path
) -> None:
    drive = open_drive(pages, server, cast)
    write_tree(tmp_path, {"full.txt": b"x", "fine.txt": b"y"})
    full: dict[str, Any] = {"status": 507, "json": {"errors": ["The storage is full"]}}
    intercept(drive.page, "**/file/?name=full.txt*", lambda route: route.fulfill(**full), times=1)
    drive.choose(*sorted(tmp_path.iterdir()))
    drive.expect_uploaded("fine.txt")
    row = drive.upload_row("full.txt")
    expect(row).to_contain_text("The storage is full")
    expect(drive.page.locator("#tray-title")).to_have_text("1 uploaded, 1 failed")
    row.get_by_role("button", name="Try again").click()
    drive.expect_uploaded("full.txt")


def test_uploads_go_on_while_folders_are_walked_through(
    server: Server, cast: Cast, pages: Pages, tmp_path: Path
) -> None:
    drive = open_drive(pages, server, cast, ["2024/x.txt"])
    write_tree(tmp_path, {"large.bin": noise(LARGE)})
    parts = HeldParts(drive.page)
    drive.choose(tmp_path / "large.bin")
    expect(drive.upload_row("large.bin")).to_have_attribute("data-state", "sending")
    drive.page.get_by_role("link", name="2024", exact=True).click()
    drive.expect_labels("x.txt")
    parts.let_go()
    drive.expect_uploaded("large.bin")
    assert drive.stored("large.bin") == noise(LARGE)
    drive.expect_labels("x.txt")
    drive.page.get_by_role("button", name="Show the uploads").click()
    drive.upload_row("large.bin").get_by_role("button", name="Show in its folder").click()
    drive.expect_labels("2024", "large.bin")


@pytest.mark.parametrize("count", [30, pytest.param(250, marks=pytest.mark.slow)])
def test_a_folder_of_many_small_files(server: Server, cast: Cast, pages: Pages, tmp_path: Path, count: int) -> None:
    drive = open_drive(pages, server, cast)
    write_tree(tmp_path / "many", {f"{number:03}.txt": str(number).encode() for number in range(count)})
    drive.drop(tmp_path / "many")
    expect(drive.page.locator("#tray-title")).to_have_text(f"{count} files uploaded")
    assert len(drive.stored_names()) == count
    assert drive.stored("many/029.txt") == b"29"


def test_leaving_with_uploads_under_way_warns(server: Server, cast: Cast, pages: Pages, tmp_path: Path) -> None:
    drive = open_drive(pages, server, cast)
    write_tree(tmp_path, {"large.bin": noise(LARGE)})
    HeldParts(drive.page)
    drive.choose(tmp_path / "large.bin")
    expect(drive.upload_row("large.bin")).to_have_attribute("data-state", "sending")
    warned = []

    def stay(dialog: Dialog) -> None:
        warned.append(dialog.type)
        dialog.dismiss()

    drive.page.on("dialog", stay)
    drive.page.get_by_role("link", name="Settings", exact=True).or_(
        drive.page.get_by_role("link", name="Keys", exact=True)
    ).first.click()
    eventually_on(drive.page, lambda: warned)
    assert warned == ["beforeunload"]
    expect(drive.upload_row("large.bin")).to_be_visible()
    drive.upload_row("large.bin").get_by_role("button", name="Cancel").click()
