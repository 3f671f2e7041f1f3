"""An item as a form beside the table, and a new one."""

from decimal import Decimal
from functools import partial

import pytest
from playwright.sync_api import expect

from tests.browser.base.page import BasePage, StoredBase, keep_save, make_base, open_base
from tests.browser.conftest import Pages
from tests.people import Cast


@pytest.fixture
def base(cast: Cast) -> StoredBase:
    return make_base(
        cast,
        {
            "key": "ada",
            "age": 36,
            "exact": Decimal("1.0"),
            "home": {"city": "London", "geo": {"lat": 51, "long": 12345678901234567890}},
            "tags": ["a", "b"],
            "vip": True,
            "note": None,
        },
        {"key": "grace", "age": 85, "vip": False},
    )


@pytest.fixture
def view(base: StoredBase, pages: Pages) -> BasePage:
    return open_base(pages, base)


def test_only_what_was_changed_in_the_form_is_sent(base: StoredBase, view: BasePage) -> None:
    sent: list[str] = []
    view.page.on("request", partial(keep_save, sent))
    view.open_item("ada")
    panel = view.page.get_by_role("dialog", name="Item ada")
    expect(panel.get_by_label("age", exact=True)).to_be_focused()
    panel.get_by_label("age", exact=True).fill("many")
    panel.get_by_role("button", name="Done").click()
    expect(panel.get_by_role("alert")).to_contain_text("is not a number")
    expect(panel.get_by_label("age", exact=True)).to_be_focused()
    view.page.keyboard.press("Control+a")
    view.page.keyboard.type("37")
    panel.get_by_label("vip", exact=True).select_option("false")
    assert panel.get_by_label("city", exact=True).count() == 0, "what is nested is folded"
    panel.get_by_label("home", exact=True).locator("> summary").click()
    panel.get_by_label("city", exact=True).fill("Paris")
    panel.get_by_label("Type of note").select_option("string")
    panel.get_by_label("note", exact=True).fill("two\nlines")
    panel.get_by_role("tab", name="JSON").click()
    assert '"city": "Paris"' in view.json()
    assert '"long": 12345678901234567890' in view.json()
    panel.get_by_role("tab", name="Form").click()
    panel.get_by_role("button", name="Remove tags").click()
    panel.get_by_role("button", name="Done").click()
    expect(view.save_button).to_have_text("Save 5 edits")
    view.save()
    assert base.get("ada") == {
        "key": "ada",
        "age": 37,
        "exact": Decimal("1.0"),
        "home": {"city": "Paris", "geo": {"lat": 51, "long": 12345678901234567890}},
        "vip": False,
        "note": "two\nlines",
    }
    assert "exact" not in sent[0]


def test_new_item_takes_the_types_of_its_columns_and_attributes_at_once(base: StoredBase, view: BasePage) -> None:
    view.page.get_by_role("button", name="Add item").click()
    panel = view.page.get_by_role("dialog", name="New item")
    expect(panel.get_by_label("Type of age")).to_have_value("number")
    panel.get_by_label("key", exact=True).fill("zoe")
    panel.get_by_label("age", exact=True).fill("20")
    panel.get_by_label("Attribute").fill("zip")
    view.press("Enter")
    view.page.keyboard.type("01067")
    expect(panel.get_by_label("Attribute")).to_have_count(2)
    panel.get_by_label("Attribute").nth(1).fill("floors")
    view.press("Enter")
    view.page.keyboard.type("3")
    view.press("Escape")
    view.page.get_by_role("button", name="Reopen").click()
    panel.get_by_role("button", name="Save").click()
    expect(view.live).to_have_text("Saved 1")
    assert base.get("zoe") == {"key": "zoe", "age": 20, "zip": "01067", "floors": 3}
    view.page.get_by_role("button", name="Undo", exact=True).click()
    expect(view.live).to_have_text("Undone")
    assert base.get("zoe") is None


@pytest.mark.slow
def test_reader_looks_at_the_form_and_cannot_change_it(base: StoredBase, pages: Pages) -> None:
    view = open_base(pages, base, base.cast.reader)
    view.open_item("ada")
    panel = view.page.get_by_role("dialog", name="Item ada")
    expect(panel.get_by_label("age", exact=True)).to_have_attribute("readonly", "")
    expect(panel.get_by_label("vip", exact=True)).to_be_disabled()
    expect(panel.get_by_role("button", name="Save")).to_be_hidden()
    expect(panel.get_by_label("Attribute")).to_have_count(0)
