"""Two nodes that start at the same moment on a database in which nothing is yet."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import pytest

from storage.embedded import postgres, state
from tests.matching import search
from tests.second_s3 import serve_second_s3
from tests.serving import Server
from tests.waiting import eventually

pytestmark = pytest.mark.slow


def told_its_link(node: Server) -> bool:
    return "works once: " in node.log


def test_two_nodes_start_at_once_on_an_empty_database(
    own_server: Server, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    kept = state.load(own_server.data)
    assert kept
    with psycopg.connect(**postgres.connection_parameters(kept.postgres), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    about = kept.postgres
    environment = {
        "DATABASE_URL": f"postgres://{about.user}:{about.password}@{quote(about.host, safe='')}:{about.port}/{about.database}",
        "HOMEPORT_SECRET_KEY": kept.secret_key,
    }
    with serve_second_s3(tmp_path / "s3") as s3:
        nodes = [make_server(**environment, **s3).start() for _ in range(3)]
        for node in nodes:
            node.wait_ready()
        assert sum("The database is up to date." in node.log for node in nodes) == 1
        # The link of each works until there is an account.
        for node in nodes:
            eventually(partial(told_its_link, node))
            link = search(r"works once: (http\S+)", node.log).group(1)
            assert httpx.get(link).status_code == 200
        for node in nodes:
            node.stop()
