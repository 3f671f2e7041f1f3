"""The Visor as a person uses it, with the published JavaScript client producing the traffic."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from storage.events import queries as event_queries
from storage.micros import micros
from tests.browser.conftest import Pages
from tests.factories import BaseClient, make_client
from tests.people import Cast
from tests.running_micros import run_micro
from tests.sdk.test_npm_client import INSTALLED, VERSION, _find_program, _install_client
from tests.serving import Server
from tests.visor import record
from tests.waiting import MOMENT_SECONDS, SWITCH_SECONDS, eventually

NOISY = (Path(__file__).parent.parent / "console/visor/noisy_app.py").read_text()
TRAFFIC = """
import { Deta } from "deta";
const deta = Deta(process.env.KEY);
const base = deta.Base("notes"), drive = deta.Drive("pics");
await base.put({ text: "<b>needle</b>" }, "one");
await base.get("one");
await base.get("missing");
await base.fetch({ "text?contains": "needle" });
await drive.put("2024/a.bin", { data: Buffer.from([0, 1, 2, 3]) });
await drive.get("2024/a.bin");
try { await base.update({}, "one"); } catch {}
"""


@pytest.fixture
def client(server: Server, cast: Cast) -> BaseClient:
    """An app of the cast's collection."""
    return make_client(server, "notes", collection_id=cast.collection.id)


def produce(server: Server, client: BaseClient) -> None:
    """Let the npm client send its requests."""
    _install_client("base.test.mjs", VERSION)
    script = INSTALLED / "traffic.mjs"
    script.write_text(TRAFFIC)
    host = urlsplit(server.tls_url).netloc
    environment = {
        "PATH": f"{Path(_find_program('node')).parent}:/usr/bin:/bin",
        "KEY": client.key_text,
        "DETA_BASE_HOST": host,
        "DETA_DRIVE_HOST": host,
        "NODE_EXTRA_CA_CERTS": str(server.ca_path),
    }
    done = subprocess.run(
        [_find_program("node"), script.name],
        cwd=INSTALLED,
        env=environment,
        capture_output=True,
        text=True,
        timeout=MOMENT_SECONDS,
    )
    assert done.returncode == 0, done.stderr


def rows(page: Page) -> Any:
    return page.locator("#events > tr")


def test_list_fills_by_itself_and_each_side_is_shown(
    server: Server, cast: Cast, client: BaseClient, pages: Pages, tmp_path: Path
) -> None:
    url = f"/collections/{cast.collection.id}/visor/"
    page = pages(cast.owner, url)
    page.get_by_role("button", name="Record requests").click()
    page.get_by_text("Waiting for the first request").wait_for()
    page.wait_for_timeout(SWITCH_SECONDS * 1000)

    produce(server, client)

    # Four of the Base, an update it refuses, a file that it sends as an upload of one part, and its download.
    expect(rows(page)).to_have_count(9)
    expect(page.locator("#visor-chart")).to_contain_text("9 requests")
    row = rows(page).filter(has_text="PUT")
    expect(row).to_contain_text("notes/items")
    expect(row).to_contain_text("207")
    expect(row).to_contain_text("Made by a test")
    page.screenshot(path=tmp_path / "list.png")
    row.get_by_role("link").click()
    panel = page.locator("#event")
    expect(panel.locator("#body-text")).to_contain_text('"text": "<b>needle</b>"')
    assert re.search(r"/visor/[0-9a-f]{32}/", page.url)
    panel.get_by_role("link", name="Request", exact=True).click()
    expect(panel.locator("#body-text")).to_contain_text('"items": [')
    expect(panel).to_contain_text("key “Made by a test”")
    assert client.key_text.split("_")[1] not in page.content()
    panel.get_by_role("link", name="Logs").click()
    expect(panel).to_contain_text("logged nothing")
    panel.get_by_role("link", name="Code").click()
    expect(panel.locator("#code-curl")).to_contain_text("$DETA_PROJECT_KEY")
    expect(panel.get_by_role("link", name="notes / one")).to_have_attribute(
        "href", f"/collections/{cast.collection.id}/base/notes/?key=one"
    )
    # Back loads the page anew: gone back twice at once, the second would break off what the first began.
    with page.expect_event("load"):
        page.go_back()
    expect(page).to_have_url(re.compile(r"\?tab=log"))
    expect(panel).to_contain_text("logged nothing")
    page.go_back()
    expect(page.locator("#event").locator("#body-text")).to_contain_text('"items": [')
    page.reload()
    expect(page.locator("#event").locator("#body-text")).to_contain_text('"items": [')
    page.keyboard.press("Escape")
    expect(page.locator("#event")).to_have_count(0)
    assert urlsplit(page.url).path == url
    rows(page).filter(has_text="download").get_by_role("link").click()
    expect(page.locator("#event")).to_contain_text(
        "SHA-256 054edec1d0211f624fed0cbca9d4f9400b0e491c43742af2c5b0abebf0c990d8"
    )


