"""Values as they are: digits that no binary number has, large items, rows in and out."""

import json
import re
from decimal import Decimal
from functools import partial

import pytest
from playwright.sync_api import expect

from storage.exact_json import parse
from tests.browser.base.page import PASTE, BasePage, StoredBase, keep_save, make_base, open_base
from tests.browser.conftest import Pages, box_of, eventually_on, intercept
from tests.people import Cast

DIGITS = {"long": "12345678901234567890", "fine": "0.1234567890123456789", "one": "1.0", "large": "1e21"}


@pytest.fixture
def base(cast: Cast) -> StoredBase:
    item = {"key": "digits", "note": "x", "deep": {"in": [Decimal("1.0"), 12345678901234567890]}}
    return make_base(
        cast, item | {name: parse(text.encode()) for name, text in DIGITS.items()}, {"key": "other", "note": "y"}
    )


@pytest.fixture
def view(base: StoredBase, pages: Pages) -> BasePage:
    return open_base(pages, base)


def digits_of(base: StoredBase) -> list[str]:
    """The numbers as they stand in the stored text."""
    return re.findall(r'"(?:long|fine|one|large)": ?([^,}]+)', base.text("digits"))


def test_digits_survive_any_edit_of_another_cell(base: StoredBase, view: BasePage) -> None:
    before = digits_of(base)
    assert "12345678901234567890" in before
    assert "0.1234567890123456789" in before
    assert "1.0" in before
    sent: list[str] = []
    view.page.on("request", partial(keep_save, sent))
    expect(view.cell("digits", "long")).to_have_text("12345678901234567890")
    expect(view.cell("digits", "one")).to_have_text("1.0")
    view.edit("digits", "note", "edited in place")
    view.save()
    view.open_editor("digits", "note")
    view.editor.get_by_label("note", exact=True).fill("edited in the editor")
    view.done()
    view.save()
    view.open_item("digits", as_json=True)
    assert "12345678901234567890" in view.json()
    view.write_json(view.json().replace("edited in the editor", "edited as a row"))
    view.done()
    expect(view.save_button).to_have_text("Save 1 edit")
    view.save()
    view.cell("digits", "note").click()
    view.press("Delete")
    view.save()
    assert digits_of(base) == before
    assert base.get("digits")["deep"] == {"in": [Decimal("1.0"), 12345678901234567890]}
    assert len(sent) == 4
    assert all("123456789" not in body for body in sent), "what nobody touched is not sent"


@pytest.mark.slow
def test_typed_digits_are_stored_as_typed(base: StoredBase, view: BasePage) -> None:
    for text in (*DIGITS.values(), "-0.10", "1E-7"):
        view.edit("other", "long", text)
        view.save()
        assert base.get("other")["long"] == Decimal(text)
        if "e" not in text.lower():
            assert re.search(f'"long": ?{re.escape(text)}[,}}]', base.text("other"))


@pytest.mark.slow
def test_undo_of_a_save_brings_every_digit_back(base: StoredBase, view: BasePage) -> None:
    before = digits_of(base)
    for name in DIGITS:
        view.edit("digits", name, "5")
    view.save()
    view.page.get_by_role("button", name="Undo", exact=True).click()
    expect(view.live).to_have_text("Undone")
    assert digits_of(base) == before


def test_only_rows_in_view_are_in_the_document(cast: Cast, pages: Pages) -> None:
    """1,000 rows of 20 columns would be 20,000 cells; scrolling must not come to depend on how many were loaded."""
    base = make_base(
        cast,
        *({"key": f"w{row:04}", **{f"column{column:02}": row for column in range(20)}} for row in range(1_000)),
        name="wide",
    )
    view = open_base(pages, base)
    view.cell("w0000", "column00").click()
    eventually_on(view.page, lambda: view.press("Control+ArrowDown") or view.row("w0999").count())
    expect(view.cell("w0999", "column00")).to_be_focused()
    assert view.grid.get_attribute("aria-rowcount") == "1001"
    assert view.page.locator("#grid-body [role=row]").count() < 60
    view.press("Control+ArrowUp")
    expect(view.cell("w0000", "column00")).to_have_text("0")
    assert view.page.locator("#grid-body [role=row]").count() < 60


@pytest.mark.slow
def test_item_of_400_kb_opens_in_the_editor(base: StoredBase, view: BasePage) -> None:
    rows = [{"n": number, "text": "x" * 40} for number in range(5_800)]
    base.put({"key": "big", "rows": rows})
    view.page.get_by_role("button", name="Refresh").click()
    expect(view.row("big")).to_be_visible()
    assert box_of(view.cell("big", "rows"))["width"] < 400
    view.open_item("big", as_json=True)
    assert json.loads(view.json())["rows"] == rows
    view.write_json(view.json().replace('"n": 5799', '"n": 1.0'))
    view.done()
    view.save()
    assert base.get("big")["rows"][-1] == {"n": Decimal("1.0"), "text": "x" * 40}


def test_long_text_is_edited_whole(base: StoredBase, view: BasePage) -> None:
    base.put({"key": "long", "note": "line\n" * 5_000})
    view.page.get_by_role("button", name="Refresh").click()
    view.cell("long", "note").dblclick()
    field = view.editor.get_by_label("note", exact=True)
    expect(field).to_have_value("line\n" * 5_000)
    field.press("Control+End")
    field.type("end")
    view.done()
    view.save()
    assert base.get("long")["note"] == "line\n" * 5_000 + "end"


