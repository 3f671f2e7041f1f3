"""The ways to the engines, through proxies that break them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.conf import settings
from django.db import connection as django_connection

from storage.postgres.connections import pool
from tests.embedded.conftest import making_servers
from tests.faults.proxy import FaultProxy
from tests.second_s3 import serve_second_s3
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
def node(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One process answers its requests, so that one after the other finds the same connections."""
    about = django_connection.settings_dict
    login = f"{about['USER']}:{quote(str(about['PASSWORD']))}"
    # The bundled S3 speaks to nobody but its own server, and never through a proxy.
    folder = tmp_path_factory.mktemp("s3") / "files"
    with serve_second_s3(folder) as s3_settings, making_servers() as make:
        s3 = urlsplit(s3_settings["S3_ENDPOINT_URL"])
        postgres_proxy, s3_proxy = FaultProxy(postgres_address()), FaultProxy((str(s3.hostname), s3.port or 80))
        environment = s3_settings | {
            "DATABASE_URL": f"postgres://{login}@127.0.0.1:{postgres_proxy.port}/{about['NAME']}",
            "S3_ENDPOINT_URL": f"http://127.0.0.1:{s3_proxy.port}",
            "HOMEPORT_SECRET_KEY": settings.SECRET_KEY,
            "HOMEPORT_WORKERS": "1",
            "HOMEPORT_TLS_PORT": "0",
        }
        made = make(**environment).start()
        made.wait_ready()
        yield Node(made, postgres_proxy, s3_proxy)
        postgres_proxy.close()
        s3_proxy.close()
