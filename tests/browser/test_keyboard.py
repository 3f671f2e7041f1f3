"""Everything with the keyboard alone."""

import re

import pytest
from playwright.sync_api import Page, expect

from storage.collections import keys
from storage.models import Base, Collection, DataKey
from tests.browser.conftest import Pages
from tests.matching import search
from tests.people import PASSWORD, Cast


def tab_to(page: Page, name: str) -> None:
    """Tab until the control with this name has the focus, which must be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()"
        )
        if focused == name:
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style != "none", f"{name} does not show that it has the focus"
            return
    raise AssertionError(f"Tab never came to {name}")


def test_skip_link_comes_first(cast: Cast, pages: Pages) -> None:
    page = pages(cast.owner)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_sign_in(cast: Cast, pages: Pages) -> None:
    page = pages(None)
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type(cast.owner.username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Collections")).to_be_visible()


def test_make_a_collection_and_delete_it(cast: Cast, pages: Pages) -> None:
    page = pages(cast.server_owner)
    tab_to(page, "New collection")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url("**/start/")
    collection_id = search(r"collections/(\w+)/", page.url).group(1)
    tab_to(page, "Settings")
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/")
    tab_to(page, "Delete …")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r":\d+/$"))
    assert not Collection.objects.filter(id=collection_id).exists()
    expect(page.get_by_text("By keyboard is deleted")).to_be_visible()


@pytest.mark.slow
def test_make_a_key_and_revoke_it(cast: Cast, pages: Pages) -> None:
    page = pages(cast.owner, f"/collections/{cast.collection.id}/keys/")
    tab_to(page, "New data key")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Enter")
    expect(page.locator("#new-key")).to_be_visible()
    assert page.url.endswith("/keys/")
    page.keyboard.press("Escape")
    expect(page.get_by_role("rowheader", name="by keyboard")).to_be_visible()
    tab_to(page, "Revoke by keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("revoked. Requests with it are refused from now on")).to_be_visible()
    assert DataKey.objects.get(collection=cast.collection).revoked_at is not None


@pytest.mark.slow
def test_palette_jumps(cast: Cast, pages: Pages) -> None:
    Base.objects.create(collection=cast.collection, name="zebras")
    page = pages(cast.reader, "/account/")
    page.keyboard.press("Control+k")
    page.keyboard.type("zebr")
    expect(page.get_by_role("option", name=re.compile("zebras"))).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/collections/{cast.collection.id}/base/zebras/")
    page.go_back()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()


def test_dialog_gives_the_focus_back(cast: Cast, pages: Pages) -> None:
    page = pages(cast.owner, f"/collections/{cast.collection.id}/keys/")
    tab_to(page, "New data key")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="New data key")).to_be_focused()


def test_without_scripts_every_form_works(cast: Cast, pages: Pages) -> None:
    page = pages(cast.owner, f"/collections/{cast.collection.id}/keys/", java_script_enabled=False)
    page.get_by_role("link", name="New data key").click()
    page.get_by_label("Name").fill("without scripts")
    page.get_by_role("button", name="Create").click()
    expect(page.locator("#new-key")).to_be_visible()
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Revoke without scripts").click()
    page.get_by_role("button", name="Revoke").click()
    assert keys.list_keys(cast.collection.id)[0].revoked_at is not None


def test_secret_leaves_the_page_with_the_dialog(cast: Cast, pages: Pages) -> None:
    page = pages(cast.owner, f"/collections/{cast.collection.id}/keys/")
    page.get_by_role("link", name="New data key").click()
    page.get_by_role("dialog").get_by_label("Name").fill("secret")
    page.get_by_role("button", name="Create").click()
    secret = page.locator("#new-key").inner_text()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("rowheader", name="secret")).to_be_visible()
    kept = "JSON.stringify([{...localStorage}, {...sessionStorage}, history.state, location.href])"
    assert secret not in page.content() + page.evaluate(kept)
    page.go_back()
    assert secret not in page.content()
