"""Nothing is lost and nothing is applied twice: reload, a crashed tab, the end of a session, a broken network, two tabs."""

import contextlib
import re

import pytest
from playwright.sync_api import Dialog, Error, Route, expect

from tests.browser.base.page import BasePage, StoredBase, make_base, open_base
from tests.browser.conftest import Pages, eventually_on, intercept
from tests.matching import search
from tests.people import Cast, make_session


@pytest.fixture
def base(cast: Cast) -> StoredBase:
    return make_base(cast, *({"key": f"k{number}", "age": number, "name": "Ada"} for number in range(5)))


@pytest.fixture
def view(base: StoredBase, pages: Pages) -> BasePage:
    return open_base(pages, base)


def reopen(view: BasePage) -> None:
    view.page.locator(".grid-row-head [data-name=key]").wait_for()


def test_staged_work_survives_a_reload_with_its_history(base: StoredBase, view: BasePage) -> None:
    view.edit("k1", "age", "77")
    view.edit("k2", "name", "Grace")
    view.page.on("dialog", lambda dialog: dialog.accept())
    view.page.reload()
    reopen(view)
    expect(view.save_button).to_have_text("Save 2 edits")
    expect(view.cell("k1", "age")).to_contain_text("77")
    view.cell("k3", "age").click()
    view.press("Control+z")
    expect(view.save_button).to_have_text("Save 1 edit")
    view.press("Control+Shift+Z")
    view.save()
    assert base.get("k1")["age"] == 77
    assert base.get("k2")["name"] == "Grace"


def test_leaving_with_staged_work_warns(view: BasePage) -> None:
    seen: list[str] = []

    def stay(dialog: Dialog) -> None:
        seen.append(dialog.type)
        dialog.dismiss()

    view.page.on("dialog", stay)
    view.edit("k1", "age", "77")
    view.page.close(run_before_unload=True)
    eventually_on(view.page, lambda: seen)
    assert seen == ["beforeunload"]
    assert not view.page.is_closed()


@pytest.mark.slow
def test_staged_work_survives_a_crashed_tab(base: StoredBase, view: BasePage) -> None:
    view.edit("k1", "age", "77")
    context, address = view.page.context, view.page.url
    with view.page.expect_event("crash"), contextlib.suppress(Error):
        view.page.goto("chrome://crash", timeout=3_000)
    fresh = context.new_page()
    fresh.goto(address)
    again = BasePage(fresh)
    reopen(again)
    expect(again.save_button).to_have_text("Save 1 edit")
    again.save()
    assert base.get("k1")["age"] == 77


def test_session_ends_and_staged_work_is_saved_after_signing_in_again(base: StoredBase, view: BasePage) -> None:
    view.edit("k1", "age", "77")
    context = view.page.context
    url = view.page.url
    context.clear_cookies(name="sessionid")
    view.press("Control+s")
    notice = view.page.locator("#save-notice")
    expect(notice).to_contain_text("You are signed out. Nothing is lost")
    expect(notice.get_by_role("link", name="Sign in in a new tab")).to_have_attribute("target", "_blank")
    assert base.get("k1")["age"] == 1
    origin = search(r"^https?://[^/]+", url).group()
    context.add_cookies([{"name": "sessionid", "value": make_session(base.cast.member), "url": origin}])
    view.save()
    expect(notice).to_be_hidden()
    assert base.get("k1")["age"] == 77


def test_staged_work_survives_a_new_sign_in_and_is_not_shown_to_another_person(
    base: StoredBase, view: BasePage
) -> None:
    view.edit("k1", "age", "77")
    context, page = view.page.context, view.page
    origin = search(r"^https?://[^/]+", page.url).group()
    page.on("dialog", lambda dialog: dialog.accept())
    context.add_cookies([{"name": "sessionid", "value": make_session(base.cast.owner), "url": origin}])
    page.reload()
    reopen(view)
    expect(view.cell("k1", "age")).to_have_text("1")
    expect(view.save_button).to_be_hidden()
    context.add_cookies([{"name": "sessionid", "value": make_session(base.cast.member), "url": origin}])
    page.reload()
    reopen(view)
    expect(view.save_button).to_have_text("Save 1 edit")


@pytest.mark.slow
def test_network_is_lost_before_the_request_arrives(base: StoredBase, view: BasePage) -> None:
    view.edit("k1", "age", "77")
    intercept(view.page, "**/save/", lambda route: route.abort())
    view.press("Control+s")
    notice = view.page.locator("#save-notice")
    expect(notice).to_contain_text("Nothing is lost")
    assert base.get("k1")["age"] == 1
    view.page.unroute("**/save/")
    notice.get_by_role("button", name="Try now").click()
    expect(view.live).to_have_text("Saved 1")
    expect(notice).to_be_hidden()
    assert base.get("k1")["age"] == 77


