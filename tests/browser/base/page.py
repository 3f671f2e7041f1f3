"""The page of a Base as a person sees it: what tests do there in one line, and what is stored behind it."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, Request, expect

from storage.base import bases, items
from storage.errors import ItemNotFound
from storage.models import Base
from storage.postgres.caller import Access
from tests.browser.conftest import Pages
from tests.people import Cast
from tests.storage.rows import fill_base

BATCH = 25

PASTE = """text => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


@dataclass(frozen=True)
class StoredBase:
    """One Base in the database, without the page."""

    cast: Cast
    name: str

    @property
    def access(self) -> Access:
        return Access(self.cast.collection.id)

    def put(self, *some: dict[str, Any]) -> None:
        for start in range(0, len(some), BATCH):
            items.put_items(access=self.access, base=self.name, items=list(some[start : start + BATCH]))

    def get(self, key: str) -> Any:
        """The item with every digit, or None."""
        try:
            found = items.get_item(access=self.access, base=self.name, key=key)
        except ItemNotFound:
            return None
        return json.loads(found.json, parse_float=Decimal)

    def text(self, key: str) -> str:
        """The item's JSON as it is stored."""
        return items.get_item(access=self.access, base=self.name, key=key).json

    def delete(self, key: str) -> None:
        items.delete_item(access=self.access, base=self.name, key=key)


def make_base(cast: Cast, *some: dict[str, Any], name: str = "things") -> StoredBase:
    bases.ensure_base(collection_id=cast.collection.id, name=name)
    base = StoredBase(cast, name)
    if len(some) > 10 * BATCH:
        fill_base(Base.objects.get(collection_id=cast.collection.id, name=name).pk, some)
    else:
        base.put(*some)
    return base


def keep_save(sent: list[str], request: Request) -> None:
    """Of the requests of a page, the bodies of those that save."""
    if request.url.endswith("/save/"):
        sent.append(request.post_data or "")


class BasePage:
    """A browser on that page. Rows are named by their keys; new ones by where they stand from the top."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.grid = page.get_by_role("grid")
        self.bar = page.get_by_role("combobox", name="Search or query this Base")
        self.live = page.locator("#base-live")
        self.facts = page.locator("#base-facts")
        self.editor = page.locator("dialog.editor[open]")
        self.save_button = page.locator("#save")
        self.undo_button = page.locator("#undo-all")
        self.delete_button = page.locator("#delete")

    def row(self, key: str) -> Locator:
        return self.page.locator(f'#grid-body [data-id="item:{key}"]')

    def new_row(self, position: int = 0) -> Locator:
        return self.page.locator('#grid-body [data-id^="new:"]').nth(position)

    def cell(self, row: str | Locator, name: str) -> Locator:
        return (self.row(row) if isinstance(row, str) else row).locator(f'> [data-name="{name}"]')

    def edit(self, row: str | Locator, name: str, text: str, *, ends_with: str = "Enter") -> None:
        """Type over a cell and take it."""
        self.cell(row, name).click()
        self.press(text[0]) if len(text) == 1 else self.page.keyboard.type(text)
        self.press(ends_with)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def save(self) -> None:
        """Ctrl+S, and wait until it was answered and told."""
        with self.page.expect_response(re.compile("/save/$")):
            self.press("Control+s")
        expect(self.page.locator("#base-page")).to_have_attribute("aria-busy", "false")
        expect(self.live).to_have_text(re.compile("Saved|failed"))

    def select(self, *keys: str) -> None:
        for key in keys:
            self.row(key).get_by_role("checkbox", name=f"Select {key}", exact=True).click()

    def run(self, text: str) -> None:
        self.bar.fill(text)
        self.press("Enter")

    def open_editor(self, row: str | Locator, name: str) -> None:
        self.cell(row, name).click()
        self.press("Shift+Enter")
        expect(self.editor).to_be_visible()

    def open_item(self, row: str | Locator, *, as_json: bool = False) -> None:
        """Open an item beside the table."""
        found = self.row(row) if isinstance(row, str) else row
        found.get_by_role("button", name=re.compile("^Open ")).first.click()
        if as_json:
            self.editor.get_by_role("tab", name="JSON").click()

    def add_row(self) -> None:
        """An empty row in the table, to type into."""
        self.page.get_by_role("button", name="More").click()
        self.page.get_by_role("button", name="Add an empty row").click()

    def json(self) -> str:
        """What stands in the JSON editor."""
        self.editor.locator(".ace_text-input").wait_for(state="attached")
        text: str = self.page.evaluate("document.querySelector('.editor-json').env.editor.getValue()")
        return text

    def write_json(self, text: str) -> None:
        """Replace what stands in the JSON editor."""
        self.editor.locator(".ace_text-input").wait_for(state="attached")
        # By the editor's own way in: it completes brackets while one types.
        self.page.evaluate("text => document.querySelector('.editor-json').env.editor.setValue(text, 1)", text)

    def done(self) -> None:
        self.editor.get_by_role("button", name="Done").click()
        expect(self.editor).to_be_hidden()
        # The page hears of the closing a moment later, and brings the focus back to the cell.
        expect(self.page.locator(":is(#editor-body, #item-body) > *")).to_have_count(0)

    def staged(self) -> dict[str, Any]:
        """What this browser keeps of staged work, by row."""
        kept = self.page.evaluate(
            "Object.entries(localStorage).filter(([name]) => name.startsWith('homeport:staged:'))"
        )
        return dict(json.loads(json.loads(kept[0][1])["staged"])["changes"]) if kept else {}


def open_base(
    pages: Pages, base: StoredBase, person: User | None = None, *, query: str = "", **options: Any
) -> BasePage:
    """Sign in (as a member, unless told who) and open the Base; ready when its rows are drawn by the script."""
    path = f"/collections/{base.cast.collection.id}/base/{base.name}/{query}"
    page = pages(person or base.cast.member, path, **options)
    page.locator("#grid-body").wait_for(state="attached")
    page.locator(".grid-row-head [data-name=key]").wait_for()
    return BasePage(page)
