"""`serve` behind Debian's pgbouncer: session mode works, what is not safe is refused before anything is served."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from django.conf import settings

from storage.embedded import ports, postgres
from storage.postgres import addresses, poolers
from tests.engines import make_data_folder, remove_data_folder
from tests.people import PASSWORD
from tests.pooler import pooling
from tests.postgres_pair import Pair, running_pair
from tests.second_s3 import serve_second_s3
from tests.serving import Server
from tests.waiting import LONG_SECONDS, MOMENT_SECONDS, eventually

_PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
pytestmark = pytest.mark.slow
with_pgbouncer = pytest.mark.skipif(_PROGRAM is None, reason="pgbouncer is not installed")


@contextlib.contextmanager
def bouncing(database: Pair, folder: Path, *, mode: str, ignores_options: bool = True) -> Iterator[str]:
    """pgbouncer before the leader; the address through it."""
    (port,) = ports.free_ports(1)
    about = addresses.parameters(database.leader_url(port))
    (folder / "users.txt").write_text(f'"{about["user"]}" "{about["password"]}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"""
[databases]
{about["dbname"]} = host=127.0.0.1 port={database.leader.about.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = {mode}
default_pool_size = 40
{"ignore_startup_parameters = options" if ignores_options else ""}
"""
    )
    # It refuses to run as root.
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o644)
    assert _PROGRAM
    command = [_PROGRAM, "-q", str(folder / "pgbouncer.ini")]
    with subprocess.Popen(command, user="nobody", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = database.leader_url(port)
            eventually(lambda: _answers(url), what="pgbouncer does not answer")
            yield url
        finally:
            process.kill()


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


@pytest.fixture(scope="module")
def database() -> Iterator[Pair]:
    folder = make_data_folder()
    try:
        with running_pair(folder, alone=True) as pair:
            yield pair
    finally:
        remove_data_folder(folder)


@pytest.fixture
def config() -> Iterator[Path]:
    """A folder that pgbouncer's user can reach, unlike pytest's own temporary folders."""
    with tempfile.TemporaryDirectory(prefix="homeport-pgbouncer-") as folder:
        yield Path(folder)


@with_pgbouncer
@pytest.mark.parametrize("has_way_past", [False, True], ids=["alone", "with a way past it"])
def test_session_mode_works(
    database: Pair, config: Path, make_server: Callable[..., Server], tmp_path: Path, has_way_past: bool
) -> None:
    # Otherwise the connection by which pgbouncer is waited for would be older than the settings of the role.
    poolers._set_on_role(database.leader_url(), settings.SESSION_SETTINGS)
    with (
        bouncing(database, config, mode="session", ignores_options=not has_way_past) as url,
        serve_second_s3(tmp_path / "s3") as s3,
    ):
        past = {"HOMEPORT_DIRECT_DATABASE_URL": database.leader_url()} if has_way_past else {}
        server = make_server(DATABASE_URL=url, **past, **s3).start()
        server.wait_ready(LONG_SECONDS)  # with all migrations
        collection_id, key = server.make_key("things")
        items = f"{server.url}/v1/{collection_id}/things/items"
        with httpx.Client(headers={"X-API-Key": key}, timeout=MOMENT_SECONDS) as http:
            assert http.put(items, json={"items": [{"key": "b", "n": 1}]}).status_code == 207
            assert http.get(f"{items}/b").json() == {"key": "b", "n": 1}
        assert "Sessions lack" not in server.log


@with_pgbouncer
@pytest.mark.parametrize(
    "mode, ignores_options, has_way_past, said",
    [
        ("transaction", True, True, "does not know prepared statements"),
        ("transaction", True, False, "hands each transaction another connection"),
        ("session", False, False, "refuses a session's settings"),
        ("statement", True, True, "lets through no transactions"),
    ],
)
def test_what_is_not_safe_is_refused_at_the_start(
    database: Pair,
    config: Path,
    make_server: Callable[..., Server],
    mode: str,
    ignores_options: bool,
    has_way_past: bool,
    said: str,
) -> None:
    with bouncing(database, config, mode=mode, ignores_options=ignores_options) as url:
        around = {"DATABASE_URL": url}
        if has_way_past:
            around["HOMEPORT_DIRECT_DATABASE_URL"] = database.leader_url()
        server = make_server(**around).start()
        assert server.process
        assert server.process.wait(MOMENT_SECONDS) == 1
        assert said in server.log
        assert "Traceback" not in server.log
        server.process = None


_SIGN_UP = f"""
import django
django.setup()
from django.contrib.auth.models import User
User.objects.create_superuser("ada", password={PASSWORD!r})
"""


def test_a_server_whose_transactions_get_another_session_each_leaves_nothing_in_any(
    database: Pair, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    parameters = postgres.connection_parameters(database.leader.about)
    with pooling(parameters, size=8) as pooler, serve_second_s3(tmp_path / "s3") as s3:
        way = {"DATABASE_URL": database.leader_url(pooler.port), "HOMEPORT_DIRECT_DATABASE_URL": database.leader_url()}
        server = make_server(**way, **s3).start()
        server.wait_ready(LONG_SECONDS)
        collection_id, key = server.make_key("things")
        server.run_code(_SIGN_UP)
        base, drive = (f"{server.url}/v1/{collection_id}/{name}" for name in ("things", "files"))
        moves = pooler.moves
        with httpx.Client(headers={"X-API-Key": key}, timeout=MOMENT_SECONDS) as http:
            for number in range(20):
                put = http.put(f"{base}/items", json={"items": [{"key": f"k{n}", "n": number} for n in range(3)]})
                assert put.status_code == 207
                assert http.patch(f"{base}/items/k1", json={"increment": {"n": 1}}).status_code == 200
                assert http.get(f"{base}/items/k1").json() == {"key": "k1", "n": number + 1}
                found = http.post(f"{base}/query", json={"query": [{"n?gte": number}]}).json()["items"]
                assert {item["key"] for item in found} == {"k0", "k1", "k2"}
                assert http.delete(f"{base}/items/k0").status_code == 200
                name = f"{drive}/files?name=a{number}"
                assert http.post(name, content=b"abc").status_code == 201
                assert http.get(f"{drive}/files/download?name=a{number}").content == b"abc"
            assert http.put(f"{base}/items", json={"items": [{"key": "old", "__expires": 1}]}).status_code == 207
        assert pooler.moves - moves > 100
        with httpx.Client(base_url=server.url, timeout=MOMENT_SECONDS) as browser:
            browser.get("/sign-in/")
            form = {"username": "ada", "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            assert browser.post("/sign-in/", data=form).status_code == 302
            assert "things" in browser.get("/", follow_redirects=True).text
        # By a job, over the way past the pooler.
        count = b"SELECT count(*) FROM storage_item WHERE key = 'old'"
        with psycopg.connect(**parameters, autocommit=True) as connection:
            eventually(lambda: connection.execute(count).fetchone() == (0,), seconds=LONG_SECONDS)
        assert pooler.stains() == []
