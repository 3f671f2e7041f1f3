"""What a new user does, as one would: from the printed link to a stored item, without documentation."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page

from storage.embedded import ports
from tests.engines import make_data_folder, remove_data_folder
from tests.people import PASSWORD
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS, eventually


@pytest.fixture
def new_server() -> Iterator[Server]:
    """A server that nobody has signed in to."""
    folder = make_data_folder()
    port, tls_port = ports.free_ports(2)
    running = Server(folder, port, tls_port).start()
    try:
        running.wait_ready()
        yield running
    finally:
        running.stop()
        remove_data_folder(folder)


@pytest.mark.slow
def test_from_the_printed_link_to_a_stored_item(new_server: Server, chromium: Browser, tmp_path: Path) -> None:
    page = chromium.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(MOMENT_SECONDS * 1000)

    def look(name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}.png")

    page.goto(wait_for_link(new_server))
    look("1-welcome")
    make_account(page)
    page.get_by_role("heading", name="No collection yet").wait_for()
    look("2-no-collection-yet")
    page.get_by_role("button", name="Connect an app").click()
    page.get_by_text("Waiting for the first request").wait_for()
    look("3-connect")
    page.locator("#content").get_by_role("link", name="data key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("my app")
    dialog.get_by_role("button", name="Create").click()
    key = dialog.locator("#new-key").inner_text()
    look("4-key")
    dialog.get_by_role("link", name="Connect an app").click()
    page.get_by_role("link", name="curl").click()
    line = page.locator("#put-curl").inner_text()
    look("5-curl")
    done = subprocess.run(
        ["sh", "-c", line],
        env={"PATH": "/usr/bin:/bin", "DETA_PROJECT_KEY": key},
        capture_output=True,
        text=True,
        timeout=MOMENT_SECONDS,
    )
    assert '"processed"' in done.stdout, (shlex.quote(line), done)
    page.get_by_text("Connected.").wait_for()
    look("6-connected")
    page.get_by_role("link", name="Base", exact=True).click()
    page.get_by_role("cell", name="1", exact=True).wait_for()
    look("7-first-item")
    assert key not in page.content()

    # Without an app: the first item in seven steps from that link, each a click or a filled field, of which the first three made
    # the account; and from the page to sign in on, whose three are as many, the first file in four.
    start_anew(page, new_server)
    steps = [
        page.get_by_role("button", name="Enter data").click,
        lambda: page.get_by_role("dialog").get_by_label("Attribute").fill("plant"),
        lambda: page.get_by_role("dialog").get_by_role("textbox", name="plant").fill("apple tree"),
        page.get_by_role("dialog").get_by_role("button", name="Save").click,
    ]
    for step in steps:
        step()
    page.get_by_role("gridcell", name="apple tree").wait_for()
    look("8-first-item-by-hand")

    start_anew(page, new_server)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload files").click()
    chooser.value.set_files([FilePayload(name="hello.txt", mimeType="text/plain", buffer=b"hello")])
    page.get_by_role("link", name="hello.txt", exact=True).wait_for()
    look("9-first-file")
    page.context.close()


def make_account(page: Page) -> None:
    """In three steps."""
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()


def start_anew(page: Page, server: Server) -> None:
    """Delete the collection, sign out, and sign in again in three steps: there is nothing yet."""
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Delete …").click()
    page.get_by_role("dialog").get_by_label("Name of the collection").fill("My data")
    page.get_by_role("button", name="Delete for good").click()
    page.wait_for_url(f"{server.url}/")
    page.get_by_role("button", name="Ada").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="No collection yet").wait_for()


def wait_for_link(server: Server) -> str:
    found = eventually(lambda: re.search(r"http\S+/welcome/\S+", server.log), what="there is no link")
    assert found
    return found.group()
