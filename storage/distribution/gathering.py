"""Brings distributed items back into one server, with their history from then on.

Each step looks whether it was done, as those of `distributing.py`. The first one is a single transaction: the items come back,
the triggers note their changes again, and the mark is gone.
"""

from django.db import transaction

from storage.audit import log as audit
from storage.audit.log import Verb
from storage.distribution import checks
from storage.distribution.distributing import ROLE_SETTINGS, Tell, list_kinds, numbering_on, set_on_role
from storage.distribution.sql import cluster as cluster_sql
from storage.distribution.sql import triggers as triggers_sql
from storage.history.beginnings import EVERY_BASE, raise_beginnings
from storage.postgres.database import engine_errors, one_connection, run, run_one, unhurried


def gather(tell: Tell) -> None:
    """Do what is left to do. `tell` gets a sentence for each step.

    Raises checks.Refused, with nothing changed; EngineUnreachable; and psycopg's errors for what Citus refuses.
    """
    with engine_errors(), one_connection(), unhurried():
        about = checks.check_to_gather()
        kinds = list_kinds() if about.has_citus else {}
        if not about.is_marked and not kinds:
            raise checks.Refused("The items are not distributed.")
        if about.is_marked:
            _gather_items(tell, is_spread="storage_item" in kinds)
        for table in kinds:
            # Each takes along what belongs to it.
            if table != "storage_item" and table in list_kinds():
                with numbering_on():
                    run(cluster_sql.gather(table))
                tell(f"{table} is an ordinary table again, with what belongs to it.")
        set_on_role(dict.fromkeys(ROLE_SETTINGS), tell)


def _gather_items(tell: Tell, *, is_spread: bool) -> None:
    """A copy of the database may have come to a server without Citus: the mark alone is left there, and items."""
    tell("The items come back, which takes its time ...")
    with transaction.atomic():
        if is_spread:
            run(cluster_sql.gather("storage_item"))
        run(triggers_sql.forget_notes())
        for name in triggers_sql.TRIGGERS:
            run(triggers_sql.drop_trigger(name))
            run(triggers_sql.make_trigger(name))
        run(cluster_sql.learn_about_items())
        # Whoever followed the changes before has to read the Bases anew.
        raise_beginnings([EVERY_BASE], version_id=run_one(triggers_sql.draw_version()).total)
        run(cluster_sql.drop_mark())
        audit.record(Verb.ITEMS_GATHERED)
    tell("The items are here, and their history begins now.")
