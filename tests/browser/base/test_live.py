"""The open table follows what others do, and leaves alone what one is at: two browsers side by side, and an app."""

import re

from django.db import connection
from playwright.sync_api import Page, expect

from storage.models import Base
from tests.browser.axe import faults_of
from tests.browser.base.page import make_base, open_base
from tests.browser.conftest import Pages, intercept
from tests.factories import make_client
from tests.people import Cast
from tests.serving import Server
from tests.storage.rows import fill_base

STREAM = re.compile(r"/live/\?since=")


def hide(page: Page, is_hidden: bool) -> None:
    """As when somebody goes to another tab, and comes back."""
    page.evaluate(
        """is_hidden => {
          Object.defineProperty(document, "hidden", { value: is_hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


def forget_changes(base_id: int) -> None:
    """As when the history of the Base has grown over its size."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO storage_historybeginning (base_id, version_id, at)
            SELECT base_id, max(id), now() FROM storage_itemversion WHERE base_id = %s GROUP BY base_id
            """,
            [base_id],
        )


def test_what_others_do_appears_and_disturbs_nobody(server: Server, cast: Cast, pages: Pages) -> None:
    base = make_base(cast, {"key": "a", "age": 22}, {"key": "b", "age": 1, "name": "Bo"}, {"key": "c", "age": 2})
    app = make_client(server, "things", collection_id=cast.collection.id)
    mine = open_base(pages, base, bypass_csp=True)
    theirs = open_base(pages, base, cast.owner)
    count, pill = mine.page.locator("#base-count"), mine.page.locator("#live-pill")

    # What one saves the other sees.
    theirs.edit("a", "age", "24")
    theirs.save()
    expect(mine.cell("a", "age")).to_have_text("24")
    expect(mine.facts).to_contain_text("live, fetched 3 items")

    # A staged edit stays, and tells what an app has made of its value meanwhile; the rest of the row is taken over.
    mine.edit("b", "age", "9")
    app.put({"key": "b", "age": 5, "name": "Bea"})
    expect(mine.cell("b", "name")).to_have_text("Bea")
    expect(mine.cell("b", "age")).to_have_attribute("title", re.compile(r"edited, was 1; changed by data key .+ to 5"))
    assert mine.staged()["item:b"]["cells"] == {"age": {"loaded": "1", "mine": "9"}}

    # So does the cell that the cursor is in, until it goes on.
    mine.cell("c", "age").click()
    app.put({"key": "c", "age": 77, "name": "new"})
    expect(mine.cell("c", "name")).to_have_text("new")
    expect(mine.cell("c", "age")).to_have_attribute("title", re.compile("changed by .+ to 77"))
    expect(mine.cell("c", "age")).to_be_focused()
    expect(mine.cell("c", "age")).to_contain_text("2,")

    # A new item that would move the cursor's row is counted, and others come by themselves; deleted ones go.
    app.put({"key": "B"})
    app.put({"key": "d", "age": 3})
    expect(mine.row("d")).to_be_visible()
    expect(pill).to_have_text("1 new item")
    assert faults_of(mine.page) == []
    app.delete("d")
    expect(mine.row("d")).to_have_count(0)
    expect(mine.cell("c", "age")).to_be_focused()
    pill.click()
    expect(mine.row("B").get_by_role("rowheader")).to_be_focused()
    expect(mine.cell("c", "age")).to_have_text("77")
    expect(count).to_have_text("4 items")

    # Held still, it only counts.
    hold = mine.page.get_by_role("button", name="Hold still")
    hold.click()
    app.put({"key": "a", "age": 25})
    expect(mine.facts).to_contain_text("held still, 1 change waiting")
    expect(mine.cell("a", "age")).to_have_text("24")
    hold.click()
    expect(mine.cell("a", "age")).to_have_text("25")

    # The item of a staged edit is deleted: the edit is still there, and says so.
    app.delete("b")
    expect(mine.row("b").get_by_role("button", name="Not saved: The item was deleted or has expired.")).to_be_visible()
    assert mine.staged()["item:b"]["cells"] == {"age": {"loaded": "1", "mine": "9"}}


def test_a_table_that_was_away_catches_up(cast: Cast, pages: Pages) -> None:
    base = make_base(cast, {"key": "a", "age": 22}, {"key": "b", "age": 1})
    view = open_base(pages, base, cast.reader, query="?q=%7B%22age%3Flt%22%3A+50%7D&sort=-age")
    page, base_id = view.page, Base.objects.get(collection_id=cast.collection.id, name="things").pk
    expect(view.facts).to_contain_text("live")

    # In a tab that nobody sees it takes no connection, and goes on from where it was.
    with page.expect_event("requestfailed", lambda request: STREAM.search(request.url) is not None):
        hide(page, True)
    base.put({"key": "c", "age": 10}, {"key": "d", "age": 99})
    intercept(page, STREAM, lambda route: route.abort(), times=1)
    hide(page, False)
    expect(view.facts).to_contain_text("connection lost, trying again")
    expect(view.cell("c", "age")).to_have_text("10")
    expect(view.facts).to_contain_text("live")
    rows = page.locator("#grid-body > [role=row]")
    expect(rows).to_have_count(3)
    assert [row.get_attribute("data-id") for row in rows.all()] == ["item:a", "item:c", "item:b"]

    # What the query finds no more goes.
    base.put({"key": "a", "age": 60})
    expect(view.row("a")).to_have_count(0)

    # Of so long ago that the changes are not kept, and for very many at once, all is read anew.
    hide(page, True)
    base.put({"key": "e", "age": 49})
    forget_changes(base_id)
    hide(page, False)
    expect(view.row("e")).to_be_visible()
    fill_base(base_id, [{"key": f"x{number:04}", "age": 49} for number in range(1_100)])
    expect(page.locator("#base-count")).to_have_text("1,103 of 1,105 match")
