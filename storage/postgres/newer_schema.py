"""Whether the database was made by a newer version than this one, whose rows may mean what this one does not know.

A newer version has migrations with higher numbers: only names are compared, which takes a moment. `serve` looks closer.
"""

import pkgutil

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from storage import migrations
from storage.postgres.database import engine_errors


def find_newer() -> str | None:
    """The first migration in the database that is newer than this version; None when there is none.

    Raises EngineUnreachable.
    """
    ours = max(module.name[:4] for module in pkgutil.iter_modules(migrations.__path__) if module.name[:4].isdigit())
    with engine_errors():
        applied = MigrationRecorder(connection).applied_migrations()
    newer = [name for app, name in applied if app == "storage" and name[:4].isdigit() and name[:4] > ours]
    return min(newer, default=None)


def say(migration: str) -> str:
    """What people are told."""
    return (
        f"This data was made by a newer version of Homeport (the database has {migration}, which this one does not know): start"
        " that version or a later one. Nothing was changed."
    )
