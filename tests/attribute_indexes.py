"""Indexes of attributes, made at once instead of after some queries, and what must be in them."""

from storage.attribute_indexes import ready, tending
from storage.attribute_indexes.sql import tending as tending_sql
from storage.models import AttributeIndex
from storage.postgres.database import run
from storage.postgres.statements import Statement
from tests.waiting import eventually


def make_index(base_id: int, *path: str, build: bool = True) -> AttributeIndex:
    """An index of a Base, ready with `build`."""
    index = AttributeIndex.objects.create(base_id=base_id, path=list(path))
    if build:
        finish_building()
        index.refresh_from_db()
        assert index.state == AttributeIndex.State.READY
    ready.forget(base_id)
    return index


def finish_building() -> None:
    """Tend indexes until none is on its way. Others' transactions may be waited for."""

    def is_over() -> bool:
        tending.tend_indexes()
        return not AttributeIndex.objects.exclude(state=AttributeIndex.State.READY).exists()

    eventually(is_over)


def find_faults(index: AttributeIndex) -> list[tuple[object, ...]]:
    """Entries that no item has, and those that an item should have."""
    wanted = """SELECT storage_entry_kind(v.value) AS kind, storage_entry_number(v.value) AS number,
            storage_entry_text(v.value) AS text, i.key
        FROM storage_item i, LATERAL (SELECT storage_attribute(i.value, $2::text[]) AS value) v WHERE i.base_id = $3"""
    held = "SELECT kind, number, text, key FROM storage_attributeentry WHERE index_id = $1"
    faults = f"(({held}) EXCEPT ({wanted})) UNION ALL (({wanted}) EXCEPT ({held}))"
    return list(run(Statement(faults, [index.pk, index.path, index.base_id], tuple)))


def count_entries(index_id: int) -> int:
    """How many entries an index has, whatever its state."""
    text = "SELECT count(*) FROM storage_attributeentry WHERE index_id = $1"
    ((count,),) = run(Statement(text, [index_id], tuple))
    return int(count)


def let_all_know(index: AttributeIndex) -> None:
    """Until no transaction is left that may not know of its state."""

    def is_known() -> bool:
        run(tending_sql.mark_moment(index.pk))
        return run(tending_sql.is_known_to_all(index.pk))[0].answer

    eventually(is_known)
