"""The table on the messy data that the demo brings: every item is shown as it is, and each kind of row can be edited."""

import pytest
from playwright.sync_api import expect

from console.management.demo_items import messy_items
from storage.exact_json import dump
from tests.browser.base.page import make_base, open_base
from tests.browser.conftest import Pages
from tests.people import Cast
from tests.waiting import eventually

COUNT = 3_000


@pytest.mark.slow
def test_every_item_is_reached_by_scrolling(cast: Cast, pages: Pages) -> None:
    view = open_base(pages, make_base(cast, *messy_items(COUNT), name="guests"))
    seen: set[str] = set()
    frame = view.page.locator("#base-frame")
    expect(view.page.locator("#base-count")).to_have_text("3,000 items")

    def has_seen_all() -> bool:
        seen.update(view.page.locator("#grid-body [data-id]").evaluate_all("rows => rows.map(row => row.dataset.id)"))
        frame.evaluate("async frame => { frame.scrollTop += 400; await new Promise(requestAnimationFrame); }")
        return len(seen) == COUNT

    eventually(has_seen_all)
    assert seen == {f"item:{item['key']}" for item in messy_items(COUNT)}


@pytest.mark.parametrize("number", [33, *(pytest.param(each, marks=pytest.mark.slow) for each in (2823, 0, 7))])
def test_row_of_any_kind_is_edited_and_nothing_else_of_it_changes(cast: Cast, pages: Pages, number: int) -> None:
    """Keys with slashes and markup, right-to-left keys, long texts, deep lists, numbers that no binary number holds."""
    item = next(item for position, item in enumerate(messy_items(COUNT)) if position == number)
    base = make_base(cast, item, {"key": "another"}, name="guests")
    before = base.get(item["key"])
    view = open_base(pages, base)
    view.run(f'{{"key": {_json(item["key"])}}}')
    row = view.page.locator("#grid-body [data-id]")
    expect(row).to_have_count(1)
    view.edit(row, "name", "Somebody else")
    view.save()
    assert base.get(item["key"]) == {**before, "name": "Somebody else"}


def _json(text: str) -> str:
    return dump(text).decode()
