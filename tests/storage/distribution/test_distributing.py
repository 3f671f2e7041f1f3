"""The steps of distributing and of bringing back: what they ask for, and what stays where one breaks off."""

import dataclasses
import json
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from storage.audit.verbs import Verb
from storage.base import items
from storage.collections import collections
from storage.distribution import checks, distributing, gathering
from storage.distribution.checks import Refused
from storage.distribution.sql import cluster as cluster_sql
from storage.distribution.sql import triggers as triggers_sql
from storage.errors import ChangesGone, ItemsDistributed
from storage.history import feed, versions
from storage.postgres import poolers
from storage.postgres.caller import Access
from storage.postgres.database import run
from storage.postgres.distribution import items_are_distributed
from storage.postgres.statements import Statement, Total
from tests.commands import run_here
from tests.serving import ROOT
from tests.storage.distribution.conftest import address, execute, forget_all, rows

NEWEST_MIGRATION = max(path.stem for path in (ROOT / "storage" / "migrations").glob("0*.py"))
EVERYWHERE = ["storage_collection", "storage_datakey", "storage_base", "storage_drive"]
TRIGGERS = """
    SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'storage_item'::regclass AND NOT tgisinternal
    ORDER BY 1
"""


def quiet(line: str) -> None:
    """Nobody reads along."""


def make_item(n: int = 1) -> Access:
    access = Access(collections.create_collection("Made by a test").id)
    items.put_items(access=access, base="b", items=[{"key": "k", "n": n}])
    return access


def number(access: Access) -> Any:
    return json.loads(items.get_item(access=access, base="b", key="k").json)["n"]


def asked() -> list[tuple[str, str]]:
    return [(name, about) for name, about in rows("SELECT name, about FROM standin_asked ORDER BY id")]


def known() -> dict[str, str]:
    return {row.name: row.kind for row in run(cluster_sql.list_known())}


def last_numbers() -> dict[str, int | None]:
    return {row.table: row.last for row in run(cluster_sql.list_numbered())}


def test_tables_go_to_every_server_or_stay_and_items_are_spread_last(alone: None) -> None:
    access = make_item()
    before, triggers = last_numbers(), rows(TRIGGERS)
    assert (before["storage_base"] or 0) > 0
    distributing.distribute(quiet)
    forget_all()

    assert asked() == [
        *[("create_reference_table", name) for name in EVERYWHERE],
        ("citus_add_local_table_to_metadata", "account_emailaddress"),
        ("create_distributed_function", "storage_entry_kind(jsonb)"),
        ("create_distributed_function", "storage_entry_number(jsonb)"),
        ("create_distributed_table", "storage_item base_id"),
        ("truncate_local_data_after_distributing_table", "storage_item"),
    ]
    kinds = known()
    assert {name: kinds[name] for name in EVERYWHERE} == dict.fromkeys(EVERYWHERE, "t")
    assert kinds["storage_item"] == "h"
    assert kinds["auth_user"] == kinds["storage_micro"] == kinds["storage_basefigures"] == "s"
    joined = {row.name for row in run(cluster_sql.list_joined(EVERYWHERE))}
    assert set(kinds) == joined | {"storage_item"}
    after = last_numbers()
    assert {name: number for name, number in before.items() if (after[name] or 0) < (number or 0)} == {}
    assert items_are_distributed()
    assert rows(TRIGGERS) == []
    assert rows("SELECT citus, is_whole FROM storage_distribution") == [("Citus 15.0.0", True)]
    assert rows("SELECT verb FROM storage_auditentry ORDER BY at DESC LIMIT 1") == [(Verb.ITEMS_DISTRIBUTED,)]
    assert rows("SELECT count(*) FROM storage_itemversion") == [(0,)]
    assert rows("SHOW plan_cache_mode") == [("auto",)]
    assert number(access) == 1

    gathering.gather(quiet)
    forget_all()
    assert known() == {}
    assert rows(TRIGGERS) == triggers
    assert not items_are_distributed()
    assert rows("SHOW plan_cache_mode") == [("force_generic_plan",)]
    assert rows("SELECT verb FROM storage_auditentry ORDER BY at DESC LIMIT 1") == [(Verb.ITEMS_GATHERED,)]
    assert {name: number for name, number in before.items() if (last_numbers()[name] or 0) < (number or 0)} == {}


def test_roles_begin_their_sessions_as_the_statements_need(alone: None) -> None:
    settings_of_role = """SELECT unnest(setconfig) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1"""
    distributing.distribute(quiet)
    assert rows(settings_of_role) == [("enable_seqscan=off",), ("plan_cache_mode=auto",)]
    gathering.gather(quiet)
    assert rows(settings_of_role) == []


