"""What the benchmark puts straight into the tables of a running Homeport that `statements.attach` is attached to.

Loading a million items through the API would take an hour. What is measured goes through the API alone.
"""

import time

from bench.load.data import compact_json, make_item, make_items
from bench.systems.homeport import Homeport
from bench.systems.statements import open_connection

BUILT_WITHIN_S = 1_200


def load_rows(homeport: Homeport, base: str, count: int) -> None:
    """Fill a Base of an attached Homeport.

    It comes to exist by a put through the API, whose item is then one of `count`.
    """
    from storage.models import Base

    homeport.load(base, [make_item(0, count)])
    base_id = Base.objects.get(collection_id=homeport.collection_id, name=base).pk
    connection = open_connection()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("CREATE TEMP TABLE loading (key text, value text)")
        with cursor.copy("COPY loading (key, value) FROM STDIN") as copy:
            for item in make_items(count):
                copy.write_row((item["key"], compact_json(item)))
        cursor.execute(
            """
            INSERT INTO storage_item (base_id, key, value, size_bytes, revision, changed_at)
            SELECT %s, key, value::jsonb - 'key', octet_length(value), nextval('storage_item_revision'), now()
            FROM loading ON CONFLICT DO NOTHING
            """,
            [base_id],
        )
        cursor.execute("DROP TABLE loading")
    settle("storage_item")


def build_index(homeport: Homeport, base: str, attribute: str) -> None:
    """Have an index made as three asks would, and wait until it answers. Raises RuntimeError when that takes too long."""
    from storage.models import AttributeIndex, Base

    base_id = Base.objects.get(collection_id=homeport.collection_id, name=base).pk
    index = AttributeIndex.objects.create(base_id=base_id, path=[attribute])
    ends_at = time.monotonic() + BUILT_WITHIN_S
    while not AttributeIndex.objects.filter(pk=index.pk, state="ready").exists():
        if time.monotonic() > ends_at:
            raise RuntimeError(f"the index of {attribute} in {base} was not built in time")
        time.sleep(0.5)


def keep_history(homeport: Homeport, base: str, *, is_kept: bool) -> None:
    """Switch on or off that what the items of a Base were is kept, as a person does."""
    from storage.collections import keys
    from storage.history.switch import set_history

    set_history(access=keys.read_key(homeport.data_key), base=base, is_kept=is_kept)


def settle(table: str) -> None:
    """Bring a table into the state that autovacuum leaves behind soon after: statistics, and no entries waiting to be indexed."""
    with open_connection().cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(f"VACUUM (ANALYZE) {table}".encode())
