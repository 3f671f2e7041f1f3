"""Distributes the items by their Bases over the servers that Citus knows (docs/citus.md).

Each step looks whether it was done, so that all can be run again after it broke off anywhere. Until the last one the server
works as before, with items in one place; that one is a single transaction, in which the triggers go that note changes, the
items go to their servers, and the mark is made by which all processes know.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from psycopg import errors

from storage.audit import log as audit
from storage.audit.log import Verb
from storage.distribution import checks
from storage.distribution.sql import cluster as cluster_sql
from storage.distribution.sql import triggers as triggers_sql
from storage.postgres.database import engine_errors, one_connection, run, run_one, unhurried

Tell = Callable[[str], None]

# What statements on items join with, in the order of their foreign keys.
EVERYWHERE = ("storage_collection", "storage_datakey", "storage_base", "storage_drive")
# What statements on items call.
_FUNCTIONS = ("storage_entry_kind(jsonb)", "storage_entry_number(jsonb)")
# A plan without values asks all servers; and on each the statements are written for an index.
ROLE_SETTINGS = {"plan_cache_mode": "auto", "enable_seqscan": "off"}


def distribute(tell: Tell) -> None:
    """Do what is left to do. `tell` gets a sentence for each step.

    Raises checks.Refused, with nothing changed; EngineUnreachable; and psycopg's errors for what Citus refuses.
    """
    with engine_errors(), one_connection(), unhurried():
        about = checks.check_database()
        if not about.is_marked:
            _spread_tables(tell)
            set_on_role(ROLE_SETTINGS, tell)
            _spread_items(tell)
        elif run_one(cluster_sql.is_whole()).answer:
            raise checks.Refused("The items are distributed already.")
        run(cluster_sql.forget_local_items())
        run(cluster_sql.note_whole())
        tell("What the items took here before is given back.")


def list_kinds() -> dict[str, str]:
    """The tables that Citus knows, each with its kind (`KnownTable`)."""
    return {row.name: row.kind for row in run(cluster_sql.list_known())}


@contextmanager
def numbering_on() -> Iterator[None]:
    """A transaction in which numbered columns go on behind the numbers they had: Citus begins some of them anew."""
    with transaction.atomic():
        numbered = run(cluster_sql.list_numbered())
        yield
        for column in numbered:
            run(cluster_sql.number_on(column))


def set_on_role(wanted: dict[str, str] | dict[str, None], tell: Tell) -> None:
    """Settings that sessions of our role begin with; where it may not set its own, a sentence says who can."""
    for name, value in wanted.items():
        try:
            run(cluster_sql.set_on_role(str(connection.settings_dict["NAME"]), name, value))
        except errors.InsufficientPrivilege:
            change = f"RESET {name}" if value is None else f"SET {name} = {value}"
            tell(f"This role may not set what its sessions begin with. Have a superuser do it: ALTER ROLE ... {change}")


def _spread_tables(tell: Tell) -> None:
    for table in EVERYWHERE:
        if list_kinds().get(table) != "t":
            with numbering_on():
                run(cluster_sql.put_on_every_server(table))
            tell(f"{table} is on every server.")
    for row in run(cluster_sql.list_joined(list(EVERYWHERE))):
        if row.name not in list_kinds():
            with numbering_on():
                run(cluster_sql.keep_on_this_server(row.name))
            tell(f"{row.name} stays here, with what belongs to it.")
    for function in _FUNCTIONS:
        run(cluster_sql.let_servers_have(function))


def _spread_items(tell: Tell) -> None:
    tell("The items go to their servers, which takes its time ...")
    with transaction.atomic():
        for name in triggers_sql.TRIGGERS:
            run(triggers_sql.drop_trigger(name))
        run(triggers_sql.forget_notes())
        run(cluster_sql.distribute_items())
        run(cluster_sql.make_mark())
        run(cluster_sql.fill_mark(checks.read_citus_version()))
        audit.record(Verb.ITEMS_DISTRIBUTED)
    tell("The items are distributed by their Bases.")
