"""The indexes of a Base as people see them, and dropping one by hand."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from storage import limits
from storage.attribute_indexes import ready, tending
from storage.attribute_indexes.sql import tending as tending_sql
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.models import AttributeIndex, Base, BaseFigures
from storage.postgres import rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, run_one

State = AttributeIndex.State
# Where nobody has counted the entries yet.
_ENTRY_BYTES = 125


@dataclass(frozen=True, slots=True)
class ListedIndex:
    """An index of a Base. `entries` is how many it has as far as it is known, `percent` how far its building is."""

    id: int
    attribute: str
    is_ready: bool
    percent: int
    entries: int
    size_bytes: int
    used_at: datetime
    made_at: datetime


def list_indexes(*, base_id: int) -> list[ListedIndex]:
    """By attribute."""
    found = AttributeIndex.objects.filter(base_id=base_id).exclude(state=State.DROPPED).order_by("path")
    counted = BaseFigures.objects.filter(base_id=base_id).values_list("items", flat=True).first()
    size = run_one(tending_sql.size_up()) if found else None
    bytes_each = size.size_bytes / size.entries if size and size.entries else _ENTRY_BYTES
    listed = []
    for index in found:
        is_ready = index.state == State.READY
        # One for each item: those written since it was built are counted with the Base.
        entries = counted if is_ready and counted is not None else index.entries
        percent = 100 if is_ready else min(99, index.entries * 100 // max(1, index.expected))
        listed.append(
            ListedIndex(
                index.pk,
                ".".join(index.path),
                is_ready,
                percent,
                entries,
                round(entries * bytes_each),
                index.used_at,
                index.made_at,
            )
        )
    return listed


def find_index(*, base_id: int, index_id: int) -> AttributeIndex | None:
    """None for one that is not there, or not this Base's."""
    return AttributeIndex.objects.filter(pk=index_id, base_id=base_id).first()


def drop_index(*, access: Access, base: Base, index: AttributeIndex) -> None:
    """Queries do without it from now on; its entries are deleted in the background. One that is dropped already is no error.

    Raises EngineUnreachable, Unauthorized or Forbidden when the person may not write here (any more).
    """
    with engine_errors(), transaction.atomic():
        rights.ask_again(access)
        if tending.drop(AttributeIndex.objects.filter(pk=index.pk, base_id=base.pk)):
            audit.record(
                Verb.INDEX_DROPPED,
                collection_id=access.collection_id,
                about=base.name,
                details={"attribute": str(index)[: limits.AUDIT_TEXT_MAX_CHARACTERS]},
            )
    ready.forget(base.pk)
