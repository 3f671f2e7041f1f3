"""Changes of many items in one statement: what the database notes of them takes no longer for each than of few."""

import psutil
import psycopg
import pytest
from django.db import connection

from storage.base import items
from storage.exact_json import parse
from storage.models import Base
from storage.postgres.caller import Access
from tests.attribute_indexes import find_faults, make_index
from tests.processor_time import used_by
from tests.storage.history.reading import versions_of
from tests.storage.history.writers import Writer
from tests.storage.rows import fill_base

ITEMS = 12_000
# All of it takes a tenth of that, unless each of the new rows is compared with each of the old.
SECONDS = 5


@pytest.mark.parametrize("attribute", ["indexed", "other"])
def test_session_that_has_changed_one_item_changes_many(access: Access, attribute: str) -> None:
    """Its plans were made for one."""
    items.put_items(access=access, base="b", items=[{"key": "k", "indexed": 0}])
    base_id = Base.objects.get(collection_id=access.collection_id, name="b").pk
    fill_base(base_id, ({"key": f"k{n}", "indexed": 0} for n in range(ITEMS)))
    index = make_index(base_id, "indexed")
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as session:
        writer = Writer(session, base_id)
        for n in range(3):
            writer.put("k", indexed=n)
        process = [psutil.Process(session.info.backend_pid)]
        before = used_by(process)
        changed = session.execute(
            """UPDATE storage_item SET value = jsonb_set(value, %s, '7'), revision = nextval('storage_item_revision')
            WHERE base_id = %s""",
            ([attribute], base_id),
        ).rowcount
        assert changed == ITEMS + 1
        assert used_by(process) - before < SECONDS
    assert not find_faults(index)
    (version, *_) = versions_of(access, "b", "k5", limit=1)
    assert version.after is not None
    assert parse(version.after.encode())[attribute] == 7
