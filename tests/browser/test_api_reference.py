"""The page that shows the API: what is typed there is sent to this server, and the key goes nowhere else."""

from playwright.sync_api import expect

from storage.collections import keys
from tests.browser.axe import faults_of, layout_faults_of
from tests.browser.conftest import Pages
from tests.people import Cast


def test_operations_are_tried_with_a_key_that_stays_in_the_page(cast: Cast, pages: Pages) -> None:
    _, key = keys.create_key(collection_id=cast.collection.id, name="to try")
    page = pages(cast.reader, f"/collections/{cast.collection.id}/connect/")
    page.get_by_role("link", name="API reference").click()
    page.get_by_role("navigation", name="Operations").get_by_role("link", name="Store or replace items").click()
    put = page.get_by_role("article", name="Store or replace items")
    put.get_by_text("Try it", exact=True).click()
    put.get_by_role("button", name="Send").click()
    expect(put.get_by_role("status")).to_contain_text("What is missing: the data key")
    expect(page.get_by_label("Data key")).to_be_focused()

    page.keyboard.type(key)
    page.get_by_label("Base or Drive").fill("a.b")
    body = put.get_by_label("Body", exact=True)
    body.fill('{"items": [{"key": "a/b ü?", "n": 12345678901234567890}]}')
    body.press("Control+Enter")
    answer = put.get_by_role("status")
    expect(answer).to_contain_text("207")
    expect(answer).to_contain_text(f"PUT /v1/{cast.collection.id}/a.b/items")
    expect(answer).to_contain_text("Item-Revisions: ")
    expect(answer.get_by_role("region", name="Body of the answer")).to_contain_text("12345678901234567890")

    get = page.get_by_role("article", name="Get an item")
    get.get_by_text("Try it", exact=True).click()
    for name, status in (("a/b ü?", "200 OK"), ("nothing", "404 Not Found")):
        get.get_by_label("key", exact=True).fill(name)
        get.get_by_label("key", exact=True).press("Enter")
        expect(get.get_by_role("status")).to_contain_text(status)
    get.get_by_label("key", exact=True).fill("..")
    get.get_by_role("button", name="Send").click()
    expect(get.get_by_role("status")).to_contain_text("A browser cannot send")

    file = page.get_by_role("article", name="Store or replace a file")
    file.get_by_text("Try it", exact=True).click()
    file.get_by_label("File", exact=True).set_input_files(
        {"name": "x.bin", "mimeType": "application/x-thing", "buffer": b"\x00\x01"}
    )
    file.get_by_role("button", name="Send").click()
    expect(file.get_by_role("status")).to_contain_text("201 Created")
    download = page.get_by_role("article", name="Get a file")
    download.get_by_text("Try it", exact=True).click()
    download.get_by_role("button", name="Send").click()
    expect(download.get_by_role("status")).to_contain_text("200 OK 2 B application/x-thing")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert faults_of(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert layout_faults_of(page) == []

    put.get_by_role("link", name="PutItems").click()
    schema = page.get_by_role("region", name="Schema PutItems")
    expect(schema).to_contain_text('"maxItems": 25')
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, location.href, document.cookie])")
    assert key not in kept
    page.get_by_role("link", name="Homeport").click()
    page.go_back()
    expect(page.get_by_label("Data key")).to_have_value("")
