"""The ways to the engines, through proxies that break them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection as django_connection

from storage.postgres.connections import pool
from tests.embedded.servers import making_servers
from tests.faults.proxy import FaultProxy
from tests.serving import Server


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


@dataclass(frozen=True)
class Node:
    """A second node of the run's own server, which reaches the same engines through proxies."""

    server: Server
    postgres: FaultProxy
    s3: FaultProxy


@pytest.fixture(scope="module")
def node(server: Any) -> Iterator[Node]:
    """One process answers its requests, so that one after the other finds the same connections."""
    about = django_connection.settings_dict
    # By its socket the bundled S3 is spoken to without a certificate, which a proxy would not have.
    assert settings.S3_SOCKET
    postgres_proxy, s3_proxy = FaultProxy(postgres_address()), FaultProxy(settings.S3_SOCKET)
    login = f"{about['USER']}:{quote(str(about['PASSWORD']))}"
    environment = {
        "DATABASE_URL": f"postgres://{login}@127.0.0.1:{postgres_proxy.port}/{about['NAME']}",
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{s3_proxy.port}",
        "S3_BUCKET": settings.S3_BUCKET,
        "S3_ACCESS_KEY_ID": settings.S3_ACCESS_KEY_ID,
        "S3_SECRET_ACCESS_KEY": settings.S3_SECRET_ACCESS_KEY,
        "HOMEPORT_SECRET_KEY": settings.SECRET_KEY,
        "HOMEPORT_WORKERS": "1",
        "HOMEPORT_TLS_PORT": "0",
    }
    with making_servers() as make:
        made = make(**environment).start()
        made.wait_ready()
        yield Node(made, postgres_proxy, s3_proxy)
    postgres_proxy.close()
    s3_proxy.close()
