"""A file shared from its menu, and opened by somebody who has nothing but the link and its password."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Pages
from tests.browser.drive.page import open_drive
from tests.people import Cast
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS


def test_share_open_download_revoke(server: Server, cast: Cast, pages: Pages) -> None:
    name = "c++ & 100% #1.txt"
    drive = open_drive(pages, server, cast, {name: b"shared", "c other.txt": b"not"})
    page = drive.page
    # Found by a name that means something in an address, also after a reload.
    page.get_by_role("searchbox").fill("c++ & 100%")
    drive.expect_labels(name)
    page.reload()
    drive.expect_labels(name)
    drive.row(name).click(button="right")
    page.get_by_role("menuitem", name="Share").click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_role("heading")).to_have_text(f"Share “{name}”")
    dialog.get_by_label("Password").fill("open + sesame")
    dialog.get_by_role("button", name="Create link").click()
    link = dialog.locator("pre")
    expect(link).to_contain_text("/s/", timeout=MOMENT_SECONDS * 1000)
    address = link.inner_text().strip()

    visitor = pages(None, "/sign-in/", accept_downloads=True)
    visitor.goto(address)
    for password, heading in (("wrong", "A shared file"), ("open + sesame", name)):
        visitor.get_by_label("Password").fill(password)
        visitor.get_by_role("button", name="Continue").click()
        expect(visitor.get_by_role("heading", level=1)).to_have_text(heading, timeout=MOMENT_SECONDS * 1000)
    with visitor.expect_download() as download:
        visitor.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == name
    assert Path(download.value.path()).read_bytes() == b"shared"

    dialog.get_by_role("link", name="All links of photos").click()
    row = page.get_by_role("row", name=re.compile(re.escape(name)))
    expect(row.get_by_role("cell").nth(1)).to_have_text("1")
    row.get_by_role("link", name="Revoke").click()
    expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked")
    visitor.reload()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("This link no longer works")
