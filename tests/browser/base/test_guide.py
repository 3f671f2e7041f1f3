"""What a person does with a Base from the first look to the last page, on messy data; the database is asked after each step."""

import re
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.base.page import BasePage, StoredBase, keep_save, make_base, open_base
from tests.browser.conftest import Pages, box_of, eventually_on
from tests.people import Cast

NAMES = ("Ada", "<img src=x onerror=alert(1)>", "عمر", "Zoë", "日本")


def messy_item(number: int) -> dict[str, Any]:
    """Mixed types, missing and null attributes, nested lists, markup, right-to-left script, keys with slashes."""
    item: dict[str, Any] = {
        "key": f"path/to/{number:04d}" if number % 10 == 3 else f"k{number:04d}",
        "age": number % 90,
    }
    item["name"] = NAMES[number % len(NAMES)]
    if number % 5 == 0:
        item["age"] = str(number)
    if number % 7 == 0:
        item["age"] = None
    if number % 3:
        item["likes_ramen"] = number % 2 == 0
    if number % 4:
        item["hometown"] = {"city": "Berlin", "zip": number, "deep": [1, [2, {"x": None}]]}
    if number % 6 == 0:
        item["note"] = "" if number % 12 else "word " * 40
    if number % 100 == 0:
        item["long"] = "y" * 10_000
    return item


@pytest.fixture
def base(cast: Cast) -> StoredBase:
    return make_base(cast, *(messy_item(number) for number in range(2_000)))


@pytest.fixture
def view(base: StoredBase, pages: Pages) -> BasePage:
    return open_base(pages, base)


def test_edit_undo_one_undo_all_and_save(base: StoredBase, view: BasePage) -> None:
    before = base.text("k0001"), base.text("k0002"), base.text("k0004")
    view.edit("k0001", "age", "23")
    expect(view.cell("k0001", "age")).to_have_class(re.compile("is-staged"))
    expect(view.cell("k0001", "age")).to_contain_text("edited, was 1")
    expect(view.save_button).to_have_text("Save 1 edit")
    view.edit("k0002", "name", "Grace")
    view.edit("k0004", "age", "1e3")
    expect(view.save_button).to_have_text("Save 3 edits")
    expect(view.undo_button).to_have_text("Undo 3 changes")
    view.press("Control+z")
    expect(view.save_button).to_have_text("Save 2 edits")
    expect(view.cell("k0004", "age")).to_have_text("4")
    view.press("Control+Shift+Z")
    expect(view.save_button).to_have_text("Save 3 edits")
    view.undo_button.click()
    expect(view.save_button).to_be_hidden()
    assert (base.text("k0001"), base.text("k0002"), base.text("k0004")) == before
    view.edit("k0001", "age", "23")
    view.edit("k0002", "name", "Grace <b>")
    view.save()
    expect(view.live).to_have_text("Saved 2")
    assert base.get("k0001")["age"] == 23
    assert base.get("k0002")["name"] == "Grace <b>"
    assert base.text("k0004") == before[2]
    expect(view.cell("k0001", "age")).not_to_have_class(re.compile("is-staged"))


@pytest.mark.slow
def test_saved_edit_is_undone_by_the_toast(base: StoredBase, view: BasePage) -> None:
    before = base.get("k0001")
    view.edit("k0001", "age", "23")
    view.save()
    view.page.get_by_role("button", name="Undo", exact=True).click()
    expect(view.live).to_have_text("Undone")
    assert base.get("k0001") == before
    expect(view.cell("k0001", "age")).to_have_text("1")


@pytest.mark.slow
def test_one_edit_is_reverted_in_the_list(base: StoredBase, view: BasePage) -> None:
    view.edit("k0001", "age", "23")
    view.edit("k0002", "name", "Grace")
    view.page.locator("#show-staged").click()
    panel = view.page.get_by_role("complementary", name="Staged changes")
    expect(panel.locator(".staged-cell")).to_have_text([re.compile("age.*1.*becomes.*23"), re.compile("name.*Grace")])
    panel.get_by_role("button", name="Revert age").click()
    expect(view.cell("k0001", "age")).to_have_text("1")
    view.save()
    assert base.get("k0001")["age"] == 1
    assert base.get("k0002")["name"] == "Grace"


