"""All that a query finds, page after page, one page in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from deta.cli.bases.item_calls import Page, query
from deta.cli.place import BasePlace, Place
from deta.errors import NotFound
from deta.items import Item

PAGE_ITEMS = 1000


def pages(
    place: Place, base: BasePlace, text: str, *, limit: Optional[int] = None, descending: bool = False
) -> Iterator[Page]:
    """Raises CliError for a Base that is not there."""
    last, left = None, limit
    while left is None or left > 0:
        wanted = PAGE_ITEMS if left is None else min(left, PAGE_ITEMS)
        try:
            page = base.ask(query(f"Base “{base.name}”", text, limit=wanted, last=last, descending=descending))
        except NotFound:
            raise place.lacks("bases", base.name) from None
        yield page
        left = None if left is None else left - len(page.items)
        last = page.last
        if last is None:
            return


def items(
    place: Place, base: BasePlace, text: str, *, limit: Optional[int] = None, descending: bool = False
) -> Iterator[Item]:
    for page in pages(place, base, text, limit=limit, descending=descending):
        yield from page.items
