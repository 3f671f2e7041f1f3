"""Many items changed at once, saved views, and sorting by several columns, in the browser."""

import re

import pytest
from playwright.sync_api import expect

from storage.models import Base, SavedView
from tests.browser.base.page import BasePage, StoredBase, make_base, open_base
from tests.browser.conftest import Pages
from tests.people import Cast


@pytest.fixture
def base(cast: Cast) -> StoredBase:
    return make_base(
        cast,
        *(
            {"key": f"k{n:02}", "city": ["Paris", "Rome"][n % 2], "age": n % 3, "zip": str(n) if n else "none"}
            for n in range(12)
        ),
    )


def open_many(view: BasePage) -> None:
    view.page.get_by_role("button", name="More", exact=True).click()
    view.page.get_by_role("button", name="Change many items").click()


def keys_of(view: BasePage) -> list[str]:
    return view.page.locator("#grid-body [data-name=key] .cell-text").all_text_contents()


def test_a_selection_and_all_that_match_are_changed_and_undone(base: StoredBase, pages: Pages) -> None:
    view = open_base(pages, base)
    dialog, strip = view.page.get_by_role("dialog", name="Change many items"), view.page.locator("#change-notice")
    view.run('{"city": "Paris"}')
    view.select("k00", "k02")
    open_many(view)
    expect(dialog.get_by_role("radio", name="The 2 selected items")).to_be_checked()
    expect(dialog.get_by_role("radio", name="All that match: 6 items")).to_be_visible()
    dialog.get_by_label("Attribute").fill("vip")
    dialog.get_by_label("Type").select_option("Number")
    dialog.get_by_label("Value").fill("one")
    dialog.get_by_role("button", name="Change 2 items").click()
    expect(dialog.get_by_role("alert")).to_contain_text("is not a number")
    dialog.get_by_label("Value").fill("1.0")
    dialog.get_by_role("button", name="Change 2 items").click()
    expect(strip).to_contain_text("Set “vip” to 1.0: 2 items.")
    expect(view.cell("k02", "vip")).to_have_text("1.0")
    assert ("vip" in base.text("k00"), "vip" in base.text("k04")) == (True, False)
    strip.get_by_role("button", name="Undo").click()
    expect(strip).to_contain_text("Undone: 2 items as before.")
    assert "vip" not in base.text("k00")

    # From a cell: its attribute. What the type cannot say is left as it is, and told.
    view.run("")
    view.cell("k05", "zip").click(button="right")
    view.page.get_by_role("menuitem", name="Change “zip” in many").click()
    expect(dialog.get_by_label("Attribute")).to_have_value("zip")
    dialog.get_by_label("What").select_option("convert")
    dialog.get_by_label("To", exact=True).select_option("Number")
    dialog.get_by_role("radio", name="All items of the Base: 12 items").check()
    dialog.get_by_role("button", name="Change 12 items").click()
    expect(strip).to_contain_text("11 items. Left as they were: 1 (k00: “none” is no number).")
    expect(view.cell("k05", "zip")).to_have_attribute("data-type", "number")

    # Another Base gets copies, and lately done changes can still be undone after a reload.
    open_many(view)
    dialog.get_by_label("What").select_option("Copy into another Base")
    dialog.get_by_label("Into the Base").fill("others")
    dialog.get_by_role("radio", name="All items of the Base: 12 items").check()
    dialog.get_by_role("button", name="Copy 12 items").click()
    expect(strip).to_contain_text("Copy into “others”: 12 items.")
    view.page.reload()
    view.grid.wait_for()
    open_many(view)
    dialog.get_by_text("Changed lately").click()
    dialog.get_by_role("listitem").filter(has_text="Make “zip”").get_by_role("button", name="Undo").click()
    expect(strip).to_contain_text("Undone: 11 items as before.")
    expect(view.cell("k05", "zip")).to_have_attribute("data-type", "string")


def test_sorted_by_several_columns_and_kept_as_a_view(base: StoredBase, pages: Pages) -> None:
    view = open_base(pages, base)
    head = view.page.locator(".grid-row-head")
    head.get_by_role("button", name="city").first.click()
    expect(view.page).to_have_url(re.compile(r"sort=city$"))
    head.locator("[data-name=age] .head-sort").click(modifiers=["Shift"])
    expect(view.page.locator("#grid-body [data-name=key] .cell-text").first).to_have_text("k00")
    expect(head.locator("[data-name=age]")).to_have_attribute("aria-sort", "ascending")
    expect(head.locator("[data-name=age] .head-place")).to_have_text("2")
    head.locator("[data-name=age] .head-sort").click(modifiers=["Shift"])
    expect(head.locator("[data-name=age]")).to_have_attribute("aria-sort", "descending")
    expect(view.page.locator("#grid-body [data-name=key] .cell-text")).to_have_text(
        ["k02", "k08", "k04", "k10", "k00", "k06", "k05", "k11", "k01", "k07", "k03", "k09"]
    )

    # The order, the query and the columns stay under a name, for others too.
    view.run('{"age?gt": 0}')
    head.locator("[data-name=zip]").hover()
    head.get_by_role("button", name="Column zip").click()
    view.page.get_by_role("button", name="Hide").click()
    shown = keys_of(view)
    views = view.page.get_by_role("button", name="Views")
    views.click()
    view.page.get_by_role("button", name="Save this view").click()
    dialog = view.page.get_by_role("dialog", name="Save this view")
    dialog.get_by_label("Name").fill("Adults")
    dialog.get_by_role("button", name="Save view").click()
    expect(dialog).to_be_hidden()
    view.page.get_by_text("View “Adults” saved").wait_for()

    other = open_base(pages, base, base.cast.reader)
    expect(other.page.locator(".grid-row-head [data-name=zip]")).to_be_visible()
    other.page.get_by_role("button", name="Views").click()
    expect(other.page.get_by_role("button", name=re.compile("Save this view|Delete the view"))).to_have_count(0)
    other.page.get_by_role("link", name="Adults").click()
    expect(other.bar).to_have_value('{"age?gt": 0}')
    expect(other.page.locator("#grid-body [data-name=key] .cell-text")).to_have_text(shown)
    expect(other.page.locator(".grid-row-head [data-name=zip]")).to_have_count(0)

    # A taken name asks once; a link shows a view; a deleted one comes back.
    views.click()
    view.page.get_by_role("button", name="Save this view").click()
    dialog.get_by_label("Name").fill("Adults")
    dialog.get_by_role("button", name="Save view").click()
    expect(dialog.get_by_role("alert")).to_contain_text("called “Adults” already")
    dialog.get_by_role("button", name="Replace it").click()
    expect(dialog).to_be_hidden()
    its = Base.objects.get(collection=base.cast.collection, name=base.name)
    saved = SavedView.objects.get(base_id=its.pk)
    linked = open_base(pages, base, base.cast.reader, query=f"?view={saved.pk}")
    expect(linked.bar).to_have_value('{"age?gt": 0}')
    views.click()
    view.page.get_by_role("button", name="Delete the view Adults").click()
    view.page.get_by_text("View “Adults” deleted").wait_for()
    assert not SavedView.objects.filter(base_id=its.pk).exists()
    view.page.get_by_role("button", name="Undo", exact=True).click()
    views.click()
    expect(view.page.get_by_role("link", name="Adults")).to_be_visible()