def test_rows_are_added_with_and_without_key(base: StoredBase, view: BasePage) -> None:
    view.add_row()
    view.page.keyboard.type("my/key")
    view.press("Tab")
    view.page.keyboard.type("12345678901234567890")
    view.press("Enter")
    view.add_row()
    view.edit(view.new_row(1), "name", "without a key")
    expect(view.save_button).to_have_text("Save 2 edits")
    view.save()
    assert base.get("my/key") == {"key": "my/key", "age": 12345678901234567890}
    row = view.page.locator("#grid-body [data-id]", has_text="without a key")
    expect(row).to_have_attribute("data-id", re.compile("^item:"))
    made = str(row.get_attribute("data-id")).removeprefix("item:")
    assert base.get(made) == {"key": made, "name": "without a key"}
    expect(view.cell(made, "key")).to_have_attribute("aria-readonly", "true")


@pytest.mark.slow
def test_key_that_exists_is_refused_with_its_reason(base: StoredBase, view: BasePage) -> None:
    view.add_row()
    view.page.keyboard.type("k0001")
    view.press("Enter")
    view.press("Control+s")
    expect(view.page.locator("#clash")).to_contain_text("exists")
    view.page.locator("#clash").get_by_role("button", name="Later").click()
    expect(view.new_row()).to_have_class(re.compile("is-problem"))
    # Beside the key is the sign that tells of the problem again.
    view.cell(view.new_row(), "key").locator(".cell-text").click()
    view.press("F2")
    view.press("Control+a")
    view.page.keyboard.type("another")
    view.press("Enter")
    view.save()
    assert base.get("another") == {"key": "another"}
    assert base.get("k0001")["age"] == 1


def test_type_is_changed_in_the_editor(base: StoredBase, view: BasePage) -> None:
    view.open_editor("k0001", "age")
    view.editor.get_by_label("Type").select_option("string")
    expect(view.editor.get_by_label("age", exact=True)).to_have_value("1")
    view.done()
    view.open_editor("k0002", "name")
    view.editor.get_by_label("Type").select_option("null")
    view.done()
    view.open_editor("k0004", "age")
    view.editor.get_by_label("Type").select_option("array")
    view.write_json("[1.0, 12345678901234567890]")
    view.done()
    view.open_editor("k0005", "likes_ramen")
    view.editor.get_by_role("radio", name="true").check()
    view.done()
    expect(view.save_button).to_have_text("Save 4 edits")
    view.save()
    assert base.get("k0001")["age"] == "1"
    assert base.get("k0002")["name"] is None
    assert base.get("k0004")["age"] == [Decimal("1.0"), 12345678901234567890]
    assert "1.0" in base.text("k0004")
    assert base.get("k0005")["likes_ramen"] is True


@pytest.mark.slow
def test_number_cell_takes_no_words_but_says_how_to_store_them(base: StoredBase, view: BasePage) -> None:
    view.edit("k0001", "age", "many")
    fault = view.page.get_by_role("alert").filter(has_text="not a number")
    expect(fault).to_be_visible()
    view.press("Escape")
    expect(view.cell("k0001", "age")).to_have_text("1")
    view.edit("k0001", "age", "many")
    fault.get_by_role("button", name="Keep as text").click()
    view.save()
    assert base.get("k0001")["age"] == "many"


def test_object_is_edited_and_a_fault_has_its_place(base: StoredBase, view: BasePage) -> None:
    view.cell("k0001", "hometown").get_by_role("button", name="object of 3").click()
    view.write_json('{\n  "city": "Paris",\n}')
    expect(view.editor.get_by_role("alert")).to_have_text("Line 2, column 18: Remove this comma: nothing follows it")
    view.press("Control+Enter")
    expect(view.editor).to_be_visible()
    view.editor.get_by_role("button", name="Reset").click()
    assert '"city": "Berlin"' in view.json()
    view.write_json('{"city": "Paris"}')
    view.done()
    view.save()
    assert base.get("k0001")["hometown"] == {"city": "Paris"}


