"""`manage.py demo`: sample data."""

from typing import Any

import emoji

from console import own_address
from console.management.demo_books import book_items
from console.management.demo_items import messy_items
from console.management.recorded import RecordedCommand
from storage import exact_json, limits
from storage.base import items
from storage.collections import collections, keys
from storage.postgres.caller import Access

# The tidy one comes first in every list of Bases.
TIDY_BASE, BASE, MESSY_BASE = "books", "emoji", "guests"


class Command(RecordedCommand):
    help = (
        "Create a collection with sample data: a Base of old books to look around in, a Base of about 5,000 emoji with their "
        "names in 14 languages (nested lists, missing attributes, right-to-left text, keys that are not letters), and a Base "
        "of 3,000 made-up guests with messy data (mixed types, nulls, markup, keys with slashes)."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        collection = collections.create_collection("Demo")
        documents = [{"key": character, **known} for character, known in _emoji().items()]
        access = Access(collection.id)
        _store(access, TIDY_BASE, list(book_items()))
        _store(access, BASE, documents)
        _store(access, MESSY_BASE, list(messy_items()))
        key = keys.create_key(collection_id=collection.id, name="demo").text
        self.stdout.write(_introduction(collection.id, key, len(documents)))


def _store(access: Access, base: str, documents: list[dict[str, Any]]) -> None:
    for start in range(0, len(documents), limits.ITEMS_PER_PUT):
        items.put_items(access=access, base=base, items=documents[start : start + limits.ITEMS_PER_PUT])


def _emoji() -> dict[str, dict[str, Any]]:
    """What is known of each emoji, with exact numbers in place of the package's floats."""
    emoji.config.load_language()
    known: dict[str, dict[str, Any]] = exact_json.parse(exact_json.dump(emoji.EMOJI_DATA))
    return known


def _introduction(collection_id: str, key: str, count: int) -> str:
    base = f"{own_address.noted_address()}/v1/{collection_id}/{BASE}"
    header = f"-H 'X-API-Key: {key}'"
    return f"""
Created the collection {collection_id} with {count:,} items in the Base "{BASE}".
For the table in the console it has a tidy Base, "{TIDY_BASE}", and a messy one, "{MESSY_BASE}".
Its data key:

  {key}

Try it:

  curl {header} {base}/items/%F0%9F%8F%A0
  curl {header} {base}/query -d '{{"query": {{"fr?contains": "drapeau"}}, "limit": 3}}'
  curl {header} {base}/query -d '{{"query": {{"E": 0.6, "variant": true}}, "limit": 3}}'
  curl {header} -X PUT {base}/items -d '{{"items": [{{"key": "mine", "en": ":homeport:"}}]}}'
  curl {header} -X PATCH {base}/items/mine -d '{{"set": {{"alias": [":port:"]}}, "append": {{"alias": [":home:"]}}}}'

The last line is refused, and says why: the two operations name one attribute.
"""
