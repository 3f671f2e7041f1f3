"""The one class Django looks for in a database backend."""

from typing import Any

from django.db.backends.postgresql import base
from psycopg import IsolationLevel

from storage.postgres.connections import Connection, pool


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes a pooled connection when Django wants one, and gives it back when Django closes it.

    CONN_MAX_AGE stays 0: a request that has ended keeps no connection.
    """

    # What the server does unless it is asked for another; Django asks for none.
    isolation_level = IsolationLevel.READ_COMMITTED

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        return pool.take(lambda seconds: Connection.open(seconds, **conn_params))

    def _close(self) -> None:
        if self.connection is not None:
            pool.give_back(self.connection)