@pytest.mark.slow
def test_whole_row_is_edited_and_only_what_changed_is_sent(base: StoredBase, view: BasePage) -> None:
    sent: list[str] = []
    view.page.on("request", partial(keep_save, sent))
    view.open_item("k0001", as_json=True)
    view.write_json(view.json().replace('"<img src=x onerror=alert(1)>"', '"Ada L.", "new one": [true]'))
    view.done()
    expect(view.save_button).to_have_text("Save 2 edits")
    view.save()
    assert base.get("k0001")["new one"] == [True]
    assert base.get("k0001")["name"] == "Ada L."
    assert len(sent) == 1
    assert "hometown" not in sent[0]
    assert "likes_ramen" not in sent[0]


@pytest.mark.slow
def test_attribute_is_removed_with_delete(base: StoredBase, view: BasePage) -> None:
    view.cell("k0001", "name").click()
    view.press("Delete")
    expect(view.cell("k0001", "name")).to_contain_text("missing")
    view.save()
    assert "name" not in base.get("k0001")


def test_two_rows_are_deleted_after_a_question_and_come_back_with_undo(base: StoredBase, view: BasePage) -> None:
    before = base.text("k0000"), base.text("k0001")
    view.select("k0000", "k0001")
    expect(view.delete_button).to_have_text("Delete 2 items")
    view.delete_button.click()
    question = view.page.get_by_role("dialog", name="Delete 2 items?")
    expect(question.get_by_role("button", name="Keep")).to_be_focused()
    expect(view.row("k0001")).to_have_class(re.compile("is-to-delete"))
    view.press("Enter")
    expect(question).to_be_hidden()
    assert base.get("k0000") is not None
    view.delete_button.click()
    question.get_by_role("button", name="Delete 2 items").click()
    expect(view.live).to_have_text("Deleted 2")
    expect(view.row("k0001")).to_have_count(0)
    assert base.get("k0000") is None
    assert base.get("k0001") is None
    view.page.get_by_role("button", name="Undo", exact=True).click()
    expect(view.live).to_have_text("Undone")
    assert (base.text("k0000"), base.text("k0001")) == before


@pytest.mark.slow
def test_rows_are_marked_for_deletion_and_unmarked(base: StoredBase, view: BasePage) -> None:
    view.cell("k0001", "name").click()
    view.press("Shift+ ", "Delete")
    expect(view.row("k0001")).to_have_class(re.compile("is-deleted"))
    expect(view.row("k0001")).to_contain_text("marked for deletion")
    expect(view.live).to_have_text("1 item marked for deletion")
    view.press("Control+z")
    expect(view.row("k0001")).not_to_have_class(re.compile("is-deleted"))
    assert base.get("k0001") is not None


def test_query_search_and_page(base: StoredBase, view: BasePage) -> None:
    page = view.page
    view.run("{'age?gt': 80, likes_ramen: True,}  # pasted")
    expect(page.locator("#bar-message")).to_contain_text('{"age?gt":80,"likes_ramen":true}')
    expect(page.locator("#base-count")).to_contain_text("of 2,000 match")
    cells = page.locator('#grid-body [data-name="age"] .cell-text')

    def are_those_asked_for() -> bool:
        ages = cells.all_inner_texts()
        return bool(ages) and all(age.isdecimal() and int(age) > 80 for age in ages)

    # The count and the rows are answers of their own, in whichever order they come.
    eventually_on(page, are_those_asked_for)
    expect(page).to_have_url(re.compile("q="))
    view.run("path/to/0013")
    expect(view.row("path/to/0013")).to_be_visible()
    expect(page.locator("#grid-body [data-id]")).to_have_count(1)
    page.go_back()
    expect(view.bar).to_have_value("{'age?gt': 80, likes_ramen: True,}  # pasted")
    page.reload()
    expect(page.locator("#base-count")).to_contain_text("of 2,000 match")
    page.get_by_role("button", name="Clear").click()
    expect(view.row("k0000")).to_be_visible()
    expect(view.facts).to_contain_text("more follow")
    expect(view.grid).to_have_attribute("aria-rowcount", "2001")
    view.cell("k0000", "key").click()
    view.press("Control+End")
    expect(view.row("path/to/1993").locator(":focus")).to_have_count(1)
    expect(view.facts).not_to_contain_text("more follow")
    expect(view.grid).to_have_attribute("aria-rowcount", "2001")


