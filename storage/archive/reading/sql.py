"""Statements for the SQLite files of other programs. They come from strangers: tables are read, and nothing in them is run."""

# A stranger's schema may define functions and views: none of it is trusted, and only what is a table is read.
DISTRUST = "PRAGMA trusted_schema = OFF"
LIST_COLLECTIONS = """
    SELECT c.id, c.name, c.{fields} FROM _collections c JOIN sqlite_master m ON m.name = c.name
    WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND c.type <> 'view' AND c.name NOT LIKE '\\_%' ESCAPE '\\'
        AND NOT coalesce(c.system, 0)
    ORDER BY c.name
"""


def read_records(table: str) -> str:
    """All rows of a table, whose name may be any text."""
    quoted = table.replace('"', '""')
    return f'SELECT * FROM "{quoted}" ORDER BY id'