def seeded(cast: Cast, client: BaseClient) -> None:
    """A few requests, recorded."""
    record(cast.collection.id)
    client.put({"key": "a", "text": "a needle"})
    client.get("a")
    client.get("missing")
    client.query([{"a?bad": 1}])
    eventually(lambda: len(event_queries.list_events(collection_id=cast.collection.id).lines) == 4)


def test_history_of_an_item_is_reached_from_its_cells(cast: Cast, client: BaseClient, pages: Pages) -> None:
    seeded(cast, client)
    client.put({"key": "b", "text": "another"})
    page = pages(cast.reader, f"/collections/{cast.collection.id}/base/notes/")
    page.locator("#grid-body [data-id='item:a'] > [data-name=text]").click(button="right")
    page.get_by_role("menuitem", name="Requests in Visor").click()
    expect(rows(page)).to_have_count(2)
    expect(rows(page).get_by_role("link")).to_have_text(["notes/items/a", "notes/items"])


@pytest.mark.slow
def test_filters_stand_in_the_address_and_come_back(cast: Cast, client: BaseClient, pages: Pages) -> None:
    seeded(cast, client)
    page = pages(cast.member, f"/collections/{cast.collection.id}/visor/")
    expect(rows(page)).to_have_count(4)

    def asked() -> dict[str, list[str]]:
        return parse_qs(urlsplit(page.url).query)

    page.get_by_label("Status").select_option("4xx")
    expect(rows(page)).to_have_count(2)
    page.wait_for_url("**status=4xx")
    page.get_by_label("Method").select_option("GET")
    expect(rows(page)).to_have_count(1)
    assert asked() == {"status": ["4xx"], "method": ["GET"]}
    page.go_back()
    expect(rows(page)).to_have_count(2)
    page.goto(f"/collections/{cast.collection.id}/visor/")
    page.keyboard.press("/")
    page.keyboard.type("missing")
    expect(rows(page)).to_have_count(1)
    assert asked() == {"path": ["missing"]}
    page.reload()
    expect(rows(page)).to_have_count(1)
    page.goto(f"/collections/{cast.collection.id}/visor/")
    page.get_by_text("More filters").click()
    for label, value, count in (
        ("Text in bodies", "NEEDLE", 2),
        ("Text in bodies", "", 4),
        ("Minimum duration", "900000", 0),
    ):
        page.get_by_label(label).fill(value)
        page.get_by_label(label).press("Enter")
        expect(rows(page)).to_have_count(count)
    page.get_by_role("link", name="Show all").click()
    expect(rows(page)).to_have_count(4)
    page.get_by_text("More filters").click()
    page.get_by_label("Data key").select_option("Made by a test")
    expect(rows(page)).to_have_count(4)
    page.get_by_label("From (UTC)").fill("2100-01-01T00:00")
    page.get_by_label("From (UTC)").press("Enter")
    expect(rows(page)).to_have_count(0)


@pytest.mark.slow
def test_pause_holds_the_list_and_counts(cast: Cast, client: BaseClient, pages: Pages) -> None:
    seeded(cast, client)
    page = pages(cast.reader, f"/collections/{cast.collection.id}/visor/")
    page.locator("body").press("Space")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()

    client.get("a")
    client.get("a")

    expect(page.get_by_role("button", name="2 new")).to_be_visible()
    expect(rows(page)).to_have_count(4)
    page.get_by_role("button", name="2 new").click()
    expect(rows(page)).to_have_count(6)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    client.get("a")
    expect(rows(page)).to_have_count(7)


def test_everything_with_the_keyboard(cast: Cast, client: BaseClient, pages: Pages) -> None:
    seeded(cast, client)
    page = pages(
        cast.member, f"/collections/{cast.collection.id}/visor/", permissions=["clipboard-read", "clipboard-write"]
    )
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("k")
    expect(rows(page).nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    panel = page.locator("#event")
    expect(panel).to_contain_text("notes/items/missing")
    page.keyboard.press("j")
    expect(panel).to_contain_text("notes/items/a")
    page.keyboard.press("p")
    expect(panel.get_by_role("button", name="Unpin")).to_be_visible()
    page.keyboard.press("c")
    expect(page.locator("#toasts")).to_contain_text("Copied as curl")
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl -X GET")
    page.keyboard.press("r")
    expect(page.locator("#difference")).to_be_visible()
    expect(page.locator("#event")).to_contain_text("Sent again from")
    page.keyboard.press("Escape")
    expect(page.locator("#event")).to_have_count(0)
    page.keyboard.press("e")
    page.wait_for_url("**/client/?from=*")
    expect(page.get_by_label("Path")).to_have_value("notes/items/a")


def test_edit_send_and_compare(cast: Cast, client: BaseClient, pages: Pages) -> None:
    seeded(cast, client)
    page = pages(cast.member, f"/collections/{cast.collection.id}/visor/")
    rows(page).filter(has_text="PUT").get_by_role("link").click()
    page.get_by_role("link", name="Edit").click()
    body = page.get_by_role("textbox", name="Body")
    assert json.loads(body.input_value()) == {"items": [{"key": "a", "text": "a needle"}]}
    body.fill('{"items": [{"key": "a", "text": "a thread"}]}')
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("#dry-run")).to_contain_text("Nothing was changed")
    expect(page.locator("#dry-run .diff-old")).to_contain_text("a needle")
    expect(page.locator("#dry-run .diff-new")).to_contain_text("a thread")
    assert client.stored("a")["text"] == "a needle"
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#difference .diff-new").filter(has_text="a thread")).to_have_count(1)
    expect(page.locator("#difference .diff-old").filter(has_text="a needle")).to_have_count(1)
    assert client.stored("a")["text"] == "a thread"
    expect(page.locator(".history li")).to_have_count(1)
    page.locator("#event").get_by_role("link", name="the request of").click()
    expect(page.locator("#event")).to_contain_text("Sent again: 207")


