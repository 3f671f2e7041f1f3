"""The original's guides, word for word, by the console's pages alone: files dropped, the app looked at, its data found."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from storage.models import Micro
from tests.browser.base.page import BasePage
from tests.browser.conftest import Pages
from tests.browser.dropping import drop_files
from tests.micros import zip_of
from tests.micros_e2e import guides
from tests.people import Cast
from tests.running_micros import MicroClient, told
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS, SWITCH_SECONDS

# One dot.
PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")
FETCH = "async path => Array.from(new Uint8Array(await (await fetch(path)).arrayBuffer()))"
EVENT = {"type": "payment.made", "amount": 1200, "of": {"name": "Ada"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "my micro"


def write(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def make_by_dropping(page: Page, cast: Cast, path: Path) -> Micro:
    """A new Micro from this folder or zip, whose deployment is waited for on its page."""
    page.goto(f"/collections/{cast.collection.id}/micros/")
    page.get_by_role("link", name="New Micro").first.click()
    page.wait_for_url("**/new/")
    drop_files(page, path)
    page.get_by_role("button", name="Create and deploy").click()
    page.wait_for_url("**/deployments/*-*/")
    expect(page.locator("#deployment:not([hx-get])")).to_be_visible(timeout=MOMENT_SECONDS * 1000)
    expect(page.locator("#deployment [role=status]")).to_have_text("serves")
    return Micro.objects.get(collection=cast.collection)


def open_app(page: Page) -> Page:
    """The app in a window of its own, where who is signed in to the console is let in."""
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the Micro").click()
    return opened.value


def open_to_anybody(page: Page, micro: Micro) -> None:
    page.goto(f"/collections/{micro.collection_id}/micros/{micro.id}/settings/")
    page.get_by_label("Ask for sign-in").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


@pytest.mark.slow
def test_hello_of_flask_from_a_folder(cast: Cast, pages: Pages, folder: Path) -> None:
    page = pages(cast.member)
    make_by_dropping(page, cast, write(folder, guides.FLASK))
    expect(open_app(page).locator("body")).to_have_text("Hello World")


@pytest.mark.slow
def test_hello_of_fastapi_from_a_zip(cast: Cast, pages: Pages, tmp_path: Path) -> None:
    bundle = tmp_path / "hello.zip"
    bundle.write_bytes(zip_of({name: text.encode() for name, text in guides.FASTAPI.items()}, folder="hello/"))
    page = pages(cast.member)
    make_by_dropping(page, cast, bundle)
    app = open_app(page)
    expect(app.locator("body")).to_contain_text('{"Hello":"World"}')
    app.goto("/items/5?q=x".join(app.url.rsplit("/", 1)))
    expect(app.locator("body")).to_contain_text('{"item_id":5,"q":"x"}')


@pytest.mark.slow
@pytest.mark.parametrize("files", [guides.EXPRESS, guides.KOA], ids=["express", "koa"])
def test_hello_of_node_from_a_folder(files: dict[str, str], cast: Cast, pages: Pages, folder: Path) -> None:
    page = pages(cast.member)
    make_by_dropping(page, cast, write(folder, files))
    expect(open_app(page).locator("body")).to_have_text(re.compile("^Hello World!?$"))


@pytest.mark.slow
@pytest.mark.parametrize("files", [guides.FORM_FLASK, guides.FORM_EXPRESS], ids=["flask", "express"])
def test_a_form_fills_a_base_that_the_console_shows(
    files: dict[str, str], cast: Cast, pages: Pages, folder: Path
) -> None:
    page = pages(cast.member)
    make_by_dropping(page, cast, write(folder, files))
    form = open_app(page)
    form.locator("[name=name]").fill("Ada & friends")
    form.locator("[name=email]").fill("ada@example.org")
    form.locator("[type=submit]").click()
    expect(form.locator("body")).to_have_text("Thanks, 1 wrote to us.")

    page.get_by_role("link", name="Base", exact=True).click()
    page.get_by_role("link", name="contacts").click()
    row = BasePage(page).row("ada@example.org")
    expect(row.locator('> [data-name="name"]')).to_have_text("Ada & friends")


@pytest.mark.slow
def test_a_webhook_is_seen_in_the_visor_and_sent_again(server: Server, cast: Cast, pages: Pages, folder: Path) -> None:
    page = pages(cast.member)
    micro = make_by_dropping(page, cast, write(folder, guides.WEBHOOK))
    open_to_anybody(page, micro)
    page.get_by_label("Record requests").check()
    page.get_by_role("button", name="Save").click()
    page.wait_for_timeout(SWITCH_SECONDS * 1000)
    headers = {"X-Signature": "sha256=abc", "Content-Type": "application/json"}
    answer = MicroClient(server.url, micro).ask("/webhooks", "POST", body=json.dumps(EVENT), headers=headers)
    assert told(answer) == "ok"

    page.get_by_role("link", name="Visor").last.click()
    page.locator("#events > tr").filter(has_text="/webhooks").locator("th a").click()
    panel = page.locator("#event")
    panel.get_by_role("link", name="Request", exact=True).click()
    expect(panel.locator("#body-text")).to_contain_text('"type": "payment.made"')
    panel.get_by_role("link", name="Redo").click()
    page.get_by_role("dialog").get_by_role("button", name="Send it again").click()
    expect(page.locator("#event .tabs [aria-current]")).to_have_text("Difference")
    page.locator("#event").get_by_role("link", name="Logs").click()
    expect(page.locator("#printed")).to_contain_text("received payment.made")
    page.goto(f"/collections/{cast.collection.id}/base/webhooks/")
    expect(page.locator("#grid-body [data-id^='item:']")).to_have_count(2)


@pytest.mark.slow
@pytest.mark.parametrize("files", [guides.IMAGES, guides.IMAGES_EXPRESS], ids=["fastapi", "express"])
def test_an_image_is_uploaded_to_a_drive_that_the_console_shows(
    files: dict[str, str], cast: Cast, pages: Pages, folder: Path
) -> None:
    page = pages(cast.member)
    make_by_dropping(page, cast, write(folder, files))
    images = open_app(page)
    images.locator("[name=file]").set_input_files({"name": "space cat.png", "mimeType": "image/png", "buffer": PNG})
    images.locator("[type=submit]").click()
    expect(images.locator("body")).to_contain_text("space cat.png")
    assert bytes(images.evaluate(FETCH, "/download/space%20cat.png")) == PNG

    page.goto(f"/collections/{cast.collection.id}/drive/images/?file=space+cat.png")
    expect(page.locator(".drive-row [data-open]")).to_have_text(["space cat.png"])
    expect(page.locator("#preview img")).to_have_js_property("naturalWidth", 1)
