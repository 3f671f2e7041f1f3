"""The ways to the engines, through proxies that break them."""

from collections.abc import Iterator

import pytest
from django.db import connection as django_connection

from storage.postgres.connections import pool
from tests.faults.proxy import FaultProxy


def postgres_address() -> tuple[str, int] | str:
    """Where the run's own database listens."""
    about = django_connection.settings_dict
    host, port = str(about["HOST"]), int(about["PORT"])
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)


@pytest.fixture
def postgres_proxy(database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """On the way of everything in this process to the database, the ORM included."""
    proxy = FaultProxy(postgres_address())
    django_connection.close()
    pool.forget_idle()
    with monkeypatch.context() as patch:
        patch.setitem(django_connection.settings_dict, "HOST", "127.0.0.1")
        patch.setitem(django_connection.settings_dict, "PORT", proxy.port)
        yield proxy
        django_connection.close()
        pool.forget_idle()
    proxy.close()