def test_sessions_of_a_pooler_are_to_plan_with_values_too(alone: None) -> None:
    wanted = {"plan_cache_mode": "force_generic_plan", "timezone": "UTC"}
    assert poolers._as_items_are(address(), wanted) == wanted
    distributing.distribute(quiet)
    assert poolers._as_items_are(address(), wanted) == {"plan_cache_mode": "auto", "timezone": "UTC"}


def test_history_and_feed_begin_anew_when_items_are_back(alone: None) -> None:
    access = make_item()
    cursor = feed.read_changes(access=access, base="b", since=None).cursor
    distributing.distribute(quiet)
    forget_all()
    items.put_items(access=access, base="b", items=[{"key": "k", "n": 2}])
    gathering.gather(quiet)
    forget_all()
    assert versions.list_versions(access=access, base="b", key="k").versions == []
    with pytest.raises(ChangesGone):
        feed.read_changes(access=access, base="b", since=cursor)
    now = feed.read_changes(access=access, base="b", since="now").cursor
    items.put_items(access=access, base="b", items=[{"key": "k", "n": 3}])
    (version,) = versions.list_versions(access=access, base="b", key="k").versions
    assert [json.loads(state or "")["n"] for state in (version.before, version.after)] == [2, 3]
    (change,) = feed.read_changes(access=access, base="b", since=now).changes
    assert json.loads(change.json)["value"] == {"key": "k", "n": 3}


def breaks_at(step: int) -> None:
    execute(
        f"TRUNCATE standin_breaks; INSERT INTO standin_breaks VALUES ({step}); SELECT setval('standin_steps', 1, false)"
    )


def steps() -> int:
    ((last,),) = rows("SELECT last_value FROM standin_steps")
    return int(last)


def test_broken_off_anywhere_it_works_as_before_or_as_after_and_goes_on(alone: None) -> None:
    access = make_item()
    before = last_numbers()
    distributing.distribute(quiet)
    total = steps()
    assert total == 9
    gathering.gather(quiet)
    for step in range(1, total + 1):
        breaks_at(step)
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            distributing.distribute(quiet)
        forget_all()
        is_over = items_are_distributed()
        assert is_over == (step == total)
        items.put_items(access=access, base="b", items=[{"key": "k", "n": step}])
        assert number(access) == step
        if is_over:
            with pytest.raises(ItemsDistributed):
                versions.list_versions(access=access, base="b", key="k")
        else:
            newest = versions.list_versions(access=access, base="b", key="k").versions[0]
            assert json.loads(newest.after or "")["n"] == step
        distributing.distribute(quiet)
        forget_all()
        assert items_are_distributed()
        assert rows("SELECT is_whole FROM storage_distribution") == [(True,)]
        gathering.gather(quiet)
        forget_all()
    after = last_numbers()
    assert {name: number for name, number in before.items() if (after[name] or 0) < (number or 0)} == {}


def test_bringing_back_broken_off_anywhere_goes_on(alone: None) -> None:
    access = make_item()
    for step in (1, 2):
        distributing.distribute(quiet)
        breaks_at(step)
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            gathering.gather(quiet)
        forget_all()
        assert items_are_distributed() == (step == 1)
        items.put_items(access=access, base="b", items=[{"key": "k", "n": step}])
        gathering.gather(quiet)
        forget_all()
        assert not items_are_distributed()
        assert known() == {}
        kept = versions.list_versions(access=access, base="b", key="k").versions
        # What was written between the two runs is noted again where the items were back by then.
        assert len(kept) == step - 1
        assert number(access) == step


def test_a_copy_of_the_database_without_citus_is_brought_back_as_well(distributed: None) -> None:
    access = make_item()
    execute("TRUNCATE pg_dist_partition; ALTER FUNCTION citus_version() RENAME TO citus_gone")
    try:
        gathering.gather(quiet)
    finally:
        execute("ALTER FUNCTION citus_gone() RENAME TO citus_version")
    forget_all()
    assert not items_are_distributed()
    assert len(rows(TRIGGERS)) == len(triggers_sql.TRIGGERS)
    assert items.get_item(access=access, base="b", key="k")


@dataclasses.dataclass(frozen=True)
class Case:
    """What is changed, how it is changed back, and what is said then."""

    change: str
    back: str
    said: str