@pytest.mark.slow
def test_sorted_by_a_column_and_back(base: StoredBase, view: BasePage) -> None:
    header = view.grid.get_by_role("columnheader", name="age")
    header.get_by_role("button").first.click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(view.cell(view.page.locator("#grid-body [data-id]").first, "age")).not_to_have_text("23")
    header.get_by_role("button").first.click()
    expect(header).to_have_attribute("aria-sort", "descending")
    expect(view.page).to_have_url(re.compile("sort=-age"))
    header.get_by_role("button").first.click()
    expect(view.row("k0000")).to_be_visible()


def test_columns_are_hidden_moved_and_widened_and_stay_so(base: StoredBase, view: BasePage) -> None:
    page = view.page

    def names() -> list[str | None]:
        return [cell.get_attribute("data-name") for cell in page.locator(".grid-row-head [role=columnheader]").all()]

    before = names()
    assert before[:3] == ["", "key", "age"]
    header = view.grid.get_by_role("columnheader", name="age")
    header.hover()
    header.get_by_role("button", name="Column age").click()
    menu = page.locator("#column-menu")
    menu.get_by_role("button", name="Move right").click()
    eventually_on(page, lambda: names()[2:4] == ["name", "age"])
    narrow = box_of(view.cell("k0001", "age"))["width"]
    menu.get_by_role("button", name="Wider").click()
    eventually_on(page, lambda: box_of(view.cell("k0001", "age"))["width"] > narrow)
    width = box_of(view.cell("k0001", "age"))["width"]
    menu.press("Escape")
    page.get_by_role("button", name="Columns").click()
    page.locator("#columns-menu").get_by_role("checkbox", name="name").uncheck()
    page.keyboard.press("Escape")
    eventually_on(page, lambda: names()[2] == "age")
    page.reload()
    page.locator(".grid-row-head [data-name=age]").wait_for()
    assert "name" not in names()
    assert names()[2] == "age"
    assert box_of(view.cell("k0001", "age"))["width"] == width


def test_hostile_and_right_to_left_text_is_text(base: StoredBase, view: BasePage) -> None:
    expect(view.cell("k0001", "name")).to_have_text("<img src=x onerror=alert(1)>")
    expect(view.cell("k0002", "name").locator(".cell-text")).to_have_css("direction", "rtl")
    assert view.page.locator("#grid-body img").count() == 0
    assert box_of(view.cell("k0000", "long"))["width"] < 400


def test_missing_null_and_empty_are_told_apart(base: StoredBase, view: BasePage) -> None:
    assert view.cell("k0000", "likes_ramen").inner_text() == "missing"
    assert view.cell("k0007", "age").inner_text() == "null"
    assert "empty text" in view.cell("k0006", "note").inner_text()


def test_empty_base_teaches_and_takes_its_first_item(cast: Cast, pages: Pages) -> None:
    base = make_base(cast, name="fresh")
    view = open_base(pages, base)
    expect(view.page.get_by_role("heading", name="No items yet")).to_be_visible()
    expect(view.page.get_by_role("region", name="The lines that write an item")).to_contain_text('deta.Base("fresh")')
    view.page.get_by_role("button", name="Add item").click()
    dialog = view.page.get_by_role("dialog", name="New item")
    expect(dialog.get_by_label("Attribute")).to_be_focused()
    view.page.keyboard.type("text")
    view.press("Tab")
    view.page.keyboard.type("Hello")
    dialog.get_by_label("key", exact=True).fill("first")
    dialog.get_by_role("button", name="Save").click()
    expect(view.live).to_have_text("Saved 1")
    expect(view.cell("first", "text")).to_have_text("Hello")
    assert base.get("first") == {"key": "first", "text": "Hello"}
