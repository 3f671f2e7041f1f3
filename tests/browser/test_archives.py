"""Exporting and importing in a real browser, from the empty list to the report."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from storage.models import Import
from storage.postgres.caller import Access
from tests import archives
from tests.browser.conftest import Pages, eventually_on, intercept
from tests.people import Cast


def choose(page: Page, path: Path) -> None:
    page.locator("#sender-file").set_input_files(path)


def test_an_export_is_made_downloaded_and_deleted(cast: Cast, pages: Pages, tmp_path: Path) -> None:
    archives.fill(Access(cast.collection.id), "notes", [{"key": "a"}])
    page = pages(cast.member, f"/collections/{cast.collection.id}/exports/")
    expect(page.get_by_text("No export yet")).to_be_visible()
    page.get_by_role("button", name="Export now").click()
    expect(page.get_by_text("1 item in 1 Base")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    downloading.value.save_as(tmp_path / "out.zip")
    assert archives.manifest_of((tmp_path / "out.zip").read_bytes()).totals.items == 1

    page.get_by_role("link", name="Delete the export").click()
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    page.get_by_role("button", name="Delete the export").click()
    expect(page.get_by_text("No export yet")).to_be_visible()


def test_an_archive_is_sent_looked_through_and_imported(cast: Cast, pages: Pages, tmp_path: Path) -> None:
    path = tmp_path / "mine.zip"
    entries = {
        "bases/notes.json": '[{"key": "a"}, {"key": ""}]',
        "bases/odd name.json": "[]",
        "drives/d/f": b"x" * 9_000_000,
    }
    path.write_bytes(archives.make_zip(entries))
    page = pages(cast.member, f"/collections/{cast.collection.id}/imports/")
    expect(page.get_by_text("Nothing imported yet")).to_be_visible()
    page.get_by_role("link", name="Import a file").click()
    choose(page, path)
    expect(page.get_by_text("2 items in 2 Bases, 1 file in 1 Drive")).to_be_visible()
    expect(page.get_by_label("Another name for odd name")).to_have_value("odd-name")
    expect(page.get_by_label("Another name for notes")).to_be_hidden()
    page.get_by_label("Action for the base notes").select_option("rename")
    page.get_by_label("Another name for notes").fill("mine")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("region", name="What was imported")).to_be_visible()
    expect(page.get_by_role("row", name="notes mine 2 1")).to_be_visible()
    assert archives.stored_items(Access(cast.collection.id), "mine") == {"a": {}}
    page.reload()
    expect(page.get_by_text("A key is empty").first).to_be_visible()


def test_a_table_is_looked_at_by_columns_and_updates_items(cast: Cast, pages: Pages, tmp_path: Path) -> None:
    """Without a key it would only add rows: the page says so, and another column becomes the key before anything is stored."""
    access = Access(cast.collection.id)
    archives.fill(access, "people", [{"key": "ada", "age": 36, "city": "London"}])
    path = tmp_path / "people.csv"
    path.write_bytes("name;age;zip;née\nada;36,5;01067;Zoë\nbob;7;80331;\n".encode("cp1252"))
    page = pages(cast.member, f"/collections/{cast.collection.id}/imports/new/")
    choose(page, path)
    expect(page.get_by_text("CSV, semicolons between cells, Windows-1252")).to_be_visible()
    expect(page.get_by_text("2 rows have no key: they are added as new")).to_be_visible()
    expect(page.get_by_label("Type of age")).to_have_value("number")
    expect(page.get_by_text("as in the Base")).to_have_count(1)
    expect(page.get_by_label("Type of zip")).to_have_value("text")
    expect(page.get_by_role("row", name="zip")).to_contain_text("01067 · 80331")
    page.get_by_label("The key is name").check()
    page.get_by_role("button", name="Import", exact=True).click()
    # It is checked again first, and says what would come of it.
    expect(page.get_by_label("Action for the base people")).to_have_value("update")
    expect(page.get_by_text("Update attributes in the file: 1 updated, 1 new")).to_be_attached()
    expect(page.get_by_label("The key is name")).to_be_checked()
    assert archives.stored_items(access, "people")["ada"]["age"] == 36
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("1 new, 1 updated")).to_be_visible()
    base_path = f"/collections/{cast.collection.id}/base/people/"
    expect(page.get_by_role("link", name="people", exact=True)).to_have_attribute("href", base_path)
    found = archives.stored_items(access, "people")
    assert {key: (str(item["age"]), item.get("city"), item["zip"]) for key, item in found.items()} == {
        "ada": ("36.5", "London", "01067"),
        "bob": ("7", None, "80331"),
    }


@pytest.mark.slow
def test_a_file_chosen_before_the_script_is_there_is_sent(cast: Cast, pages: Pages, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(b"[]")
    page = pages(cast.member, f"/collections/{cast.collection.id}/imports/")
    held: list[Route] = []
    intercept(page, "**/import_upload*.js", lambda route: held.append(route))
    page.get_by_role("link", name="Import a file").click()
    choose(page, path)
    (script,) = eventually_on(page, lambda: held)
    script.continue_()
    expect(page.get_by_text("0 items in 1 Base")).to_be_visible()


@pytest.mark.slow
def test_sending_goes_on_after_the_connection_broke_and_after_a_reload(
    cast: Cast, pages: Pages, tmp_path: Path
) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(b"[" + b" " * 20_000_000 + b"]")
    page = pages(cast.member, f"/collections/{cast.collection.id}/imports/new/")
    intercept(page, "**/parts/?start=8388608", lambda route: route.abort(), times=1)
    intercept(page, "**/parts/?start=16777216", lambda route: None)
    choose(page, path)
    expect(page.get_by_text("Sending: 16.8 of 20.0 MB")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Stopped. Choose the same file again")).to_be_visible()
    page.unroute_all()

    started = Import.objects.get(collection=cast.collection)
    page.goto(f"/collections/{cast.collection.id}/imports/{started.id}/")
    choose(page, Path(__file__))
    expect(page.get_by_text("This is a different file")).to_be_visible()
    choose(page, path)
    expect(page.get_by_text("0 items in 1 Base")).to_be_visible()
    assert Import.objects.filter(collection=cast.collection).count() == 1


@pytest.mark.slow
def test_a_file_that_is_no_archive_fails_with_the_reason(cast: Cast, pages: Pages, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG")
    page = pages(cast.member, f"/collections/{cast.collection.id}/imports/new/")
    choose(page, path)
    expect(page.get_by_role("alert")).to_contain_text("neither a zip nor JSON")


def test_deleting_works_with_the_keyboard_alone(cast: Cast, pages: Pages) -> None:
    archives.export_now(Access(cast.collection.id))
    page = pages(cast.member, f"/collections/{cast.collection.id}/exports/")
    page.get_by_role("link", name="Delete the export").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("link", name="Delete the export")).to_be_focused()