@pytest.mark.parametrize(
    "case",
    [
        Case(
            "ALTER FUNCTION citus_version() RENAME TO citus_gone",
            "ALTER FUNCTION citus_gone() RENAME TO citus_version",
            "The database has no Citus: install it",
        ),
        Case(
            "CREATE OR REPLACE FUNCTION citus_version() RETURNS text LANGUAGE sql AS $$ SELECT 'Citus 14.9.1 on x' $$",
            "CREATE OR REPLACE FUNCTION citus_version() RETURNS text LANGUAGE sql AS $$ SELECT 'Citus 15.0.0 on x' $$",
            "This needs Citus 15 or newer, and here is Citus 14.9.1.",
        ),
        Case(
            "DELETE FROM pg_dist_node WHERE groupid > 0",
            "INSERT INTO pg_dist_node VALUES (1), (2)",
            "Citus knows no other server",
        ),
        Case(
            "DELETE FROM pg_dist_node WHERE groupid = 0",
            "INSERT INTO pg_dist_node VALUES (0)",
            "Citus does not know this server by an address",
        ),
        Case(
            f"DELETE FROM django_migrations WHERE app = 'storage' AND name = '{NEWEST_MIGRATION}'",
            f"INSERT INTO django_migrations (app, name, applied) VALUES ('storage', '{NEWEST_MIGRATION}', now())",
            "The database is not this version's yet",
        ),
        Case(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('storage', '9999_later', now())",
            "DELETE FROM django_migrations WHERE name = '9999_later'",
            "This data was made by a newer version of Homeport",
        ),
    ],
    ids=["no citus", "old citus", "no workers", "no coordinator", "not migrated", "newer"],
)
def test_what_is_in_the_way_is_said_and_nothing_is_changed(alone: None, case: Case) -> None:
    execute(case.change)
    try:
        with pytest.raises(Refused) as refused:
            distributing.distribute(quiet)
    finally:
        execute(case.back)
    assert str(refused.value).startswith(case.said)
    assert asked() == []
    assert known() == {}


def test_the_bundled_database_is_refused(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATABASE_URL", "")
    for act in (distributing.distribute, gathering.gather):
        with pytest.raises(Refused, match="The bundled PostgreSQL has no Citus"):
            act(quiet)


def test_an_old_database_server_is_refused(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_OLDEST_POSTGRES", 99)
    with pytest.raises(Refused, match="This needs PostgreSQL 99 or newer"):
        distributing.distribute(quiet)


def test_other_processes_have_to_be_stopped_first(schema: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's own server is connected, in the same database."""
    monkeypatch.setattr(settings, "DATABASE_URL", "postgres://of/ones/own")
    for act in (distributing.distribute, gathering.gather):
        with pytest.raises(Refused, match=r"\d+ other sessions of this role are in the database: stop every node"):
            act(quiet)
    connection.close()


def test_what_is_done_already_is_said(alone: None) -> None:
    with pytest.raises(Refused, match=r"The items are not distributed\."):
        gathering.gather(quiet)
    distributing.distribute(quiet)
    with pytest.raises(Refused, match=r"The items are distributed already\."):
        distributing.distribute(quiet)


def test_a_role_that_may_not_set_its_own_settings_is_told(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Statement("SELECT count(*) FROM pg_authid", [], Total)
    monkeypatch.setattr(cluster_sql, "set_on_role", lambda *given: refused)
    told: list[str] = []
    distributing.set_on_role({"plan_cache_mode": "auto"}, told.append)
    distributing.set_on_role(dict[str, Any](plan_cache_mode=None), told.append)
    assert [line.partition(": ")[2] for line in told] == [
        "ALTER ROLE ... SET plan_cache_mode = auto",
        "ALTER ROLE ... RESET plan_cache_mode",
    ]


@pytest.mark.parametrize("more", [[], ["--back"]])
def test_the_command_says_what_stands_in_the_way_before_it_wants_a_yes(schema: None, more: list[str]) -> None:
    with pytest.raises(CommandError, match="bundled PostgreSQL"):
        call_command("distribute", *more)


def test_the_command_says_what_is_lost_and_wants_a_yes(alone: None) -> None:
    without = run_here("distribute")
    assert without.returncode == 1
    assert "What is lost when the items are distributed:" in without.stdout
    assert "Nothing was changed. To do it, add --yes." in without.stderr
    assert asked() == []

    breaks_at(2)
    broken = run_here("distribute", "--yes")
    assert broken.returncode == 1
    assert "create_reference_table is not supported" in broken.stderr
    assert "Run this again to go on, or with --back." in broken.stderr

    done = run_here("distribute", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "The items are distributed by their Bases.\n" in done.stdout
    assert done.stdout.endswith("Done. Start every node again.\n")
    again = run_here("distribute", "--yes")
    assert "The items are distributed already. Nothing was changed." in again.stderr

    unsure = run_here("distribute", "--back")
    assert unsure.returncode == 1
    assert known() != {}
    back = run_here("distribute", "--back", "--yes")
    assert (back.returncode, back.stderr) == (0, "")
    assert known() == {}
