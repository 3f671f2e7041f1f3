"""Many items at once, straight into the table: for tests that read a Base and do not try the writing of one."""

from collections.abc import Iterable
from typing import Any

from django.db import connection

from storage.exact_json import dump

_BATCH = 5_000


def fill_base(base_id: int, items: Iterable[dict[str, Any]]) -> None:
    """Insert the items, which must not expire, as rows of the Base."""
    rows = [(dump(item).decode(), item["key"]) for item in items]
    for start in range(0, len(rows), _BATCH):
        values, keys = zip(*rows[start : start + _BATCH], strict=True)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO storage_item (base_id, key, value, size_bytes, revision, changed_at)
                SELECT %s, n.key, n.value::jsonb - 'key', octet_length(n.value), nextval('storage_item_revision'), now()
                FROM unnest(%s::text[], %s::text[]) AS n(value, key)
                """,
                [base_id, list(values), list(keys)],
            )


def fill_drive(collection_id: str, drive: str, names: Iterable[str]) -> None:
    """Insert files as rows of a Drive that exists, without their objects: for listing alone."""
    given = list(names)
    for start in range(0, len(given), _BATCH):
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO storage_file (drive_id, name, size_bytes, content_type, etag, blob_ids, blob_sizes, created_at,
                    changed_at)
                SELECT d.id, n.name, 0, 'text/plain', '', '{}', '{}', now(), now()
                FROM storage_drive d, unnest(%s::text[]) AS n(name) WHERE d.collection_id = %s AND d.name = %s
                """,
                [given[start : start + _BATCH], collection_id, drive],
            )
