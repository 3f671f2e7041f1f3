"""The bar: what it forgives, what it understood, what it says when it cannot; scanning, stopping, and what is remembered."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.base.page import BasePage, StoredBase, make_base, open_base
from tests.browser.conftest import Pages, intercept
from tests.people import Cast


@pytest.fixture
def base(cast: Cast) -> StoredBase:
    return make_base(
        cast,
        *(
            {"key": f"k{number:03}", "age": number, "name": f"name {number}", "done": number % 2 == 0}
            for number in range(312)
        ),
    )


@pytest.fixture
def view(base: StoredBase, pages: Pages) -> BasePage:
    return open_base(pages, base)


FORGIVEN = [
    ("{'age?gt': 300, 'done': True}", '{"age?gt":300,"done":true}', 5),
    ("[{age: 1}, {age: 2},]", '[{"age":1},{"age":2}]', 2),
    ("{age: 1} // the first", '{"age":1}', 1),
    ("{age: 1, gone: None}", '{"age":1,"gone":null}', 0),
    ("{'name?pfx': 'name 30'}", '{"name?pfx":"name 30"}', 11),
]


def test_pasted_python_and_javascript_is_understood(view: BasePage) -> None:
    for text, understood, count in FORGIVEN:
        view.run(text)
        expect(view.page.locator("#bar-message")).to_have_text(f"Understood as {understood}")
        expect(view.page.locator("#base-count")).to_have_text(f"{count} of 312 match")
        expect(view.page.locator("#grid-body [data-id]")).to_have_count(count)


WRONG = [
    ('{"age?gtt": 5}', 'Unknown operator ?gtt on "age". Did you mean ?gt?'),
    ('{"age?": 5}', "operator"),
    ('{"name?pfx": 5}', "pfx"),
    ('{"age?r": [1]}', "age"),
    ('{"age": 1', "}"),
    ("{'age': }", "“}” was not expected here"),
]


def test_while_the_text_is_wrong_the_last_rows_stay_dimmed(view: BasePage) -> None:
    for text, words in WRONG:
        view.run('{"age?lt": 3}')
        expect(view.page.locator("#grid-body [data-id]")).to_have_count(3)
        view.bar.fill(text)
        message = view.page.locator("#bar-message")
        expect(message).to_contain_text(words)
        expect(view.page.locator("#base-frame")).to_have_class(re.compile("is-outdated"))
        expect(view.bar).to_have_attribute("aria-invalid", "")
        view.press("Enter")
        expect(message).to_contain_text(words)
        expect(view.page.locator("#grid-body [data-id]")).to_have_count(3)
        view.run('{"age?lt": 2}')
        expect(view.page.locator("#base-frame")).not_to_have_class(re.compile("is-outdated"))
        expect(view.page.locator("#grid-body [data-id]")).to_have_count(2)


@pytest.mark.slow
def test_nothing_found_says_why_for_each_clause(view: BasePage) -> None:
    view.run('{"age": "22", "nobody": 1}')
    empty = view.page.locator("#base-empty")
    expect(empty.get_by_role("heading")).to_have_text("0 of 312 match")
    expect(empty.get_by_role("listitem").first).to_contain_text("age is a number in 312 items; you wrote a string")
    expect(empty.get_by_role("listitem").nth(1)).to_contain_text("nobody")


@pytest.mark.slow
def test_anything_else_is_searched_for_as_a_word(view: BasePage) -> None:
    view.run("301")
    expect(view.page.locator("#grid-body [data-id]")).to_have_count(1)
    expect(view.row("k301")).to_be_visible()


@pytest.mark.slow
def test_status_says_when_how_many_and_how_long(view: BasePage) -> None:
    expect(view.facts).to_have_text(re.compile(r"live, fetched 100 items, took [\d,]+ ms, more follow"))
    expect(view.page.locator("#base-count")).to_have_text("312 items")


def test_scan_that_finds_nothing_shows_that_it_goes_on_and_can_be_stopped(cast: Cast, pages: Pages) -> None:
    """Each answer looks at about a megabyte: with bulky items the scan takes many."""
    base = make_base(cast, *({"key": f"k{number:03}", "text": "x" * 60_000} for number in range(60)))
    view = open_base(pages, base)
    held: list[Route] = []

    def hold_the_later_pages(route: Route) -> None:
        if "last=" in route.request.url:
            held.append(route)
        else:
            route.continue_()

    intercept(view.page, "**/rows/?*", hold_the_later_pages)
    view.run('{"text?contains": "nowhere"}')
    expect(view.facts).to_contain_text("Scanning")
    expect(view.facts).to_contain_text(re.compile(r"\d+ items scanned, found 0"))
    stop = view.page.get_by_role("button", name="Stop")
    stop.click()
    expect(view.facts).to_contain_text("stopped")
    expect(stop).to_be_hidden()
    view.page.unroute("**/rows/?*")
    view.page.get_by_role("button", name="Continue").click()
    expect(view.page.locator("#base-empty").get_by_role("heading")).to_have_text("0 of 60 match")


def test_recent_queries_are_offered(view: BasePage) -> None:
    rows = view.page.locator("#grid-body [data-id]")
    for number in (1, 2):
        view.run(f'{{"age": {number}}}')
        expect(rows).to_have_count(1)
        expect(view.row(f"k00{number}")).to_be_visible()
    view.page.get_by_role("button", name="Clear").click()
    expect(view.page.get_by_role("option")).to_have_text(['{"age": 2}', '{"age": 1}'])
    view.press("ArrowDown", "ArrowDown", "Enter")
    expect(view.bar).to_have_value('{"age": 1}')
    expect(rows).to_have_count(1)


def test_operators_are_explained_with_this_base_and_put_into_the_bar(view: BasePage) -> None:
    view.page.get_by_role("button", name="How to query").click()
    menu = view.page.locator("#operators-menu")
    expect(menu.get_by_role("row", name=re.compile("greater than or"))).to_be_visible()
    menu.get_by_role("button", name=re.compile("name\\?pfx")).click()
    expect(view.bar).to_have_value(re.compile("name\\?pfx"))
    expect(view.bar).to_be_focused()


def test_query_as_code(view: BasePage) -> None:
    view.bar.fill("{'age?gt': 300}")
    view.page.get_by_role("button", name="More").click()
    view.page.get_by_role("button", name="This query as code").click()
    dialog = view.page.get_by_role("dialog", name="This query as code")
    for language in ("Python", "JavaScript", "Go", "curl"):
        expect(dialog.get_by_role("heading", name=language, exact=True)).to_be_visible()
        expect(dialog.get_by_role("region", name=f"In {language}")).to_contain_text("age?gt")
    view.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    dialog.get_by_role("button", name="Copy the curl lines").click()
    assert "curl" in view.page.evaluate("navigator.clipboard.readText()")


def test_item_named_in_the_address_is_shown(base: StoredBase, pages: Pages) -> None:
    view = open_base(pages, base, query="?key=k300")
    expect(view.cell("k300", "key")).to_be_focused()


def test_without_scripts_the_table_is_read_and_paged(base: StoredBase, pages: Pages) -> None:
    page = pages(
        base.cast.member, f"/collections/{base.cast.collection.id}/base/{base.name}/", java_script_enabled=False
    )
    expect(page.get_by_role("row")).to_have_count(101)
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_text("k100", exact=True)).to_be_visible()
    page.get_by_label("Search or query").fill('{"age": 7}')
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
