"""Uploads that are cut off: the server is killed and comes back, the page is reloaded. Only what is missing is sent again."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from storage.embedded import ports
from storage.models import Part, Upload
from tests.browser.conftest import Pages, eventually_on, intercept
from tests.browser.drive.page import open_drive
from tests.browser.test_first_minute import wait_for_link
from tests.drives import noise
from tests.engines import make_data_folder, remove_data_folder
from tests.people import PASSWORD, Cast
from tests.serving import Server, kill
from tests.waiting import MOMENT_SECONDS

SIZE = 60 * 1024 * 1024
PARTS = 6


class PartLog:
    """The parts that the page sends, and which of them the server acknowledged."""

    def __init__(self, page: Page) -> None:
        self.sent: list[int] = []
        self.stored: list[int] = []
        page.on("request", lambda request: self._note(self.sent, request.url))
        page.on("response", lambda answer: self._note(self.stored, answer.url) if answer.status == 200 else None)

    def _note(self, numbers: list[int], url: str) -> None:
        if found := re.search(r"/parts/(\d+)/$", url):
            numbers.append(int(found.group(1)))


# So that there is something to interrupt, however slow the test is: these parts are not let through.
LAST_PARTS = re.compile(r"/parts/[56]/$")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mov"
    path.write_bytes(noise(SIZE))
    return path


@pytest.fixture
def mortal_server() -> Iterator[Server]:
    """A server of this test's own, which it may kill."""
    folder = make_data_folder()
    port, tls_port = ports.free_ports(2)
    running = Server(folder, port, tls_port).start()
    try:
        running.wait_ready()
        yield running
    finally:
        running.stop()
        remove_data_folder(folder)


def kill_everything(server: Server) -> None:
    """kill -9 of the serve command and all that it started: web processes, PostgreSQL, SeaweedFS."""
    assert server.process is not None
    main = psutil.Process(server.process.pid)
    children = main.children(recursive=True)
    kill(server.process)
    for child in children:
        if child.is_running():
            kill(child)
    server.process = None


@pytest.mark.slow
def test_the_server_is_killed_midway_and_comes_back(mortal_server: Server, chromium: Browser, film: Path) -> None:
    server = mortal_server
    page = chromium.new_context(base_url=server.url, viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(MOMENT_SECONDS * 1000)
    page.goto(wait_for_link(server))
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    collection_id, key = server.make_key("Films")
    stored = f"{server.url}/v1/{collection_id}/films/files"
    assert httpx.post(f"{stored}?name=first.txt", content=b"x", headers={"X-API-Key": key}).status_code == 201

    page.goto(f"/collections/{collection_id}/drive/films/")
    log = PartLog(page)
    held: list[Route] = []
    letting_through: list[bool] = []
    intercept(page, LAST_PARTS, lambda route: route.continue_() if letting_through else held.append(route))
    page.locator("#choose-files").set_input_files(film)
    row = page.locator(".tray-row")
    eventually_on(page, lambda: len(log.stored) >= 3 and held)
    kill_everything(server)
    acknowledged, sent_before = set(log.stored), len(log.sent)
    assert acknowledged
    letting_through.append(True)
    for route in held:
        route.abort()
    expect(row).to_have_attribute("data-state", "paused")
    expect(row).to_contain_text("no answer")
    server.start()
    server.wait_ready()
    expect(row).to_have_attribute("data-state", "done")
    assert not acknowledged & set(log.sent[sent_before:]), log.sent
    assert set(log.stored) == set(range(1, PARTS + 1))
    content = httpx.get(f"{stored}/download?name=film.mov", headers={"X-API-Key": key}, timeout=MOMENT_SECONDS).content
    assert content == noise(SIZE)
    page.context.close()


def begin_and_reload(page: Page, film: Path) -> PartLog:
    """An upload that a reload cuts off somewhere in its second half; a log of what is sent after it."""
    intercept(page, LAST_PARTS, lambda route: None)
    page.locator("#choose-files").set_input_files(film)
    page.wait_for_function("() => document.querySelector('.tray-row progress')?.value > 0.6")
    page.reload()
    page.unroute(LAST_PARTS)
    return PartLog(page)


@pytest.mark.parametrize(
    "how",
    ["by its row", *(pytest.param(f"by {each} it again", marks=pytest.mark.slow) for each in ("choosing", "dropping"))],
)
def test_the_page_is_reloaded_midway(server: Server, cast: Cast, pages: Pages, film: Path, how: str) -> None:
    drive = open_drive(pages, server, cast, ["2024/x.txt"], look={"folder": "2024/"})
    log = begin_and_reload(drive.page, film)
    row = drive.page.locator(".tray-row")
    expect(row).to_have_attribute("data-state", "interrupted")
    expect(row).to_contain_text("Choose the file again to continue")
    upload = Upload.objects.get(collection_id=cast.collection.id, ended_at__isnull=True)
    there = set(Part.objects.filter(upload_id=upload.id).values_list("number", flat=True))
    assert there
    if how == "by its row":
        with drive.page.expect_file_chooser() as chooser:
            row.get_by_role("button", name="Choose the file again").click()
        chooser.value.set_files(film)
    elif how == "by choosing it again":
        drive.choose(film)
    else:
        drive.drop(film)
    drive.expect_uploaded("film.mov")
    expect(drive.page.locator(".tray-row")).to_have_count(1)
    assert sorted(log.sent) == sorted(set(range(1, PARTS + 1)) - there)
    assert drive.stored("2024/film.mov") == noise(SIZE)
    drive.page.reload()
    expect(drive.page.locator("#tray")).to_be_hidden()


@pytest.mark.slow
def test_another_file_does_not_go_on_in_its_place(
    server: Server, cast: Cast, pages: Pages, film: Path, tmp_path: Path
) -> None:
    drive = open_drive(pages, server, cast)
    begin_and_reload(drive.page, film)
    other = tmp_path / "other" / "film.mov"
    other.parent.mkdir()
    other.write_bytes(noise(SIZE, 1))
    with drive.page.expect_file_chooser() as chooser:
        drive.page.locator(".tray-row").get_by_role("button", name="Choose the file again").click()
    chooser.value.set_files(other)
    expect(drive.page.locator("#toasts")).to_contain_text("This is a different file")
    drive.page.locator(".tray-row").get_by_role("button", name="Cancel").click()
    expect(drive.page.locator("#tray")).to_be_hidden()
    unended = Upload.objects.filter(collection_id=cast.collection.id, ended_at__isnull=True)
    eventually_on(drive.page, lambda: not unended.exists())
    assert drive.stored_names() == []
