"""What a database that spreads items over several servers takes: the same statements run there and here (docs/citus.md)."""

import re
from pathlib import Path

import pytest

from tests.serving import ROOT

_OF_SQL = sorted(path for path in (ROOT / "storage").rglob("*.py") if path.stem == "sql" or path.parent.name == "sql")
_READ_OR_WRITE_ITEMS = [path for path in _OF_SQL if "storage_item " in path.read_text()]
# A function that says another thing each time, where a row meets one that is there.
_WHEN_MET = re.compile(r"ON CONFLICT[^;]*?DO UPDATE SET(?P<then>.*?)(?:RETURNING|\"\"\")", re.DOTALL)
_CHANGING = re.compile(r"\b(now|clock_timestamp|statement_timestamp|nextval)\(|\{LIVE\}")
_DRAWN_IN_UPDATE = re.compile(r"UPDATE storage_item\b(?:(?!\bFROM\b|\bWHERE\b).)*nextval\(", re.DOTALL)
# Of tables that are on every server as well.
_DRAWN_IN_ANY = re.compile(r"UPDATE (storage_|\{table\})(?:(?!\bFROM\b|\bWHERE\b).)*nextval\(", re.DOTALL)
# Rows are locked in one query with all items: those in a `WITH` are a query of their own.
_LOCKED_WITH_ALL = re.compile(r"FROM storage_item WHERE [^$]*?\) i ON(?:(?!\"{3}).)*FOR (KEY SHARE|UPDATE)", re.DOTALL)
_WITHOUT_COLUMNS = re.compile(
    r"\bSELECT FROM \(?(storage_item\b|jsonb_path_query|written|deleted|place|\{done\}|\{within\})"
)


@pytest.mark.parametrize("module", _READ_OR_WRITE_ITEMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_statements_on_items_have_no_shape_that_is_refused(module: Path) -> None:
    text = module.read_text()
    for met in _WHEN_MET.finditer(text):
        if "storage_item AS i" in text[: met.start()].rpartition("INSERT INTO")[2]:
            assert not _CHANGING.search(met["then"]), met["then"]
    assert not _DRAWN_IN_UPDATE.search(text)
    assert not _LOCKED_WITH_ALL.search(text)
    assert not _WITHOUT_COLUMNS.search(text)


@pytest.mark.parametrize("module", _OF_SQL, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_statement_draws_a_number_in_an_update(module: Path) -> None:
    assert not _DRAWN_IN_ANY.search(module.read_text())


def test_the_shapes_would_be_found() -> None:
    assert len(_READ_OR_WRITE_ITEMS) > 8
    met = _WHEN_MET.search("ON CONFLICT (key) DO UPDATE SET a = 1 WHERE i.expires_at <= now() RETURNING 1")
    assert met
    assert _CHANGING.search(met["then"])
    assert _DRAWN_IN_UPDATE.search("UPDATE storage_item i SET value = $1,\n revision = nextval('x') FROM a")
    assert _WITHOUT_COLUMNS.search("EXISTS (SELECT FROM deleted)")
    assert _DRAWN_IN_ANY.search("UPDATE {table} SET id = nextval('x') WHERE id = $1")
    assert _LOCKED_WITH_ALL.search(
        "(SELECT 1\n FROM storage_item WHERE expires_at > now()) i ON true FOR KEY SHARE OF b"
    )
