"""The keyboard map of the table, key by key, and what a screen reader is told."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.base.page import BasePage, StoredBase, make_base, open_base
from tests.browser.conftest import Pages
from tests.people import Cast

COUNT = 60


@pytest.fixture
def base(cast: Cast) -> StoredBase:
    return make_base(
        cast,
        *(
            {"key": f"k{number:02}", "age": number, "done": number % 2 == 0, "name": f"name {number}", "tags": [number]}
            for number in range(COUNT)
        ),
    )


@pytest.fixture
def view(base: StoredBase, pages: Pages) -> BasePage:
    return open_base(pages, base)


def focused(view: BasePage) -> tuple[str, str]:
    """Key and attribute of the cell with the focus."""
    cell = view.page.locator("[data-name]:focus").evaluate("cell => [cell.parentElement.dataset.id, cell.dataset.name]")
    return cell[0].removeprefix("item:"), cell[1]


MOVES = [
    (["ArrowDown"], ("k06", "age")),
    (["ArrowUp"], ("k04", "age")),
    (["ArrowLeft"], ("k05", "key")),
    (["ArrowRight"], ("k05", "done")),
    (["Home"], ("k05", "")),
    (["End"], ("k05", "tags")),
    (["Control+Home"], ("k00", "")),
    (["Control+End"], ("k59", "tags")),
    (["Control+ArrowDown"], ("k59", "age")),
    (["PageDown", "PageUp"], ("k05", "age")),
    (["ArrowUp"] * 5 + ["ArrowUp", "ArrowDown"], ("k00", "age")),
]


def test_moving(view: BasePage) -> None:
    names = view.page.locator(".grid-row-head [role=columnheader]").evaluate_all(
        "cells => cells.map(cell => cell.dataset.name)"
    )
    assert names == ["", "key", "age", "done", "name", "tags"]
    for keys, expected in MOVES:
        view.cell("k05", "age").click()
        view.press(*keys)
        assert focused(view) == expected, keys
        expect(view.page.locator(":focus")).to_be_in_viewport()
        view.press("Control+Home")  # rows far out of view are not in the document


@pytest.mark.slow
def test_page_down_goes_a_screen_further(view: BasePage) -> None:
    view.cell("k05", "age").click()
    view.press("PageDown")
    key, name = focused(view)
    assert int(key[1:]) > 10
    assert name == "age"


def test_header_is_reached_by_arrow_and_sorts_and_moves_columns(view: BasePage) -> None:
    view.cell("k00", "age").click()
    view.press("ArrowUp")
    header = view.grid.get_by_role("columnheader", name=re.compile("^age"))
    expect(header.get_by_role("button").first).to_be_focused()
    view.press("Enter", "Enter")
    expect(header).to_have_attribute("aria-sort", "descending")
    view.press("ArrowRight", "Enter")
    menu = view.page.locator("#column-menu")
    expect(menu.get_by_role("button", name="Sort ascending")).to_be_focused()
    menu.get_by_role("button", name="Move right").press("Enter")
    expect(view.live).to_have_text("age is column 2 of 4")
    view.press("Escape")
    expect(menu).to_be_hidden()


def test_one_tab_stop(view: BasePage) -> None:
    """Into the table, out of it and back to the same cell."""
    view.cell("k05", "age").click()
    inside = "[...grid.querySelectorAll('a, button, input, select, textarea, [tabindex]')]"
    stops = view.grid.evaluate(f"grid => [grid, ...{inside}].filter(each => each.tabIndex >= 0).length")
    assert stops == 1
    view.press("Tab")
    assert view.grid.evaluate("grid => !grid.contains(document.activeElement)")
    view.press("Shift+Tab")
    assert focused(view) == ("k05", "age")


@pytest.mark.slow
def test_tab_reaches_the_table_before_anything_was_clicked(view: BasePage) -> None:
    view.page.get_by_role("button", name="Columns").focus()
    view.press("Tab")
    assert focused(view) == ("k00", "key")


@pytest.mark.parametrize("key", ["Enter", pytest.param("F2", marks=pytest.mark.slow)])
def test_editing_begins_with_what_is_there(base: StoredBase, view: BasePage, key: str) -> None:
    view.cell("k05", "name").click()
    view.press(key, "End")
    view.page.keyboard.type("!")
    view.press("Enter")
    assert focused(view) == ("k06", "name")
    view.save()
    assert base.get("k05")["name"] == "name 5!"


def test_typing_replaces_enter_goes_down_and_tab_sideways(base: StoredBase, view: BasePage) -> None:
    view.cell("k05", "age").click()
    view.page.keyboard.type("7")
    view.press("Enter")
    assert focused(view) == ("k06", "age")
    view.page.keyboard.type("8")
    view.press("Tab")
    assert focused(view) == ("k06", "done")
    view.press("Tab")
    view.page.keyboard.type("new")
    view.press("Shift+Tab")
    assert focused(view) == ("k06", "done")
    view.save()
    assert (base.get("k05")["age"], base.get("k06")["age"]) == (7, 8)


@pytest.mark.slow
def test_escape_leaves_this_cell_only(base: StoredBase, view: BasePage) -> None:
    view.edit("k04", "age", "44")
    view.cell("k05", "age").click()
    view.page.keyboard.type("999")
    view.press("Escape")
    assert focused(view) == ("k05", "age")
    expect(view.cell("k05", "age")).to_have_text("5")
    view.save()
    assert (base.get("k04")["age"], base.get("k05")["age"]) == (44, 5)


def test_space_toggles_a_boolean_and_shift_space_selects_the_row(base: StoredBase, view: BasePage) -> None:
    view.cell("k05", "done").click(position={"x": 100, "y": 10})
    view.press(" ")
    expect(view.cell("k05", "done").get_by_role("checkbox")).to_be_checked()
    view.press("Shift+ ")
    expect(view.row("k05")).to_have_attribute("aria-selected", "true")
    view.press("Shift+ ")
    expect(view.row("k05")).to_have_attribute("aria-selected", "false")
    view.save()
    assert base.get("k05")["done"] is True


def test_ranges_by_click_and_by_key(view: BasePage) -> None:
    view.cell("k02", "age").click()
    view.cell("k04", "done").click(modifiers=["Shift"], position={"x": 100, "y": 10})
    selected = view.page.locator("#grid-body [data-name][aria-selected=true]")
    expect(selected).to_have_count(6)
    view.press("Shift+ArrowDown")
    expect(selected).to_have_count(8)
    view.press("Escape")
    expect(selected).to_have_count(1)


@pytest.mark.slow
def test_rows_between_two_clicks_and_all_shown_rows(view: BasePage) -> None:
    view.select("k02")
    view.row("k06").get_by_role("checkbox", name="Select k06").click(modifiers=["Shift"])
    expect(view.page.locator("#grid-body [role=row][aria-selected=true]")).to_have_count(5)
    view.press("Control+a")
    expect(view.live).to_have_text(f"{COUNT} rows selected")
    expect(view.delete_button).to_have_text(f"Delete {COUNT} items")
    view.press("Escape")
    expect(view.delete_button).to_be_hidden()


def test_delete_removes_the_attribute_from_a_range(base: StoredBase, view: BasePage) -> None:
    view.cell("k02", "age").click()
    view.press("Shift+ArrowDown", "Delete")
    expect(view.save_button).to_have_text("Save 2 edits")
    view.save()
    assert "age" not in base.get("k02")
    assert "age" not in base.get("k03")


def test_keys_of_the_page(view: BasePage) -> None:
    view.cell("k02", "age").click()
    view.press("/")
    expect(view.bar).to_be_focused()
    view.press("Escape")
    assert focused(view) == ("k02", "age")
    view.press("?")
    dialog = view.page.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    view.press("Escape")
    assert focused(view) == ("k02", "age")


@pytest.mark.slow
def test_shift_enter_opens_the_editor_and_gives_the_focus_back(view: BasePage) -> None:
    view.open_editor("k02", "age")
    expect(view.editor.get_by_label("age", exact=True)).to_be_focused()
    view.press("Escape")
    expect(view.editor).to_be_hidden()
    assert focused(view) == ("k02", "age")
    view.open_editor("k02", "key")
    expect(view.editor.get_by_role("heading", name="Item k02")).to_be_visible()


def test_what_is_listened_to(view: BasePage) -> None:
    expect(view.grid).to_have_accessible_name("Items of things")
    expect(view.grid).to_have_attribute("aria-rowcount", str(COUNT + 1))
    expect(view.grid).to_have_attribute("aria-colcount", "6")
    expect(view.row("k05")).to_have_attribute("aria-rowindex", "7")
    expect(view.cell("k05", "key")).to_have_attribute("aria-readonly", "true")
    expect(view.grid.get_by_role("rowheader", name="k05")).to_have_count(1)
    expect(view.cell("k05", "tags").get_by_role("button", name="list of 1")).to_be_visible()
    expect(view.grid.get_by_role("columnheader", name=re.compile("age.*number"))).to_have_attribute("aria-sort", "none")
    view.edit("k05", "age", "6")
    expect(view.live).to_have_text("1 edit staged")
    view.edit("k06", "age", "7")
    view.edit("k07", "age", "8")
    expect(view.live).to_have_text("3 edits staged")
    expect(view.grid.get_by_role("gridcell", name="6 , edited, was 5")).to_have_count(1)
    view.press("Control+s")
    expect(view.live).to_have_text("Saved 3")


def test_reader_sees_a_table_that_cannot_be_edited(base: StoredBase, pages: Pages) -> None:
    view = open_base(pages, base, base.cast.reader)
    expect(view.grid).to_have_attribute("aria-readonly", "true")
    expect(view.page.get_by_role("button", name="Add item")).to_have_count(0)
    view.cell("k05", "age").click()
    view.page.keyboard.type("7")
    view.press("Enter", "Delete", " ")
    assert view.staged() == {}
    view.open_editor("k05", "age")
    expect(view.editor.get_by_role("button", name="Done")).to_be_hidden()
