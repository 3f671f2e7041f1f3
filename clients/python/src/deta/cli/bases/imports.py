"""Many items into a Base, 25 to a request and a few requests at a time, with a bounded part of them in memory.

It may be ended and begun again at any place: what was stored is stored again as it is. So an item without a key gets one that
follows from what it is and where it stands, the same each time.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from deta.cli import exact_json
from deta.cli.bases.item_calls import Stored
from deta.cli.bases.records import BadRecord, Record
from deta.cli.exact_json import BadJson, Number
from deta.errors import BadRequest
from deta.items import PUT_MANY_MAX, Item

PARALLEL = 4

Put = Callable[[list[Item]], Stored]


@dataclass
class Batch:
    """Items for one request. `last` is the number of the last record in it."""

    records: list[Record] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    @property
    def last(self) -> int:
        return self.records[-1].number


def with_key(record: Record, key_attribute: Optional[str]) -> Record:
    """The record with a key: its own, that of an attribute, or one made of its number and content. Raises BadRecord."""
    item = dict(record.item)
    if key_attribute is not None:
        value = item.get(key_attribute)
        if not isinstance(value, str) or not value:
            raise BadRecord(f"`{key_attribute}` is missing or empty, so it can't be the key ({record.place})")
        # A number is its text, and a key is a text.
        item["key"] = str.__str__(value) if isinstance(value, Number) else value
    elif item.get("key") is None:
        item.pop("key", None)
        try:
            content = exact_json.encode(item)
        except BadJson as error:
            raise BadRecord(f"{error.reason} ({record.place})") from None
        item["key"] = f"{record.number:09d}-{hashlib.sha256(content).hexdigest()[:16]}"
    elif not isinstance(item["key"], str) or isinstance(item["key"], Number):
        raise BadRecord(f"The key is not a text ({record.place})")
    return Record(record.number, record.place, item)


def batches(records: Iterator[Record]) -> Iterator[Batch]:
    """Groups for one request each; a key that comes again begins a new one, as the later item is to win."""
    batch = Batch()
    for record in records:
        key = record.item["key"]
        if key in batch.keys or len(batch.records) == PUT_MANY_MAX:
            yield batch
            batch = Batch()
        batch.records.append(record)
        batch.keys.add(key)
    if batch.records:
        yield batch


class Importer:
    """Sends batches. `stored` is how many records, from the first on, are stored for sure; `told` is called when it grows."""

    def __init__(self, put: Put, *, told: Callable[[int], Any], parallel: int = PARALLEL) -> None:
        self.stored = 0
        self._put = put
        self._told = told
        self._parallel = parallel
        self._running: deque[tuple[Batch, Future[None]]] = deque()
        self._is_broken = False

    def run(self, records: Iterator[Record]) -> None:
        """Store them all. Raises BadRecord, and what a request raises; what came before is stored then."""
        with ThreadPoolExecutor(self._parallel) as threads:
            try:
                for batch in batches(records):
                    # Of two items with one key the later is to win: it waits for the other.
                    while self._running and (self._is_full() or self._meets(batch)):
                        self._end_first()
                    self._running.append((batch, threads.submit(self._send, batch)))
            finally:
                # What was sent before is counted, whatever ended this.
                self._end_all()

    def _is_full(self) -> bool:
        return len(self._running) >= 2 * self._parallel

    def _meets(self, batch: Batch) -> bool:
        return any(not batch.keys.isdisjoint(running.keys) for running, _ in self._running)

    def _end_first(self) -> None:
        batch, future = self._running.popleft()
        try:
            future.result()
        except BaseException:
            # What was sent behind it may be stored too, and does not count: this is not.
            self._is_broken = True
            raise
        if not self._is_broken:
            self.stored = batch.last
            self._told(self.stored)

    def _end_all(self) -> None:
        if self._is_broken:
            for _, future in self._running:
                future.cancel()
            return
        while self._running:
            self._end_first()

    def _send(self, batch: Batch) -> None:
        try:
            stored = self._put([record.item for record in batch.records])
        except BadRequest as error:
            raise BadRecord(_explain(error, batch)) from None
        except BadJson as error:
            first, last = batch.records[0], batch.records[-1]
            raise BadRecord(f"{error.reason} (between {first.place} and {last.place})") from None
        if stored.failed:
            keys = {item.get("key") for item in stored.failed}
            places = [record.place for record in batch.records if record.item["key"] in keys]
            raise BadRecord(f"An attribute has no name ({'; '.join(places)})")


def _explain(error: BadRequest, batch: Batch) -> str:
    """The server says which of the request's items it means, as in `items[3].a`; a person wants to know which of all."""
    first, *more = error.errors or (str(error),)
    reason, _, at = first.partition(", at items[")
    number, _, inner = at.partition("]")
    if not (number.isdigit() and int(number) < len(batch.records)):
        return f"{'. '.join([first, *more])} (one of the items {batch.records[0].number:,} to {batch.last:,})"
    name = inner.lstrip(".")
    said = ". ".join([f"{reason} in `{name}`" if name else reason, *more])
    return f"{said} ({batch.records[int(number)].place})"