def test_answer_is_lost_and_nothing_is_applied_twice(base: StoredBase, view: BasePage) -> None:
    """The server has saved, the browser never heard: sent again, the same is answered and nothing is added twice."""
    view.add_row()
    view.edit(view.new_row(), "name", "only once")
    bodies = []

    def lose_the_first_answer(route: Route) -> None:
        bodies.append(route.request.post_data)
        if len(bodies) == 1:
            assert route.fetch().status == 200
            route.abort()
        else:
            route.continue_()

    intercept(view.page, "**/save/", lose_the_first_answer)
    view.press("Control+s")
    expect(view.live).to_have_text("Saved 1")
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    view.run('{"name": "only once"}')
    expect(view.page.locator("#base-count")).to_contain_text("1 of 6 match")


@pytest.mark.slow
def test_page_is_left_during_a_save_that_is_finished_on_return(base: StoredBase, view: BasePage) -> None:
    view.add_row()
    view.edit(view.new_row(), "name", "only once")

    def save_and_lose(route: Route) -> None:
        assert route.fetch().status == 200
        route.abort()

    intercept(view.page, "**/save/", save_and_lose)
    view.press("Control+s")
    expect(view.page.locator("#save-notice")).to_contain_text("Nothing is lost")
    view.page.unroute("**/save/")
    view.page.on("dialog", lambda dialog: dialog.accept())
    view.page.reload()
    reopen(view)
    expect(view.live).to_have_text("Saved 1")
    expect(view.save_button).to_be_hidden()
    view.run('{"name": "only once"}')
    expect(view.page.locator("#base-count")).to_contain_text("1 of 6 match")


@pytest.mark.slow
def test_double_click_on_save_sends_one_request(base: StoredBase, view: BasePage) -> None:
    sent = []
    view.page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/save/") else None)
    view.add_row()
    view.edit(view.new_row(), "name", "only once")
    view.page.evaluate(
        "() => { const save = document.getElementById('save'); save.click(); save.click(); save.click(); }"
    )
    expect(view.live).to_have_text("Saved 1")
    assert len(sent) == 1


@pytest.mark.slow
def test_cell_edited_while_a_save_is_on_its_way_stays_staged(base: StoredBase, view: BasePage) -> None:
    view.edit("k1", "age", "77")
    held: list[Route] = []
    intercept(view.page, "**/save/", lambda route: held.append(route))
    view.press("Control+s")
    expect(view.save_button).to_have_text("Saving …")
    view.edit("k1", "age", "78")
    view.edit("k1", "name", "Grace")
    eventually_on(view.page, lambda: held)
    held[0].continue_()
    expect(view.live).to_have_text("Saved 1")
    assert base.get("k1") == {"key": "k1", "age": 77, "name": "Ada"}
    expect(view.save_button).to_have_text("Save 2 edits")
    view.page.unroute("**/save/")
    view.save()
    assert base.get("k1") == {"key": "k1", "age": 78, "name": "Grace"}


def test_two_tabs_share_the_staged_work(base: StoredBase, view: BasePage) -> None:
    other_page = view.page.context.new_page()
    other_page.goto(view.page.url)
    other = BasePage(other_page)
    reopen(other)
    view.edit("k1", "age", "77")
    expect(other.save_button).to_have_text("Save 1 edit")
    other.edit("k2", "age", "88")
    expect(view.save_button).to_have_text("Save 2 edits")
    view.save()
    assert base.get("k1")["age"] == 77
    assert base.get("k2")["age"] == 88
    expect(other.save_button).to_be_hidden()


def test_restored_work_says_what_was_changed_since(base: StoredBase, view: BasePage) -> None:
    view.edit("k1", "age", "77")
    view.edit("k2", "age", "88")
    base.put({"key": "k1", "age": 1, "name": "Changed meanwhile"})
    base.delete("k2")
    view.page.on("dialog", lambda dialog: dialog.accept())
    view.page.reload()
    reopen(view)
    expect(view.page.get_by_text("2 items were changed since")).to_be_visible()
    expect(view.row("k1")).to_have_class(re.compile("is-problem"))
    view.press("Control+s")
    expect(view.live).to_have_text("Saved 1")
    assert base.get("k1") == {"key": "k1", "age": 77, "name": "Changed meanwhile"}
    assert base.get("k2") is None


@pytest.mark.slow
def test_scroll_focus_and_selection_stay_through_a_save(cast: Cast, pages: Pages) -> None:
    base = make_base(cast, *({"key": f"k{number:03}", "age": number} for number in range(100)))
    view = open_base(pages, base)
    view.cell("k000", "age").click()
    view.press("PageDown", "PageDown", "PageDown")
    view.press("ArrowUp")
    key = view.page.locator(":focus").evaluate("cell => cell.parentElement.dataset.id").removeprefix("item:")
    view.page.keyboard.type("77")
    view.press("Enter", "ArrowUp", "Shift+ ")
    before = view.page.locator("#base-frame").evaluate("frame => frame.scrollTop")
    assert before > 0
    view.save()
    assert view.page.locator("#base-frame").evaluate("frame => frame.scrollTop") == before
    expect(view.cell(key, "age")).to_be_focused()
    expect(view.row(key)).to_have_attribute("aria-selected", "true")
    assert base.get(key)["age"] == 77
