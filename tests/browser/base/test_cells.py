"""Editing cells as in a spreadsheet: what is pasted goes over cells, a wrong value never traps, dates are picked."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.base.page import PASTE, BasePage, StoredBase, make_base, open_base
from tests.browser.conftest import Pages, box_of, eventually_on
from tests.people import Cast

DECEMBER = int(datetime(2030, 12, 24, 17, 0, tzinfo=UTC).timestamp())


@pytest.fixture
def base(cast: Cast) -> StoredBase:
    return make_base(
        cast,
        *(
            {"key": f"k{number}", "age": number, "city": f"city {number}", "zip": f"0{number}067", "done": False}
            for number in range(6)
        ),
    )


@pytest.fixture
def view(base: StoredBase, pages: Pages) -> BasePage:
    return open_base(pages, base)


def paste(view: BasePage, text: str) -> None:
    view.page.evaluate(PASTE, text)


def column(base: StoredBase, name: str) -> list[Any]:
    return [base.get(f"k{number}").get(name) for number in range(6)]


def test_pasted_columns_and_blocks_go_over_cells_and_one_undo_takes_them_back(base: StoredBase, view: BasePage) -> None:
    view.cell("k1", "zip").click()
    paste(view, "01099\r\n80331\r\n1e5\r\n")
    expect(view.save_button).to_have_text("Save 3 edits")
    expect(view.page.locator("#grid-body [data-name].is-ranged")).to_have_count(3)
    # The offer to undo goes with what it is about, and waits while there is a later edit.
    offer = view.page.locator(".toast", has_text="Pasted into 3 cells").get_by_role("button").first
    view.edit("k4", "city", "y")
    expect(offer).to_have_text("Edited since")
    expect(offer).to_be_disabled()
    view.press("Control+z")
    expect(offer).to_have_text("Undo")
    view.press("Control+z")
    expect(view.save_button).to_be_hidden()
    expect(offer).to_be_hidden()
    view.press("Control+Shift+Z")
    view.cell("k1", "age").click()
    paste(view, "41\t10115\tBerlin, Mitte\n42\t75001\tParis\n")
    view.cell("k4", "age").click()
    paste(view, "many")
    expect(view.page.get_by_text("1 value is not of the column's type and was pasted as text.")).to_be_visible()
    view.save()
    assert column(base, "zip") == ["00067", "10115", "75001", "1e5", "04067", "05067"]
    assert column(base, "age") == [0, 41, 42, 3, "many", 5]
    assert column(base, "city")[:4] == ["city 0", "Berlin, Mitte", "Paris", "city 3"]


def test_a_single_value_fills_the_selection_and_rows_beyond_the_end_are_new(base: StoredBase, view: BasePage) -> None:
    view.cell("k0", "city").click()
    view.press("Shift+ArrowDown", "Shift+ArrowDown")
    paste(view, "same")
    expect(view.save_button).to_have_text("Save 3 edits")
    view.cell("k5", "age").click()
    paste(view, "50\t53111\tBonn\n60\t50667\tKöln\n70\t89073\tUlm")
    expect(view.save_button).to_have_text("Save 8 edits")
    rows = view.page.locator("#grid-body [data-id]")
    expect(view.cell(rows.last, "city")).to_contain_text("Ulm")
    expect(rows.first).to_have_attribute("data-id", "item:k0")
    view.press("Control+z")
    expect(view.save_button).to_have_text("Save 3 edits")
    view.press("Control+Shift+Z")
    view.save()
    assert column(base, "city") == ["same", "same", "same", "city 3", "city 4", "Bonn"]
    expect(view.cell(rows.last, "city")).to_have_text("Ulm")
    expect(rows.last).to_have_attribute("data-id", re.compile("^item:"))


def test_cells_copied_here_are_pasted_as_they_were(base: StoredBase, view: BasePage) -> None:
    base.put({"key": "k0", "age": None, "city": "", "zip": "two\nlines", "done": True})
    view.page.get_by_role("button", name="Refresh").click()
    expect(view.cell("k0", "city")).to_contain_text("empty text")
    view.cell("k0", "age").click()
    view.press("End", "ArrowLeft", "Shift+Home", "Shift+ArrowRight", "Shift+ArrowRight")
    view.page.evaluate("""() => {
      const data = new DataTransfer();
      const options = { clipboardData: data, bubbles: true, cancelable: true };
      const fire = (type) => document.activeElement.dispatchEvent(new ClipboardEvent(type, options));
      fire("copy");
      window.pasteThere = () => fire("paste");
    }""")
    view.cell("k3", "age").click()
    view.page.evaluate("window.pasteThere()")
    view.save()
    copied, original = base.get("k3"), base.get("k0")
    names = view.page.locator(".grid-row-head [role=columnheader]").evaluate_all("all => all.map(c => c.dataset.name)")
    assert names[2] == "age"
    assert {**copied, "key": "k0", "done": True} == {**original}


@pytest.mark.slow
def test_what_cannot_go_over_cells_is_offered_as_rows(base: StoredBase, view: BasePage) -> None:
    view.cell("k2", "key").click()
    paste(view, "a\nb")
    expect(view.page.get_by_text("Not pasted. The keys of saved items cannot be changed.")).to_be_visible()
    assert view.staged() == {}
    view.cell("k2", "done").click(position={"x": 60, "y": 10})
    paste(view, "1\t2\t3")
    expect(
        view.page.get_by_text("The block has 3 columns, and from here to the right there is only 1.")
    ).to_be_visible()
    view.page.get_by_role("button", name="More").click()
    view.page.locator("#more-menu").get_by_role("button", name="Paste as new rows").click()
    dialog = view.page.get_by_role("dialog", name="Paste as new rows")
    dialog.get_by_label("Rows").fill("age\tcity\n9\tRom\n8\tNizza\n")
    dialog.get_by_role("button", name="Add rows").click()
    expect(view.save_button).to_have_text("Save 2 edits")
    expect(view.cell(view.new_row(), "city")).to_contain_text("Rom")
    view.save()


def test_a_wrong_value_never_traps(base: StoredBase, view: BasePage) -> None:
    fault = view.page.locator(".cell-fault")
    below = box_of(view.row("k2"))["y"]
    view.edit("k1", "age", "many")
    expect(fault).to_contain_text("not a number")
    room = box_of(fault)
    assert box_of(view.row("k2"))["y"] >= room["y"] + room["height"] - 1 > below, "it covers nothing"
    view.press("Escape")
    expect(fault).to_have_count(0)
    assert box_of(view.row("k2"))["y"] == below
    expect(view.cell("k1", "age")).to_have_text("1")

    view.edit("k1", "age", "many")
    view.cell("k4", "city").click()
    expect(fault.get_by_role("button", name="Take back")).to_be_visible()
    view.cell("k4", "city").click()
    expect(fault).to_have_count(0)
    expect(view.cell("k4", "city")).to_be_focused()
    expect(view.cell("k1", "age")).to_have_text("1")
    view.page.get_by_role("button", name="Keep as text").click()
    expect(view.cell("k1", "age")).to_contain_text("many")
    view.press("Control+z")

    # With the keyboard alone: the answers are one Tab away, and the text one more behind them.
    view.edit("k1", "age", "some")
    expect(fault).to_be_visible()
    view.press("Tab", "Tab")
    expect(fault.get_by_role("button", name="Take back")).to_be_focused()
    view.press("Tab")
    expect(view.cell("k1", "age").get_by_role("textbox")).to_be_focused()
    view.press("Tab", "Enter")
    expect(view.cell("k1", "age")).to_contain_text("some")
    expect(fault).to_have_count(0)
    view.press("Control+z")

    view.edit("k1", "age", "few")
    view.bar.click()
    expect(fault).to_be_visible()
    expect(view.bar).to_be_focused()
    fault.get_by_role("button", name="Keep as text").click()
    view.save()
    assert base.get("k1")["age"] == "few"


@pytest.mark.slow
def test_undo_of_a_deletion_puts_the_rows_where_they_were(base: StoredBase, view: BasePage) -> None:
    rows = view.page.locator("#grid-body [data-id]")

    def keys() -> list[str]:
        return [str(key) for key in rows.evaluate_all("rows => rows.map(row => row.dataset.id)")]

    before = keys()
    view.select("k0", "k2", "k3")
    view.delete_button.click()
    view.page.get_by_role("dialog").get_by_role("button", name="Delete 3 items").click()
    expect(rows).to_have_count(3)
    view.page.get_by_role("button", name="Undo", exact=True).click()
    expect(view.live).to_have_text("Undone")
    # It is said before the rows are drawn.
    eventually_on(view.page, lambda: keys() == before)


def test_expiry_is_picked_in_the_zone_of_the_person(base: StoredBase, pages: Pages) -> None:
    base.put({"key": "k0", "__expires": DECEMBER}, {"key": "k1", "__expires": DECEMBER})
    view = open_base(pages, base, timezone_id="Europe/Berlin", locale="de-DE")
    cell = view.cell("k0", "__expires")
    expect(cell).to_contain_text("2030-12-24 18:00")
    assert cell.locator("time").evaluate("time => time.scrollWidth <= time.clientWidth"), "it is wide enough to read"
    popover = view.page.get_by_role("dialog", name="When the item expires")
    text = popover.get_by_label("Date and time", exact=True)
    cell.dblclick()
    expect(text).to_have_value("2030-12-24 18:00")
    expect(popover).to_contain_text("Europe/Berlin, UTC+1. In UTC: 2030-12-24 17:00")
    view.press("Enter")
    assert view.staged() == {}
    cell.click()
    view.press("F2")
    popover.get_by_label("Pick a date and time").fill("2031-07-01T12:00")
    expect(text).to_have_value("2031-07-01 12:00")
    expect(popover).to_contain_text("UTC+2. In UTC: 2031-07-01 10:00")
    popover.get_by_role("button", name="Set").click()
    expect(cell).to_contain_text("2031-07-01 12:00")
    view.edit("k1", "__expires", "24.12.2031 um 18:00")
    expect(view.cell("k1", "__expires")).to_contain_text("2031-12-24 18:00")
    expect(view.cell("k2", "__expires")).to_be_focused()
    view.page.keyboard.type("soon")
    view.press("Enter")
    expect(popover).to_contain_text("This is no date")
    view.press("Escape")
    expect(popover).to_be_hidden()
    expect(view.cell("k2", "__expires")).to_be_focused()
    view.press("Enter")
    popover.get_by_role("button", name="In 30 d").click()
    expect(view.cell("k2", "__expires")).to_contain_text("in 29 days")
    view.save()
    assert base.get("k0")["__expires"] == datetime(2031, 7, 1, 10, tzinfo=UTC).timestamp()
    assert base.get("k1")["__expires"] == datetime(2031, 12, 24, 17, tzinfo=UTC).timestamp()
    cell.dblclick()
    popover.get_by_role("button", name="Never").click()
    view.save()
    assert "__expires" not in base.get("k0")


@pytest.mark.slow
def test_rows_are_higher_and_columns_dragged_in_their_list(view: BasePage) -> None:
    low = box_of(view.row("k1"))["height"]
    view.page.get_by_role("button", name="Columns").click()
    menu = view.page.locator("#columns-menu")
    menu.get_by_label("4 lines").check()
    expect(view.page.locator(".grid.is-tall")).to_have_count(1)
    assert box_of(view.row("k1"))["height"] > 2 * low
    handle, target = menu.get_by_role("button", name="Move done"), menu.get_by_role("button", name="Move age")
    from_, to = box_of(handle), box_of(target)
    view.page.mouse.move(from_["x"] + 8, from_["y"] + 8)
    view.page.mouse.down()
    view.page.mouse.move(to["x"] + 8, to["y"] + 2, steps=4)
    view.page.mouse.up()
    shown = view.page.locator(".grid-row-head [role=columnheader]")
    expect(shown.nth(2)).to_have_attribute("data-name", "done")
    menu.get_by_role("button", name="Move done").press("ArrowDown")
    expect(menu.get_by_role("button", name="Move done")).to_be_focused()
    expect(shown.nth(3)).to_have_attribute("data-name", "done")
    view.press("Escape")
    view.page.reload()
    expect(view.page.locator(".grid.is-tall")).to_have_count(1)
    expect(shown.nth(3)).to_have_attribute("data-name", "done")


def test_on_a_phone_the_table_begins_in_the_upper_third_and_staged_edits_are_saved_below(
    base: StoredBase, pages: Pages
) -> None:
    view = open_base(pages, base, width=390)
    view.edit("k1", "age", "41")
    assert box_of(view.grid)["y"] < 800 / 3
    save = box_of(view.save_button)
    assert 800 - 100 < save["y"] < 800 - save["height"]
    view.save_button.click()
    expect(view.live).to_have_text("Saved 1")
    assert base.get("k1")["age"] == 41
