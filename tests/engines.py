"""A pytest plugin that gives the test run a data folder and ports of its own, before anything reads the settings.

It is named with `-p` in pyproject.toml: a conftest.py would come too late, pytest-django loads the settings first.
The server that runs there is the `server` fixture's. With HOMEPORT_TEST_S3=rclone in the environment it keeps its files
in a second S3 instead of the bundled one; with HOMEPORT_TEST_POOLER=1 its web processes reach a PostgreSQL of the tests' through
a pooler that hands each transaction another session.
"""

import atexit
import gc
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from storage.embedded import accounts, paths, ports, postgres, state
from tests import held_ports, rounds
from tests.pooler import pooling
from tests.postgres_pair import running_pair
from tests.second_s3 import serve_second_s3


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say how much of the slow tests is tried, where they are asked for."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    chosen = session.config.getoption("markexpr")
    if reporter and chosen and "not slow" not in chosen:
        reporter.write_line(rounds.told())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Next to nothing of what is collected is garbage, and looking for that takes a third of the time; then, and ever after."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def make_data_folder() -> Path:
    """A fresh folder for one server. Root's lets the engines' user through, as the server's own would."""
    folder = Path(tempfile.mkdtemp(prefix="homeport-test-")).resolve()
    folder.rmdir()
    paths.make_data_folder(folder)
    _take_static_files(folder)
    return folder


def _take_static_files(folder: Path) -> None:
    """Those that the run's own server has made are the same for every other, whose first start is the quicker for it."""
    made = Path(os.environ.get("HOMEPORT_DATA", folder))
    if (made / "static.stamp").exists():
        shutil.copytree(made / "static", folder / "static")
        shutil.copy(made / "static.stamp", folder)


def remove_data_folder(folder: Path) -> None:
    """Remove it with the engines' data, wherever that lies."""
    kept = state.load(folder)
    if kept and Path(kept.engine_home).is_absolute():
        shutil.rmtree(kept.engine_home, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_name(f"{folder.name}.log").unlink(missing_ok=True)


def _prepare() -> None:
    for name in (
        "DATABASE_URL",
        "HOMEPORT_DIRECT_DATABASE_URL",
        "S3_ENDPOINT_URL",
        "S3_BUCKET",
        "S3_ACCESS_KEY_ID",
        "S3_SECRET_ACCESS_KEY",
        "S3_REGION",
    ):
        os.environ.pop(name, None)
    folder = make_data_folder()
    http, https = held_ports.hold(folder, partial(ports.free_ports, 2))
    os.environ |= {
        "HOMEPORT_DATA": str(folder),
        "HOMEPORT_HOST": "127.0.0.1",
        "HOMEPORT_PORT": str(http),
        "HOMEPORT_TLS_PORT": str(https),
        # Tests of it say when which bytes are read again.
        "HOMEPORT_SCRUB_MB_PER_MINUTE": "0",
        "HOMEPORT_SNAPSHOT_TARGET": str(folder / "second place"),
        "HOMEPORT_FAILPOINTS": tempfile.mkdtemp(prefix="homeport-failpoints-"),
    }
    if os.environ.get("HOMEPORT_TEST_S3") == "rclone":
        os.environ |= _start_second_s3()
    if os.environ.get("HOMEPORT_TEST_POOLER"):
        os.environ |= _start_pooler()
    held_ports.hold(folder, partial(_choose_ports_of_engines, folder))
    atexit.register(remove_data_folder, folder)
    atexit.register(shutil.rmtree, os.environ["HOMEPORT_FAILPOINTS"], ignore_errors=True)


def _choose_ports_of_engines(folder: Path) -> list[int]:
    made = state.ensure(folder, engine_user=os.environ.get("HOMEPORT_ENGINE_USER", accounts.OWN))
    return [made.postgres.port, *made.s3.all_ports()]


def _start_second_s3() -> dict[str, str]:
    """For a run whose server keeps its files in another S3: its settings. It runs until the run is over."""
    running, folder = ExitStack(), tempfile.TemporaryDirectory(prefix="homeport-s3-")
    settings = running.enter_context(serve_second_s3(Path(running.enter_context(folder)) / "data"))
    atexit.register(running.close)
    return settings


def _start_pooler() -> dict[str, str]:
    """For a run whose server has a pooler on the way to its database: its settings. Both run until the run is over."""
    running, folder = ExitStack(), make_data_folder()
    running.callback(shutil.rmtree, folder, ignore_errors=True)
    database = running.enter_context(running_pair(folder, alone=True))
    pooler = running.enter_context(pooling(postgres.connection_parameters(database.leader.about), size=20))
    atexit.register(running.close)
    return {"DATABASE_URL": database.leader_url(pooler.port), "HOMEPORT_DIRECT_DATABASE_URL": database.leader_url()}


_prepare()
