"""The one class Django looks for in a database backend."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base

from storage.postgres.connections import pool


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes a pooled connection when Django wants one, and gives it back when Django closes it.

    CONN_MAX_AGE stays 0: a request that has ended keeps no connection.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> "psycopg.Connection[Any]":
        return pool.take(lambda: super(DatabaseWrapper, self).get_new_connection(conn_params))

    def _close(self) -> None:
        if self.connection is not None:
            pool.give_back(self.connection)
