"""Transactions that write items and stay open for as long as a test wants."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from django.db import connection

from storage.exact_json import dump


class Writer:
    """A connection of its own, in one transaction until it is ended."""

    def __init__(self, connection: psycopg.Connection[Any], base_id: int) -> None:
        self._connection, self._base_id = connection, base_id

    def put(self, key: str, **value: Any) -> None:
        """As the API's statement does it."""
        text = dump(value).decode()
        self._connection.execute(
            """INSERT INTO storage_item (base_id, key, value, size_bytes, revision, changed_at)
            VALUES (%s, %s, %s, %s, nextval('storage_item_revision'), now())
            ON CONFLICT (base_id, key) DO UPDATE SET value = excluded.value, size_bytes = excluded.size_bytes,
                revision = excluded.revision, changed_at = excluded.changed_at""",
            (self._base_id, key, text, len(text)),
        )

    def delete(self, key: str) -> None:
        self._connection.execute("DELETE FROM storage_item WHERE base_id = %s AND key = %s", (self._base_id, key))

    def commit(self) -> None:
        self._connection.commit()

    def roll_back(self) -> None:
        self._connection.rollback()


@contextmanager
def writers(count: int, base_id: int) -> Iterator[list[Writer]]:
    """So many of them."""
    with ExitStack() as stack:
        options = connection.get_connection_params() | {"autocommit": False}
        yield [Writer(stack.enter_context(psycopg.connect(**options)), base_id) for _ in range(count)]
