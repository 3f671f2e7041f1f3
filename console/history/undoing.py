"""What one writer did to a Base since a moment, taken back: counted for the preview, and as changes to stage."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.base.last_changed_by import describe_changers
from console.history.bring_back import without_past_expiry
from console.history.filters import read_time, read_writer
from storage.base.edits import ItemState
from storage.collections.roles import CollectionAccess
from storage.errors import InvalidInput
from storage.history.undo_batches import Batch, ItemStep, TouchedCount, Writer, count_items, find_batch
from storage.history.undoing import Step
from storage.postgres.caller import Access

_LISTED = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose changes, from when on, and the key that the batch before ended with."""

    writer: Writer
    since: datetime
    after: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a batch comes to. `clashing` are edits among `edits` of what somebody else has changed since; `left_alone` are
    items that somebody else made, deleted or changed so that nothing can be staged, `lost` those of which not enough is kept,
    a few by key. `total` counts the items of all batches, where there are several."""

    edits: int
    adds: int
    deletes: int
    clashing: int
    unchanged: int
    left_alone: int
    left_alone_keys: list[str]
    lost: int
    lost_keys: list[str]
    last: str | None
    total: TouchedCount | None

    @property
    def staged(self) -> int:
        return self.edits + self.adds + self.deletes

    @property
    def items(self) -> int:
        """Of the batch, all together."""
        return self.staged + self.unchanged + self.left_alone + self.lost


def read_asked(by: str, since: str, after: str = "") -> Asked | None:
    """Out of an address; None as long as one of the two is missing."""
    writer, moment = read_writer(by), read_time(since)
    return Asked(writer, moment, after) if writer and moment else None


def find_preview(asked: Asked, *, access: Access, base: str) -> Preview:
    batch = _find(asked, access, base)
    ways = Counter(item.step.way for item in batch.items if item.step)
    left = [item.key for item in batch.items if item.step and item.step.way == "conflict"]
    lost = [item.key for item in batch.items if item.step is None]
    return Preview(
        edits=ways["edit"],
        adds=ways["add"],
        deletes=ways["delete"],
        clashing=sum(bool(item.step and item.step.clashing) for item in batch.items),
        unchanged=ways["leave"],
        left_alone=len(left),
        left_alone_keys=left[:_LISTED],
        lost=len(lost),
        lost_keys=lost[:_LISTED],
        last=batch.last,
        total=_count(asked, access, base) if asked.after or batch.last is not None else None,
    )


def _count(asked: Asked, access: Access, base: str) -> TouchedCount:
    return count_items(access=access, base=base, writer=asked.writer, since=asked.since)


def find_rows(given: object, *, granted: CollectionAccess, access: Access, base: str) -> dict[str, Any]:
    """`{"rows", "unchanged", "expired", "left_alone", "last"}` for `{"by", "since", "after"}`.

    Rows as in `bring_back.find_rows`, and with `clash` where somebody else has changed the same since: `{"theirs", "revision",
    "changed_at", "changed_by"}`, as a save would answer. `last` is where the next batch begins, None at the end.
    """
    fields = given if isinstance(given, dict) else {}
    texts = [fields.get(name, "") for name in ("by", "since", "after")]
    if not all(isinstance(text, str) for text in texts):
        raise InvalidInput("`undo` has texts: `by`, `since` and `after`")
    asked = read_asked(*texts)
    if asked is None:
        raise InvalidInput("Say whose changes, and from when on")
    batch = _find(asked, access, base)
    met = [item.present for item in batch.items if item.present is not None]
    words = dict(zip([state.key for state in met], describe_changers(granted, met), strict=True))
    rows = [row for item in batch.items if (row := _row(item, words.get(item.key, {})))]
    ways = Counter(item.step.way if item.step else "lost" for item in batch.items)
    return {
        "rows": rows,
        "unchanged": ways["leave"],
        "expired": sum(_is_expired(item) for item in batch.items),
        "left_alone": ways["conflict"] + ways["lost"],
        "last": batch.last,
    }


def _find(asked: Asked, access: Access, base: str) -> Batch:
    return find_batch(access=access, base=base, writer=asked.writer, since=asked.since, after=asked.after)


def _row(item: ItemStep, changer: dict[str, str | None]) -> dict[str, Any] | None:
    step, present = item.step, item.present
    if step is None or step.way in ("leave", "conflict"):
        return None
    row: dict[str, Any] = {"key": item.key, "item": {}, "stored": None, "json": None, "delete": step.way == "delete"}
    row["item"] = staged = without_past_expiry(step.item)
    if present is None:
        return row if step.way == "add" else None
    if step.way == "edit" and not staged:
        return None
    row |= {"json": present.json, "stored": {"revision": str(present.revision), "values": dict(step.loaded)}}
    return row | {"clash": _clash(staged, step, present, changer)}


def _clash(
    item: Mapping[str, str | None], step: Step, present: ItemState, changer: dict[str, str | None]
) -> dict[str, Any] | None:
    theirs = {name: text for name, text in step.clashing.items() if name in item}
    return {"theirs": theirs, "revision": str(present.revision), **changer} if theirs else None


def _is_expired(item: ItemStep) -> bool:
    return item.step is not None and len(without_past_expiry(item.step.item)) < len(item.step.item)