def test_client_sends_json_and_text(cast: Cast, client: BaseClient, pages: Pages) -> None:
    client.put({"key": "a", "n": 1})
    page = pages(cast.member, f"/collections/{cast.collection.id}/visor/client/")
    page.get_by_label("Fill in for").select_option("query")
    expect(page.get_by_label("Path")).to_have_value("notes/query")
    page.get_by_role("textbox", name="Body").press("Control+Enter")
    expect(page.locator("#event #body-text")).to_contain_text('"n": 1')
    page.get_by_label("Method").select_option("POST")
    page.get_by_label("Path").fill("pics/files?name=hello.txt")
    page.get_by_role("textbox", name="Body").fill("not json")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("The body is not JSON")
    page.get_by_label("Text").check()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#event #body-text")).to_contain_text('"name": "hello.txt"')
    page.get_by_label("Path").fill("//example.com/x")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("Requests go only to this collection")
    page.goto(f"/collections/{cast.collection.id}/visor/client/")
    expect(page.locator(".history li")).to_have_count(2)
    page.locator(".history a").first.click()
    expect(page.get_by_label("Path")).to_have_value("pics/files?name=hello.txt")
    expect(page.get_by_label("Text")).to_be_checked()


@pytest.mark.slow
def test_without_scripts(cast: Cast, client: BaseClient, pages: Pages) -> None:
    seeded(cast, client)
    page = pages(cast.member, f"/collections/{cast.collection.id}/visor/?status=4xx", java_script_enabled=False)
    expect(rows(page)).to_have_count(2)
    rows(page).first.get_by_role("link").click()
    page.locator("#event").get_by_role("button", name="Redo").click()
    expect(page.locator("#difference")).to_contain_text("They are the same")
    page.get_by_role("link", name="Close").click()
    expect(page.locator("#event")).to_have_count(0)


@pytest.mark.slow
def test_a_micros_request_is_found_with_its_log_and_sent_again(server: Server, cast: Cast, pages: Pages) -> None:
    app = run_micro(server.url, cast.collection.id, {"main.py": NOISY}, name="shop", has_sign_in=True)
    micros.change_micro(collection_id=cast.collection.id, micro_id=app.micro.id, is_recorded=True)
    page = pages(cast.owner, f"/collections/{cast.collection.id}/visor/")
    page.wait_for_timeout(SWITCH_SECONDS * 1000)
    app.ask("/hook", "POST", body=b"refused")
    expect(rows(page)).to_have_count(1)

    page.get_by_role("link", name="HTTP client").click()
    page.get_by_label("Send to").select_option("Micro “shop”")
    expect(page.locator("#client-prefix")).to_have_text(f"http://{app.host}")
    expect(page.get_by_label("Path")).to_have_value("/")
    page.get_by_label("Path").fill("/breaks")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#event")).to_contain_text("500")

    page.goto(f"/collections/{cast.collection.id}/visor/")
    expect(rows(page)).to_have_count(2)
    page.get_by_label("Only the API").check()
    expect(rows(page)).to_have_count(0)
    page.get_by_label("shop", exact=True).check()
    expect(rows(page)).to_have_count(2)
    page.wait_for_url(f"**micro={app.micro.id}")
    expect(page.get_by_role("button", name="Stop recording")).to_be_visible()
    rows(page).filter(has_text="/breaks").locator("th a").click()
    panel = page.locator("#event")
    expect(panel).to_contain_text(f"{app.micro.subdomain}.localhost/breaks")
    panel.get_by_role("link", name="Logs").click()
    expect(panel.locator("#printed")).to_contain_text("ValueError: the app broke")
    panel.get_by_role("button", name="Redo").click()
    expect(page.locator("#event .tabs [aria-current]")).to_have_text("Difference")
    page.locator("#event").get_by_role("link", name="Logs").click()
    # It comes by itself, once the log has it.
    expect(page.locator("#printed")).to_contain_text("asked for /breaks")
    page.get_by_role("link", name="Live log").click()
    expect(page).to_have_url(re.compile(rf"/micros/{app.micro.id}/logs/"))
    expect(page.locator("main")).to_contain_text("asked for /breaks")
