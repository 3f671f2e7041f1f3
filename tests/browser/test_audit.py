"""The audit log as a person reads it: filtered without a reload, and the same after one and with Back."""

from playwright.sync_api import expect

from storage.collections import keys
from tests.browser.conftest import Pages
from tests.people import Cast


def test_filter_stays_after_reload_and_goes_with_back(cast: Cast, pages: Pages) -> None:
    keys.create_key(collection_id=cast.collection.id, name="an app")
    page = pages(cast.owner, f"/collections/{cast.collection.id}/settings/")
    page.get_by_role("link", name="Open the log").click()
    rows = page.locator("#audit-list tbody tr")
    expect(rows).to_have_count(2)

    page.get_by_label("Kind").select_option("Data keys")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("created the data key an app")
    assert page.url.endswith("kind=keys&since=&until=")

    page.reload()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Kind")).to_have_value("keys")

    page.get_by_label("Who").select_option("The command line")
    expect(page.get_by_text("No entry found")).to_be_visible()
    page.go_back()
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="CSV").is_visible()
    page.go_back()
    expect(rows).to_have_count(2)


def test_file_holds_what_the_page_shows(cast: Cast, pages: Pages) -> None:
    keys.create_key(collection_id=cast.collection.id, name="an app")
    page = pages(cast.server_owner, f"/collections/{cast.collection.id}/audit/?kind=keys")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="JSON lines").click()
    lines = waiting.value.path().read_text().splitlines()
    assert len(lines) == 1
    assert '"about":"an app"' in lines[0]
