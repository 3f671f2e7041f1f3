"""The menu of a cell: how it opens and closes, and the filters it writes into the bar."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.base.page import BasePage, StoredBase, make_base, open_base
from tests.browser.conftest import Pages
from tests.people import Cast


@pytest.fixture
def base(cast: Cast) -> StoredBase:
    return make_base(
        cast,
        {"key": "a", "city": "Paris", "age": 30, "tags": ["new", "old"], "a.b": 1, "big": 12345678901234567890},
        {"key": "b", "city": "Paris", "age": 41, "tags": [], "on": True},
        {"key": "c", "city": "Rome", "age": 30, "tags": ["new"], "note": None},
        {"key": "d", "city": "Oslo", "age": "30"},
    )


def offered(view: BasePage) -> list[str]:
    return view.page.get_by_role("menuitem").locator(".menu-label").all_text_contents()


def choose(view: BasePage, cell: Locator, label: str) -> None:
    cell.click(button="right")
    view.page.get_by_role("menuitem", name=label).click()


def keys(view: BasePage) -> Locator:
    return view.page.locator("#grid-body [data-name=key] .cell-text")


def test_a_value_filters_and_the_bar_says_how(base: StoredBase, pages: Pages) -> None:
    view = open_base(pages, base)
    menu = view.page.locator("#cell-menu")
    view.cell("a", "city").click(button="right")
    assert offered(view)[:6] == [
        "Only “Paris”", "All but “Paris”", "Greater than “Paris”", "Less than “Paris”", "Edit", "Copy"
    ]  # fmt: skip
    view.press("Escape")
    expect(menu).to_be_hidden()
    expect(view.cell("a", "city")).to_be_focused()

    choose(view, view.cell("a", "city"), "Only “Paris”")
    expect(view.bar).to_have_value('{"city": "Paris"}')
    expect(keys(view)).to_have_text(["a", "b"])
    choose(view, view.cell("a", "age"), "Greater than 30")
    expect(view.bar).to_have_value('{"city": "Paris", "age?gt": 30}')
    expect(keys(view)).to_have_text(["b"])
    view.page.go_back()
    expect(keys(view)).to_have_text(["a", "b"])

    view.run("{'age': 30}")  # as Python has it
    expect(keys(view)).to_have_text(["a", "c"])
    choose(view, view.cell("a", "city"), "All but “Paris”")
    expect(view.bar).to_have_value('{"age": 30, "city?ne": "Paris"}')
    expect(keys(view)).to_have_text(["c"])

    view.run("Paris")
    expect(keys(view)).to_have_text(["a", "b"])
    choose(view, view.cell("a", "tags"), "Lists with “new”")
    expect(view.bar).to_have_value('{"tags?contains": "new"}')
    expect(keys(view)).to_have_text(["a", "c"])
    view.page.get_by_role("button", name="Back to the search").click()
    expect(view.bar).to_have_value("Paris")

    choose(view, view.cell("a", "big"), "Only 12345678901234567890")
    expect(view.bar).to_have_value('{"big": 12345678901234567890}')
    expect(keys(view)).to_have_text(["a"])
    # In a query the point would lead into an object, and what is not there has no value.
    for name in ("a.b", "on"):
        view.cell("a", name).click(button="right")
        assert not any(label.startswith(("Only", "All but")) for label in offered(view))
        view.press("Escape")
    view.cell("a", "key").click(button="right")
    assert [label for label in offered(view) if "“a”" in label] == ["Only “a”", "Greater than “a”", "Less than “a”"]


def test_the_keyboard_and_a_finger_open_it_as_well(base: StoredBase, pages: Pages) -> None:
    view = open_base(pages, base, has_touch=True)
    menu = view.page.locator("#cell-menu")
    view.cell("c", "city").click()
    view.press(".")
    expect(view.page.get_by_role("menu", name="city of c")).to_be_visible()
    view.press("ArrowDown", "Enter")
    expect(view.bar).to_have_value('{"city?ne": "Rome"}')
    # The row under the cursor has gone: the keyboard goes on in the first.
    expect(keys(view)).to_have_text(["a", "b", "d"])
    expect(view.cell("a", "key")).to_be_focused()

    view.press("ArrowRight", ".", "End")
    expect(view.page.get_by_role("menuitem").last).to_be_focused()
    view.press("Tab")
    expect(menu).to_be_hidden()
    expect(view.row("a").locator("> :focus")).to_have_count(1)

    view.press(".")
    expect(menu).to_be_visible()
    view.page.get_by_role("heading", level=1).click()
    expect(menu).to_be_hidden()

    # A finger that stays opens it where the browser makes no menu event of it, and lifting the finger leaves it open.
    finger = view.page.context.new_cdp_session(view.page)
    box = view.cell("b", "age").bounding_box()
    assert box is not None
    point = {"x": box["x"] + 10, "y": box["y"] + 10}
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(view.page.get_by_role("menu", name="age of b")).to_be_visible()
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    view.page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(view.page.get_by_role("menuitem").first).to_be_focused()
    view.press("Escape")


def test_a_reader_filters_and_copies_alone(base: StoredBase, pages: Pages) -> None:
    view = open_base(pages, base, base.cast.reader)
    view.cell("a", "age").click(button="right")
    assert offered(view) == [
        "Only 30",
        "All but 30",
        "Greater than 30",
        "Less than 30",
        "Copy",
        "Open the item",
        "History",
        "Requests in Visor",
    ]