def test_plain_field_takes_over_when_the_editor_does_not_come(base: StoredBase, pages: Pages) -> None:
    view = open_base(pages, base)
    intercept(view.page, "**/ace*.js", lambda route: route.abort())
    view.open_editor("digits", "deep")
    field = view.editor.get_by_label("deep as JSON")
    expect(field).to_have_value(re.compile("12345678901234567890"))
    field.fill('{"in": [2.0]}')
    view.done()
    view.save()
    assert base.get("digits")["deep"] == {"in": [Decimal("2.0")]}


def test_rows_are_pasted_as_staged_rows_and_undone_as_one(base: StoredBase, view: BasePage) -> None:
    view.cell("other", "key").click()
    text = "key\tnote\tlong\nfrom/sheet\t<b>x</b>\t12345678901234567890\n\twithout key\t1.0\n"
    view.page.evaluate(PASTE, text)
    expect(view.save_button).to_have_text("Save 2 edits")
    offer = view.page.locator(".toast", has_text="2 rows from the clipboard staged").get_by_role("button").first
    expect(offer).to_have_text("Undo")
    view.press("Control+z")
    expect(view.save_button).to_be_hidden()
    expect(offer).to_be_hidden()
    view.press("Control+Shift+Z")
    view.save()
    assert base.get("from/sheet") == {"key": "from/sheet", "note": "<b>x</b>", "long": 12345678901234567890}


COPY = """() => {
  const data = new DataTransfer();
  document.activeElement.dispatchEvent(new ClipboardEvent("copy", { clipboardData: data, bubbles: true, cancelable: true }));
  return data.getData("text/plain");
}"""


@pytest.mark.slow
def test_one_value_is_pasted_into_every_cell_of_a_range(base: StoredBase, view: BasePage) -> None:
    view.cell("digits", "note").click()
    view.press("Shift+ArrowDown")
    view.page.evaluate(PASTE, "same")
    view.save()
    assert (base.get("digits")["note"], base.get("other")["note"]) == ("same", "same")


def test_cells_and_rows_are_copied(view: BasePage) -> None:
    view.cell("digits", "long").click()
    assert view.page.evaluate(COPY) == "12345678901234567890"
    view.press("Shift+ ")
    lines = view.page.evaluate(COPY).split("\n")
    assert lines[0].split("\t")[0] == "key"
    assert "1.0" in lines[1].split("\t")
    view.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.page.get_by_role("button", name="More").click()
    view.page.get_by_role("button", name="Copy as JSON").click()
    expect(view.page.get_by_text("Copied 1 row.")).to_have_count(2)
    copied = view.page.evaluate("navigator.clipboard.readText()")
    assert '"fine": 0.1234567890123456789' in copied
    assert json.loads(copied)[0]["key"] == "digits"


@pytest.mark.slow
def test_row_is_duplicated_with_every_digit(base: StoredBase, view: BasePage) -> None:
    view.cell("digits", "note").click()
    view.page.get_by_role("button", name="More").click()
    view.page.get_by_role("button", name="Duplicate").click()
    view.edit(view.new_row(), "key", "copy")
    view.save()
    assert {**base.get("copy"), "key": "digits"} == base.get("digits")


@pytest.mark.parametrize(
    "kind, text",
    [
        ("csv", 'key,note,long\n"a,b","say ""hi""",1.0\n'),
        ("json", '[{"key": "a,b", "note": "say \\"hi\\"", "long": 1.0}]'),
        ("ndjson", '{"key": "a,b", "note": "say \\"hi\\"", "long": 1.0}\n'),
    ],
)
def test_file_is_imported(base: StoredBase, view: BasePage, kind: str, text: str) -> None:
    view.page.locator("#import-file").set_input_files(
        {"name": f"rows.{kind}", "mimeType": "text/plain", "buffer": text.encode()}
    )
    expect(view.page.get_by_text(f"1 row from rows.{kind} staged.")).to_be_visible()
    view.save()
    assert base.get("a,b") == {"key": "a,b", "note": 'say "hi"', "long": Decimal("1.0")}
    assert "1.0" in base.text("a,b")


def test_file_of_stored_rows_becomes_yellow_cells(base: StoredBase, view: BasePage) -> None:
    """In Windows' own encoding; what the file does not have, and what it only says again, stays as it is."""
    before = base.get("other")
    content = f"key;note\nother;größer\ndigits;{base.get('digits')['note']}\nnew;x\n".encode("cp1252")
    view.page.locator("#import-file").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": content})
    said = "2 rows from a.csv staged: 1 new, 1 edited, 1 unchanged. CSV, semicolons between cells, Windows-1252."
    expect(view.page.get_by_text(said)).to_be_visible()
    expect(view.cell("other", "note")).to_have_class(re.compile("is-staged"))
    expect(view.save_button).to_have_text("Save 2 edits")
    view.save()
    assert base.get("other") == {**before, "note": "größer"}
    assert base.get("new") == {"key": "new", "note": "x"}
    view.page.locator("#import-file").set_input_files(
        {"name": "cat.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00"}
    )
    expect(view.page.get_by_text("Not imported: This is neither a table nor JSON.")).to_be_visible()


@pytest.mark.parametrize("kind", [pytest.param("JSON", marks=pytest.mark.slow), "CSV"])
def test_shown_query_is_exported(view: BasePage, kind: str) -> None:
    view.run('{"note": "x"}')
    expect(view.page.locator("#grid-body [data-id]")).to_have_count(1)
    view.page.get_by_role("button", name="More").click()
    with view.page.expect_download() as download:
        view.page.get_by_role("link", name=f"Export as {kind}", exact=True).click()
    text = download.value.path().read_text()
    assert "12345678901234567890" in text
    assert "other" not in text
