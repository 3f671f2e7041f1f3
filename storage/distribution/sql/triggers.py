"""The triggers that note each change of an item, as the migrations make them, and what hangs on their notes.

A distributed table has none: they run once for a statement, over all its rows.
"""

from psycopg import sql

from storage.postgres.statements import NoRow, Statement, Total

_ROWS = {"INSERT": "NEW TABLE AS new_rows", "UPDATE": "NEW TABLE AS new_rows OLD TABLE AS old_rows"}
_ROWS["DELETE"] = "OLD TABLE AS old_rows"
_OF = {"INSERT": "new", "UPDATE": "changed", "DELETE": "deleted"}
# Each with the statements it comes after.
TRIGGERS = {f"{act}_{of}_items": when for act in ("note", "index") for when, of in _OF.items()}
# What was noted: without the notes of what comes in between, it would tell of a past that was not.
_NOTES = (
    "storage_itemversion",
    "storage_historyhour",
    "storage_baseturn",
    "storage_attributeentry",
    "storage_attributeindex",
    "storage_attributeask",
)


def drop_trigger(name: str) -> Statement[NoRow]:
    """No row; it need not be there."""
    return Statement(_text("DROP TRIGGER IF EXISTS {} ON storage_item", name), [], NoRow)


def make_trigger(name: str) -> Statement[NoRow]:
    """One of `TRIGGERS`. No row."""
    when = TRIGGERS[name]
    text = f"CREATE TRIGGER {{}} AFTER {when} ON storage_item REFERENCING {_ROWS[when]} FOR EACH STATEMENT"
    return Statement(_text(f"{text} EXECUTE FUNCTION {{}}()", name, f"storage_{name}"), [], NoRow)


def forget_notes() -> Statement[NoRow]:
    """Forget all history and all indexes of attributes. No row."""
    return Statement(f"TRUNCATE {', '.join(_NOTES)}", [], NoRow)


def draw_version() -> Statement[Total]:
    """Row: an id of a version that is above all that were given, and below all that will be."""
    return Statement("SELECT nextval('storage_item_version') + 4095", [], Total)


def _text(text: str, *names: str) -> str:
    return sql.SQL(text).format(*map(sql.Identifier, names)).as_string(None)
