"""What Citus is asked and told, by the functions of its own that it is worked with."""

from typing import NamedTuple

from psycopg import sql

from storage.postgres.sql.distribution import IS_MARKED, MARK
from storage.postgres.statements import NoRow, Statement, Total, YesNo


class About(NamedTuple):
    server_version: int
    has_citus: bool
    is_marked: bool


class CitusVersion(NamedTuple):
    text: str


class KnownTable(NamedTuple):
    """A table that Citus knows: "h" distributed, "t" on every server, "s" on this one alone."""

    name: str
    kind: str


class TableName(NamedTuple):
    name: str


class Numbered(NamedTuple):
    """A column that is numbered by a sequence of its own, with the last number it gave, None for none yet."""

    table: str
    column: str
    last: int | None


def look_around() -> Statement[About]:
    """Row: the server's version as a number, whether it has Citus, whether items are marked as distributed."""
    return Statement(
        f"""
        SELECT current_setting('server_version_num')::int, to_regprocedure('citus_version()') IS NOT NULL, ({IS_MARKED})
    """,
        [],
        About,
    )


def read_citus_version() -> Statement[CitusVersion]:
    """Row: such as "Citus 15.0.0 on x86_64 ..."."""
    return Statement("SELECT citus_version()", [], CitusVersion)


def count_workers() -> Statement[Total]:
    """Row: how many servers take shards, this one not counted."""
    return Statement("SELECT count(*) FROM citus_get_active_worker_nodes()", [], Total)


def knows_coordinator() -> Statement[YesNo]:
    """Row: whether this server is among those that Citus knows, as foreign keys to tables on every server need."""
    return Statement("SELECT EXISTS (SELECT 1 FROM pg_dist_node WHERE groupid = 0)", [], YesNo)


def count_sessions() -> Statement[Total]:
    """Row: how many other clients of our role are connected to the database; Citus' own connections are none."""
    return Statement(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
        AND backend_type = 'client backend' AND NOT starts_with(application_name, 'citus')
    """,
        [],
        Total,
    )


def list_known() -> Statement[KnownTable]:
    """Rows: the tables that Citus knows, those on every server before those on this one."""
    return Statement(
        """
        SELECT c.relname, CASE WHEN p.partmethod = 'h' THEN 'h' ELSE p.repmodel::text END
        FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid ORDER BY 2 DESC, 1
    """,
        [],
        KnownTable,
    )


def list_joined(tables: list[str]) -> Statement[TableName]:
    """Rows: all tables that foreign keys join to these, over however many others."""
    return Statement(
        """
        WITH RECURSIVE joined AS (
            SELECT oid FROM pg_class WHERE relname = ANY ($1) AND relnamespace = current_schema()::regnamespace
            UNION SELECT CASE WHEN k.conrelid = j.oid THEN k.confrelid ELSE k.conrelid END
            FROM joined j JOIN pg_constraint k ON k.contype = 'f' AND j.oid IN (k.conrelid, k.confrelid)
        )
        SELECT c.relname::text FROM joined j JOIN pg_class c ON c.oid = j.oid ORDER BY 1
    """,
        [tables],
        TableName,
    )


def put_on_every_server(table: str) -> Statement[NoRow]:
    """A copy of the table on each. No row that says anything."""
    return Statement("SELECT create_reference_table($1::text::regclass)", [table], NoRow)


def keep_on_this_server(table: str) -> Statement[NoRow]:
    """The table, and those that foreign keys join to it, stay here and are known to Citus. No row that says anything."""
    return Statement(
        "SELECT citus_add_local_table_to_metadata($1::text::regclass, cascade_via_foreign_keys => true)", [table], NoRow
    )


def let_servers_have(function: str) -> Statement[NoRow]:
    """A function of ours, with its types, is there on each. No row that says anything."""
    return Statement("SELECT create_distributed_function($1::text::regprocedure)", [function], NoRow)


def distribute_items() -> Statement[NoRow]:
    """By their Bases: all of one are on one server. No row that says anything."""
    return Statement("SELECT create_distributed_table('storage_item', 'base_id', colocate_with => 'none')", [], NoRow)


def forget_local_items() -> Statement[NoRow]:
    """Give the room back that items took here before. No row that says anything."""
    return Statement("SELECT truncate_local_data_after_distributing_table('storage_item')", [], NoRow)


def gather(table: str) -> Statement[NoRow]:
    """The table, and those that foreign keys join to it, are ordinary tables of this server again. No row that says anything."""
    return Statement("SELECT undistribute_table($1::text::regclass, cascade_via_foreign_keys => true)", [table], NoRow)


def learn_about_items() -> Statement[NoRow]:
    """Let PostgreSQL look at the items that are in a new table. No row."""
    return Statement("ANALYZE storage_item", [], NoRow)


def list_numbered() -> Statement[Numbered]:
    """Rows: every numbered column of our tables."""
    return Statement(
        """
        SELECT t.relname, a.attname, q.last_value
        FROM pg_depend d
        JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' AND d.classid = 'pg_class'::regclass
        JOIN pg_class t ON t.oid = d.refobjid AND t.relnamespace = current_schema()::regnamespace
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
        JOIN pg_sequences q ON q.sequencename = s.relname AND q.schemaname = current_schema()
        WHERE d.deptype IN ('i', 'a') ORDER BY 1, 2
    """,
        [],
        Numbered,
    )


def number_on(column: Numbered) -> Statement[NoRow]:
    """Let the next number be above all that were given, and all that are there. A row, but where there was none yet."""
    name, table = sql.Identifier(column.column), sql.Identifier(column.table)
    text = sql.SQL(
        """
        SELECT setval(pg_get_serial_sequence($1, $2), given.last)
        FROM (SELECT greatest($3::bigint, max({name})::bigint) AS last FROM {table}) given WHERE given.last IS NOT NULL
    """
    ).format(name=name, table=table)
    return Statement(text.as_string(None), [table.as_string(None), column.column, column.last], NoRow)


def set_on_role(database: str, name: str, value: str | None) -> Statement[NoRow]:
    """What sessions of our role begin with, None for what the server has. No row."""
    change = "RESET {name}" if value is None else "SET {name} = {value}"
    text = sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {database} " + change).format(
        database=sql.Identifier(database), name=sql.Identifier(name), value=sql.Literal(value)
    )
    return Statement(text.as_string(None), [], NoRow)


def make_mark() -> Statement[NoRow]:
    """Items are distributed from now on. No row."""
    columns = "at timestamptz NOT NULL DEFAULT now(), citus text NOT NULL, is_whole boolean NOT NULL DEFAULT false"
    return Statement(f"CREATE TABLE {MARK} ({columns})", [], NoRow)


def fill_mark(citus: str) -> Statement[NoRow]:
    """By which version, beside the moment. No row."""
    return Statement(f"INSERT INTO {MARK} (citus) VALUES ($1)", [citus], NoRow)


def is_whole() -> Statement[YesNo]:
    """Row: whether nothing is left to do since items were marked."""
    return Statement(f"SELECT is_whole FROM {MARK}", [], YesNo)


def note_whole() -> Statement[NoRow]:
    """Nothing is left to do. No row."""
    return Statement(f"UPDATE {MARK} SET is_whole = true", [], NoRow)


def drop_mark() -> Statement[NoRow]:
    """Items are here from now on. No row."""
    return Statement(f"DROP TABLE IF EXISTS {MARK}", [], NoRow)
