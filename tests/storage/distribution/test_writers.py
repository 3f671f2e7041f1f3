"""All that writes items goes on where they are distributed, by statements that such a database takes."""

import re
from typing import Any

import pytest

from storage.postgres import database
from tests.storage.distribution.conftest import rows
from tests.storage.history.test_who import WRITERS, World

_CHANGES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM) storage_item\b")
# Which server is meant has to be told by a value, and nothing may be done by the way where rows are looked for.
_TOLD = re.compile(r"base_id = \$\d+|SELECT \$\d+(::bigint)?, ")
_BY_THE_WAY = re.compile(r"\bset_config\(")
_DRAWN_IN_UPDATE = re.compile(r"UPDATE storage_(item|base|drive)\b(?:(?!\bFROM\b|\bWHERE\b).)*nextval\(")


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_goes_on(distributed: None, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    send = database.send

    def note(connection: Any, statement: Any) -> Any:
        sent.append(" ".join(statement.text.split()))
        return send(connection, statement)

    monkeypatch.setattr(database, "send", note)
    WRITERS[name](World())
    changing = list(filter(_CHANGES.search, sent))
    assert changing
    for text in changing:
        assert _TOLD.search(text), text
        assert not _BY_THE_WAY.search(text), text
    assert not list(filter(_DRAWN_IN_UPDATE.search, sent))
    assert rows("SELECT count(*) FROM storage_itemversion") == [(0,)]
