"""`manage.py serve` as a person meets it: what it prints, what it refuses, what it leaves on disk and in memory."""

import ast
import contextlib
import os
import signal
import socket
import ssl
import stat
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from storage.embedded import state
from tests.second_s3 import serve_second_s3
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS, eventually

MakeServer = Callable[..., Server]


def test_it_speaks_https_with_a_certificate_its_own_authority_signed(server: Server) -> None:
    trust = ssl.create_default_context(cafile=str(server.ca_path))
    assert httpx.get(f"{server.tls_url}/healthz", verify=trust).json() == {"status": "ok"}


def test_it_listens_on_loopback_alone(server: Server) -> None:
    assert server.process
    serve = psutil.Process(server.process.pid)
    listening: list[str] = []
    for process in (serve, *serve.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # one that had little to do
            found = process.net_connections(kind="inet")
            listening += [each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN]
    assert len(listening) > 10
    assert set(listening) == {"127.0.0.1"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs engines as another user")
def test_no_engine_runs_as_root(server: Server) -> None:
    engines = [*server.children("postgres"), *server.children("weed")]
    assert len(engines) > 4
    assert {process.uids().effective for process in engines}.isdisjoint({0})


def test_it_keeps_data_and_secrets_from_other_users(server: Server) -> None:
    engines = server.data / "engines"
    private_folders = [engines.resolve(), engines / "postgres", engines / "seaweedfs", engines / "run"]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in private_folders} == {0o700}
    private_files = ["homeport.json", "serve.lock", "engines/s3.json", "engines/postgres.log", "engines/seaweedfs.log"]
    private_files += ["tls/ca.key", "tls/server.key"]
    assert {stat.S_IMODE((server.data / name).stat().st_mode) for name in private_files} == {0o600}


def test_it_prints_where_it_is_and_how_to_go_on(server: Server) -> None:
    eventually(lambda: "datakey create" in server.log)
    for text in (server.url, "https://127.0.0.1", "collection create", f"NODE_EXTRA_CA_CERTS={server.ca_path}"):
        assert text in server.log


@pytest.mark.slow
def test_a_second_serve_of_one_data_folder_says_who_runs_where(server: Server) -> None:
    assert server.process
    refused = server.run("serve")
    assert refused.returncode == 1
    assert f"process {server.process.pid} serves it at {server.url}" in refused.stderr
    assert server.is_ready()


@pytest.mark.parametrize("name", ["HOMEPORT_PORT", pytest.param("HOMEPORT_TLS_PORT", marks=pytest.mark.slow)])
def test_a_busy_port_is_named_with_the_way_to_another(make_server: MakeServer, name: str) -> None:
    server = make_server()
    port = int(server.environment[name])
    with socket.create_server(("127.0.0.1", port)):
        refused = server.run("serve")
    assert refused.returncode == 1
    assert f"127.0.0.1:{port} is in use" in refused.stderr
    assert f"{name}={port + 1}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_host_names_are_added_to_this_machines_own(server: Server) -> None:
    server.environment["HOMEPORT_ALLOWED_HOSTS"] = "data.example,.other.example"
    try:
        code = "from django.conf import settings; print(settings.ALLOWED_HOSTS)"
        hosts = ast.literal_eval(server.run_code(code))
    finally:
        del server.environment["HOMEPORT_ALLOWED_HOSTS"]
    assert {"data.example", ".other.example", "127.0.0.1", "localhost"} <= set(hosts)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_it_started(own_server: Server, number: signal.Signals) -> None:
    assert own_server.process
    family = psutil.Process(own_server.process.pid).children(recursive=True)
    assert len(family) > 8
    own_server.process.send_signal(number)
    assert own_server.process.wait(timeout=MOMENT_SECONDS) == 0
    assert [process for process in family if process.is_running()] == []
    assert not (own_server.data / "serve.json").exists()
    assert list((own_server.data / "engines" / "run").iterdir()) == []


@pytest.mark.slow
def test_a_request_that_is_under_way_finishes_before_the_stop(own_server: Server) -> None:
    assert own_server.process
    collection, key = own_server.make_key("Draining")
    body = b'{"items": [{"key": "slow"}]}'
    lines = [
        f"PUT /v1/{collection}/things/items HTTP/1.1",
        "Host: localhost",
        f"X-API-Key: {key}",
        "Expect: 100-continue",
    ]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
    address = ("127.0.0.1", int(own_server.environment["HOMEPORT_PORT"]))
    with socket.create_connection(address, timeout=MOMENT_SECONDS) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")  # so it has begun to read the body
        connection.sendall(body[:10])
        own_server.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        connection.sendall(body[10:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 207")
    assert own_server.process.wait(timeout=MOMENT_SECONDS) == 0
    assert "The web server did not stop" not in own_server.log  # SeaweedFS may hang


@pytest.mark.slow
def test_a_signal_during_the_start_stops_it_too(make_server: MakeServer) -> None:
    server = make_server().start()
    assert server.process
    eventually(lambda: server.children("weed"))
    family = psutil.Process(server.process.pid).children(recursive=True)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=MOMENT_SECONDS) == 0
    assert [process for process in family if process.is_running()] == []


@pytest.mark.slow
def test_a_second_start_keeps_everything(own_server: Server) -> None:
    created = own_server.run("collection", "create", "Kept")
    assert created.returncode == 0, created.stderr
    certificate = own_server.ca_path.read_bytes()
    own_server.stop()
    own_server.start()
    own_server.wait_ready()
    assert own_server.ca_path.read_bytes() == certificate
    assert created.stdout.split()[-1] in own_server.run("collection", "list").stdout


@pytest.mark.slow
def test_engines_of_others_are_used_instead_of_the_bundled_ones(
    make_server: MakeServer, own_server: Server, tmp_path: Path
) -> None:
    theirs = state.load(own_server.data)
    assert theirs
    database = theirs.postgres
    url = f"postgres://{database.user}:{database.password}@127.0.0.1:{database.port}/{database.database}"
    with serve_second_s3(tmp_path / "s3") as s3:
        server = make_server(DATABASE_URL=url, **s3).start()
        server.wait_ready()
        assert server.children("weed") == []
        assert server.children("postgres") == []
        assert not (server.data / "engines").exists()
        created = server.run("collection", "create", "Seen from both").stdout.split()[-1]
        assert created in own_server.run("collection", "list").stdout


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that engines can't reach")
def test_a_data_folder_that_engines_cannot_reach_is_left_as_it_is(make_server: MakeServer, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = make_server(HOMEPORT_DATA=str(closed / "data"))
    server.data = closed / "data"
    server.start().wait_ready()
    outside = (server.data / "engines").readlink()
    assert outside.is_relative_to("/var/lib/homeport")
    assert str(outside) in server.log
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert {process.uids().effective for process in server.children("postgres")}.isdisjoint({0})
