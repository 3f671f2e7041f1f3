"""Micros in a browser: a folder becomes an app that answers, and pages that change by themselves disturb nobody."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from storage.micros import micros
from storage.models import Deployment, Micro, MicroLine
from storage.postgres import clock
from tests.browser.conftest import Pages, box_of, eventually_on, intercept
from tests.browser.test_keyboard import tab_to
from tests.micros import make_micro
from tests.people import Cast
from tests.waiting import MOMENT_SECONDS

HELLO = """
async def app(scope, receive, send):
    print("said hello")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"Hello from a folder"})
"""


@pytest.fixture
def micro(cast: Cast) -> Micro:
    return make_micro("hello", collection_id=cast.collection.id)


def url_of(micro: Micro, page: str = "") -> str:
    return f"/collections/{micro.collection_id}/micros/{micro.id}/{page}"


def print_lines(micro: Micro, count: int) -> None:
    lines = [
        MicroLine(micro_id=micro.id, at=clock.now(), source=MicroLine.Source.OUTPUT, text=f"line {number}")
        for number in range(count)
    ]
    MicroLine.objects.bulk_create(lines)


def wait_until_made(page: Page) -> None:
    page.wait_for_url("**/deployments/*-*/")
    expect(page.locator("#deployment:not([hx-get])")).to_be_visible(timeout=MOMENT_SECONDS * 1000)


def test_folder_becomes_an_app_that_answers_and_a_broken_one_shows_why(
    cast: Cast, pages: Pages, tmp_path: Path
) -> None:
    folder = tmp_path / "my app"
    (folder / "node_modules" / "x").mkdir(parents=True)
    (folder / "node_modules" / "x" / "index.js").write_text("left out")
    (folder / "ünï.txt").write_text("x")
    (folder / "main.py").write_text(HELLO)
    page = pages(cast.member, f"/collections/{cast.collection.id}/micros/new/")

    page.set_input_files("#folder-input", folder)
    expect(page.locator("#bundle-found")).to_contain_text("2 files")
    expect(page.locator("#id_name")).to_have_value("my app")
    expect(page.locator("#address-check")).to_contain_text("my-app")
    page.get_by_role("button", name="Create and deploy").click()
    wait_until_made(page)

    expect(page.locator("#deployment [role=status]")).to_have_text("serves")
    expect(page.locator("#micro-condition")).not_to_have_text("nothing deployed yet")
    expect(page.locator("#log")).to_contain_text("Deployment 1 serves.")
    found = Micro.objects.get(collection=cast.collection)
    micros.change_micro(collection_id=cast.collection.id, micro_id=found.id, has_sign_in=False)
    address = page.locator("#micro-address").get_attribute("href")
    app = page.context.new_page()

    def answers() -> bool:
        app.goto(f"{address}/")
        return "Hello from a folder" in app.content()

    eventually_on(app, answers, what="the app does not answer")

    (folder / "main.py").write_text("import no_such_package\n")
    page.goto(url_of(found, "deployments/"))
    page.set_input_files("#folder-input", folder)
    page.get_by_role("button", name="Deploy").click()
    wait_until_made(page)
    expect(page.locator("#reason")).to_contain_text("No module named 'no_such_package'")
    expect(page.get_by_role("heading", name="It does not serve: deployment 1 still does")).to_be_visible()
    app.goto(f"{address}/")
    assert "Hello from a folder" in app.content()


@pytest.mark.parametrize(
    "files, fault",
    [
        ({"notes.txt": "x"}, "There is no main.py and no index.js"),
        pytest.param(
            {".env": "x", "venv/pyvenv.cfg": "x"}, "There is no file in it that counts.", marks=pytest.mark.slow
        ),
    ],
)
def test_folder_that_could_not_start_is_refused_before_it_is_sent(
    files: dict[str, str], fault: str, micro: Micro, cast: Cast, pages: Pages, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / "app" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "app" / name).write_text(text)
    page = pages(cast.member, url_of(micro, "deployments/"))
    page.set_input_files("#folder-input", tmp_path / "app")
    expect(page.get_by_role("alert").filter(has_text=fault)).to_be_visible()
    expect(page.get_by_role("button", name="Deploy")).to_be_disabled()


@pytest.mark.slow
def test_connection_that_breaks_is_said_and_sending_again_works(
    micro: Micro, cast: Cast, pages: Pages, tmp_path: Path
) -> None:
    (tmp_path / "main.py").write_text(HELLO)
    page = pages(cast.member, url_of(micro, "deployments/"))
    intercept(page, "**/bundle/", lambda route: route.abort())
    page.set_input_files("#folder-input", tmp_path)
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("alert").filter(has_text="The connection broke off")).to_be_visible()
    assert not Deployment.objects.filter(micro=micro).exists()

    page.unroute("**/bundle/")
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url("**/deployments/*-*/")


@pytest.mark.slow
def test_cards_follow_and_keep_the_focus(micro: Micro, cast: Cast, pages: Pages) -> None:
    page = pages(cast.reader, f"/collections/{cast.collection.id}/micros/")
    link = page.get_by_role("link", name="hello", exact=True)
    link.focus()

    Deployment.objects.create(micro=micro, number=1, runtime="python", state="failed", reason="x")

    expect(page.get_by_text("deployment 1 failed")).to_be_visible()
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{url_of(micro)}")


def test_log_goes_on_at_its_end_and_stays_where_somebody_reads(micro: Micro, cast: Cast, pages: Pages) -> None:
    print_lines(micro, 80)
    page = pages(cast.reader, url_of(micro, "logs/"))
    log = page.locator("#log")
    left = "log => log.scrollHeight - log.scrollTop - log.clientHeight"
    assert log.evaluate(left) < 30

    print_lines(micro, 5)
    expect(page.locator(".log-line")).to_have_count(85)
    eventually_on(page, lambda: log.evaluate(left) < 30, what="it does not follow its end")

    log.evaluate("log => { log.scrollTop = 100 }")
    print_lines(micro, 5)
    expect(page.locator(".log-line")).to_have_count(90)
    assert log.evaluate("log => log.scrollTop") == 100


@pytest.mark.slow
def test_search_in_a_log_goes_on_with_what_matches(micro: Micro, cast: Cast, pages: Pages) -> None:
    print_lines(micro, 3)
    page = pages(cast.reader, url_of(micro, "logs/"))
    page.get_by_role("searchbox").fill("line 1")
    expect(page.locator(".log-line")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=line(\+|%20)1&"))
    expect(page.get_by_role("searchbox")).to_be_focused()

    print_lines(micro, 3)
    expect(page.locator(".log-line")).to_have_count(2)
    page.reload()
    expect(page.locator(".log-line")).to_have_count(2)


def test_variables_are_pasted_by_keyboard_alone(micro: Micro, cast: Cast, pages: Pages) -> None:
    page = pages(cast.member, url_of(micro, "environment/"))
    page.get_by_role("link", name="Paste .env").focus()
    page.keyboard.press("Enter")
    lines = page.get_by_role("textbox", name="Lines of a .env file")
    expect(lines).to_be_focused()
    page.keyboard.insert_text("TOKEN=secret\nno sign")
    tab_to(page, "Set")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Line 2 is not NAME=value.")).to_be_visible()
    lines.fill("TOKEN=secret")
    page.get_by_role("dialog").get_by_role("button", name="Set").press("Enter")
    expect(page.get_by_role("rowheader", name="TOKEN")).to_be_visible()
    assert "secret" not in page.content()


@pytest.mark.parametrize("tab", [pytest.param("logs", marks=pytest.mark.slow), "settings"])
def test_current_tab_is_in_view_on_a_narrow_window(tab: str, micro: Micro, cast: Cast, pages: Pages) -> None:
    page = pages(cast.member, url_of(micro, f"{tab}/"), width=390)
    box = box_of(page.locator(".tabs-small [aria-current]"))
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_sub_domain_is_suggested_checked_and_taken(micro: Micro, cast: Cast, pages: Pages) -> None:
    page = pages(cast.member, f"/collections/{cast.collection.id}/micros/new/")
    page.get_by_label("Name", exact=True).fill("Second app")
    expect(page.locator("#address-check")).to_contain_text("second-app")
    page.get_by_label("Sub-domain").fill(micro.subdomain)
    expect(page.locator("#address-check")).to_contain_text("is taken")
    page.get_by_label("Sub-domain").fill("")
    expect(page.locator("#address-check")).to_contain_text("It will be at")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/deployments/")
    expect(page.get_by_role("heading", name="Second app")).to_be_visible()
