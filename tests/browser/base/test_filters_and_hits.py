"""The filter fields under the headers, and the hits of a search, marked where they stand."""

import pytest
from playwright.sync_api import expect

from tests.browser.base.page import StoredBase, make_base, open_base
from tests.browser.conftest import Pages
from tests.people import Cast


@pytest.fixture
def base(cast: Cast) -> StoredBase:
    return make_base(
        cast,
        {"key": "a", "city": "Paris", "age": 30, "home": {"town": {"name": "Vieux Paris 5"}}},
        {"key": "b", "city": "Parisian", "age": 22, "n": 5},
        {"key": "c", "city": "Rome", "age": 41, "home": {"zip": 7}},
        # The shorter a name, the further to the left its column stands.
        {"key": "z0", **{f"wide{m}": m for m in range(9)}, "far away": "left of Paris"},
    )


def test_a_field_under_a_header_is_a_query_in_the_bar(base: StoredBase, pages: Pages) -> None:
    view = open_base(pages, base)
    keys = view.page.locator("#grid-body [data-name=key] .cell-text")
    view.page.get_by_role("button", name="Filters").click()
    expect(view.page.get_by_label("Filter by key")).to_be_focused()
    age, city = view.page.get_by_label("Filter by age"), view.page.get_by_label("Filter by city")
    age.fill(">25")
    age.press("Enter")
    expect(view.bar).to_have_value('{"age?gt": 25}')
    expect(keys).to_have_text(["a", "c"])
    expect(age).to_be_focused()
    city.fill("Par*")
    city.press("Tab")
    expect(view.bar).to_have_value('{"age?gt": 25, "city?pfx": "Par"}')
    expect(keys).to_have_text(["a"])
    age.press("Escape")
    expect(view.bar).to_have_value('{"city?pfx": "Par"}')
    expect(keys).to_have_text(["a", "b"])
    # What the bar says stands in the fields, as far as they can say it.
    view.run('{"age?r": [22, 30], "city?not_contains": "x"}')
    expect(age).to_have_value("22..30")
    expect(city).to_have_attribute("placeholder", "see the bar")
    # Pasting into a field is no paste into the table, and the rows begin below it.
    age.click()
    view.page.evaluate(
        "document.activeElement.dispatchEvent(new ClipboardEvent('paste', {bubbles: true, clipboardData: new DataTransfer()}))"
    )
    expect(view.save_button).to_be_hidden()
    view.cell("a", "city").click()
    expect(view.cell("a", "city")).to_be_focused()
    view.page.reload()
    expect(view.page.get_by_label("Filter by age")).to_have_value("22..30")


def test_hits_are_marked_in_objects_and_told_of_columns_out_of_sight(base: StoredBase, pages: Pages) -> None:
    view = open_base(pages, base)
    view.run("paris")
    marked = view.page.locator("#grid-body mark")
    expect(view.page.locator("#grid-body [data-id]")).to_have_count(2)
    expect(view.cell("a", "city").locator("mark")).to_have_text("Paris")
    expect(view.cell("a", "home").locator(".cell-preview")).to_contain_text("town.name: Vieux Paris 5")
    expect(view.cell("a", "home").locator("mark")).to_have_text("Paris")
    elsewhere = view.row("z0").get_by_role("button", name="Also found in far away")
    elsewhere.click()
    expect(view.cell("z0", "far away")).to_be_focused()
    expect(elsewhere).to_have_count(0)
    view.run("5")
    expect(view.cell("b", "n").locator("mark")).to_have_text("5")
    view.run('{"city": "Paris"}')
    expect(marked).to_have_count(0)
