"""Bases and Drives are made by their first write. What the database has against one is not always the collection."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection

from storage.base.bases import ensure_base
from storage.collections import collections
from storage.drive.drives import ensure_drive
from storage.errors import Unauthorized

pytestmark = pytest.mark.usefixtures("database")

ENSURE: list[tuple[str, Callable[..., object]]] = [("storage_base", ensure_base), ("storage_drive", ensure_drive)]


@pytest.mark.parametrize("table, ensure", ENSURE)
def test_a_collection_that_is_gone_lets_nobody_in(table: str, ensure: Callable[..., object]) -> None:
    with pytest.raises(Unauthorized):
        ensure(collection_id="gone234567", name="new")


@pytest.mark.parametrize("table, ensure", ENSURE)
def test_any_other_refusal_is_no_matter_of_access(table: str, ensure: Callable[..., object]) -> None:
    collection_id = collections.create_collection("Made by a test").id
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT tried CHECK (name <> 'refused')")
        try:
            with pytest.raises(IntegrityError):
                ensure(collection_id=collection_id, name="refused")
        finally:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT tried")
    ensure(collection_id=collection_id, name="refused")
