"""The history in a browser: an item's panel and its address, what is put back as staged edits, and the table as it was."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Locator, Page, expect

from storage.base import items
from storage.collections import keys
from storage.collections.keys import read_key
from storage.postgres.caller import Access
from tests.browser.axe import faults_of
from tests.browser.base.page import BasePage, make_base, open_base
from tests.browser.conftest import Pages
from tests.people import Cast


class Garden:
    """A Base in which a data key called bot has been at it since `since`, a moment in UTC as addresses have it."""

    def __init__(self, cast: Cast) -> None:
        self.base = make_base(
            cast,
            {"key": "ada", "age": 36, "name": "Ada", "tags": ["new"]},
            {"key": "bea", "age": 1},
            {"key": "cid", "age": 2},
            {"key": "dan", "age": 3},
            name="guests",
        )
        made = keys.create_key(collection_id=cast.collection.id, name="bot")
        self.bot, self.key_id = read_key(made.text), made.data_key.pk
        self.since = now()
        self.put(self.bot, {"key": "ada", "age": 99, "name": "Ada L."}, {"key": "bea", "age": 50}, {"key": "new"})
        items.delete_item(access=self.bot, base="guests", key="cid")
        self.put(Access(cast.collection.id, person_id=cast.owner.pk), {"key": "bea", "age": 7})
        self.url = f"/collections/{cast.collection.id}/base/guests/"

    def put(self, who: Access, *some: dict[str, Any]) -> None:
        items.put_items(access=who, base="guests", items=list(some))


def now() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()


@pytest.fixture
def garden(cast: Cast) -> Garden:
    return Garden(cast)


def panel_of(view: BasePage) -> Locator:
    return view.page.get_by_role("dialog", name=re.compile("^History of"))


def open_panel(view: BasePage, key: str) -> Locator:
    view.cell(key, "age").click(button="right")
    view.page.get_by_role("menuitem", name="History", exact=True).click()
    expect(panel_of(view)).to_be_visible()
    return panel_of(view)


def test_item_is_put_back_from_its_history(garden: Garden, pages: Pages) -> None:
    view = open_base(pages, garden.base, bypass_csp=True)
    panel = open_panel(view, "ada")
    expect(view.page).to_have_url(re.compile("history=ada$"))
    expect(panel.locator(".version")).to_have_count(2)
    expect(panel.locator(".version").first).to_contain_text("data key “bot”")
    assert faults_of(view.page) == []
    # The panel has an address: it is there after a reload, and Back and Escape leave it.
    view.page.reload()
    expect(panel).to_be_visible()
    view.page.go_back()
    expect(panel).to_be_hidden()
    view.page.go_forward()
    expect(panel).to_be_visible()
    view.press("Escape")
    expect(panel).to_be_hidden()
    expect(view.page).to_have_url(re.compile("/guests/$"))

    open_panel(view, "ada").get_by_role("button", name="Put back what age was").click()
    expect(panel).to_be_hidden()
    expect(view.save_button).to_have_text("Save 1 edit")
    expect(view.cell("ada", "age")).to_contain_text("36")
    open_panel(view, "ada").get_by_role("button", name="Restore this").click()
    expect(view.save_button).to_have_text("Save 3 edits")
    view.save()
    assert garden.base.get("ada") == {"key": "ada", "age": 36, "name": "Ada", "tags": ["new"]}

    view.open_item("ada")
    view.page.get_by_role("button", name="History of the item").click()
    expect(panel.locator(".version")).to_have_count(3)
    panel.get_by_role("link", name="Close").click()
    expect(panel).to_be_hidden()


def test_panel_that_is_closed_by_its_address_takes_no_step_of_its_own(garden: Garden, pages: Pages) -> None:
    """Back and Forward may come before the browser tells the page, a frame later, that the dialog was closed."""
    view = open_base(pages, garden.base)
    panel = open_panel(view, "ada")
    view.page.evaluate("""() => new Promise((resolve) => {
        const dialog = document.getElementById("history-dialog");
        dialog.addEventListener("close", resolve, { once: true });
        const forward = () => history.pushState({ isPanel: true }, "", "?history=ada");
        addEventListener("popstate", forward, { once: true });
        history.back();
    })""")
    # A step of the page's own would be made after that one.
    view.page.evaluate("new Promise(resolve => setTimeout(resolve, 500))")
    expect(panel).to_be_hidden()
    expect(view.page).to_have_url(re.compile("history=ada$"))


def test_deleted_item_and_all_of_one_writer_are_put_back(garden: Garden, pages: Pages) -> None:
    view = BasePage(pages(garden.base.cast.member, f"{garden.url}history/?kind=d"))
    page = view.page
    page.get_by_role("link", name="cid").click()
    page.get_by_role("button", name="Bring it back").click()
    page.wait_for_url(re.compile("/guests/$"))
    expect(view.save_button).to_have_text("Save 1 edit")
    expect(view.new_row()).to_contain_text("cid")
    view.save()
    assert garden.base.get("cid") == {"key": "cid", "age": 2}

    page.goto(f"{garden.url}history/undo/?by=k{garden.key_id}&since={garden.since}")
    expect(page.locator(".undo-counts dd")).to_have_text(["2", "0", "1", "1"])
    page.get_by_role("button", name="Stage 3 changes").click()
    page.wait_for_url(re.compile("/guests/$"))
    expect(view.save_button).to_have_text("Save 4 edits")
    expect(view.delete_button).to_have_text("Delete 1 item")
    # What somebody else has changed since waits for a choice.
    view.row("bea").get_by_role("button", name=re.compile("changed")).first.click()
    clash = page.get_by_role("dialog", name="Somebody else changed this item")
    expect(clash).to_contain_text(garden.base.cast.owner.username)
    expect(clash.locator("tr[data-name=age]")).to_contain_text("50")
    clash.get_by_role("button", name="Save my choice").click()
    expect(view.live).to_have_text(re.compile("Saved 2"))
    assert garden.base.get("bea") == {"key": "bea", "age": 1}
    assert garden.base.get("ada") == {"key": "ada", "age": 36, "name": "Ada", "tags": ["new"]}


def test_table_as_it_was_is_read_and_rows_come_back(garden: Garden, pages: Pages) -> None:
    view = open_base(pages, garden.base, bypass_csp=True, timezone_id="Asia/Kathmandu")
    page = view.page
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("button", name="As it was …").click()
    ask = page.get_by_role("dialog", name="As it was")
    # The moment is typed as it is here, and is UTC in the address.
    ask.get_by_label("Show the items").fill(_in_kathmandu(page, garden.since))
    ask.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("as_of="))
    assert garden.since[:19].replace(":", "%3A") in page.url

    page.goto(f"{garden.url}?as_of={garden.since}")
    expect(view.cell("ada", "age")).to_contain_text("36")
    expect(view.row("new")).to_have_count(0)
    view.cell("ada", "age").click()
    view.press("5")
    expect(page.locator(".cell-input")).to_have_count(0)
    assert faults_of(page) == []
    view.run('{"age?lt": 3}')
    expect(page.locator("#grid-body [role=row]")).to_have_count(2)
    expect(page).to_have_url(re.compile("as_of="))
    view.select("cid")
    page.get_by_role("button", name="Bring these back").click()
    page.wait_for_url(re.compile("/guests/$"))
    expect(view.save_button).to_have_text("Save 1 edit")
    expect(view.new_row()).to_contain_text("cid")


def _in_kathmandu(page: Page, utc: str) -> str:
    """As its field has it: 5:45 ahead."""
    local: str = page.evaluate(
        "utc => new Date(new Date(utc + 'Z').getTime() + 345 * 60_000).toISOString().slice(0, 19)", utc[:19]
    )
    return local
