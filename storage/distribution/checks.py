"""What has to be so before items are distributed, or brought back."""

import re

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from storage.distribution.sql import cluster as cluster_sql
from storage.distribution.sql.cluster import About
from storage.postgres import newer_schema
from storage.postgres.connections import pool
from storage.postgres.database import engine_errors, run_one

# What was tried, and of what is older nothing is known.
OLDEST_CITUS = 15
_OLDEST_POSTGRES = 16
_VERSION = re.compile(r"Citus (\d{1,4})\.")


class Refused(Exception):
    """Something is in the way, and nothing was changed; the message says what."""


def check_database() -> About:
    """Where one may begin to distribute, or go on; what the server is. Raises Refused, EngineUnreachable."""
    about = _check_ours()
    if about.server_version < _OLDEST_POSTGRES * 10_000:
        raise Refused(f"This needs PostgreSQL {_OLDEST_POSTGRES} or newer.")
    if not about.has_citus:
        raise Refused("The database has no Citus: install it on every server, then CREATE EXTENSION citus in this one.")
    version = read_citus_version()
    found = _VERSION.match(version)
    if found is None or int(found[1]) < OLDEST_CITUS:
        raise Refused(f"This needs Citus {OLDEST_CITUS} or newer, and here is {version}.")
    if not run_one(cluster_sql.count_workers()).total:
        raise Refused("Citus knows no other server: add some with citus_add_node, then run this again.")
    if not run_one(cluster_sql.knows_coordinator()).answer:
        raise Refused(
            "Citus does not know this server by an address: SELECT citus_set_coordinator_host('its name') first."
        )
    return about


def check_to_gather() -> About:
    """Where one may begin to bring the items back, or go on; what the server is. Raises Refused, EngineUnreachable."""
    return _check_ours()


def read_citus_version() -> str:
    """Its name and number, without what it was built by."""
    return run_one(cluster_sql.read_citus_version()).text.partition(" on ")[0]


def _check_ours() -> About:
    if not settings.DATABASE_URL:
        raise Refused(
            "The bundled PostgreSQL has no Citus. DATABASE_URL is to name a PostgreSQL of your own that has it."
        )
    newer = newer_schema.find_newer()
    if newer is not None:
        raise Refused(newer_schema.say(newer))
    with engine_errors():
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise Refused("The database is not this version's yet: start the server once, stop it, and run this again.")
    # This process' own idle ones are nobody else's.
    pool.forget_idle()
    others = run_one(cluster_sql.count_sessions()).total
    if others:
        raise Refused(
            f"{others} other sessions of this role are in the database: stop every node, its jobs and a pooler's connections"
            " first. Each process learns with its connections where the items are."
        )
    return run_one(cluster_sql.look_around())
