"""`upgrade`: a data folder of an older PostgreSQL comes to the one that runs here, whatever interrupts it, and goes back."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from storage.embedded import paths, postgres, state, upgrade
from tests.embedded import old_postgres
from tests.embedded.disks import MB, SmallDisk, mounted, needs_small_disk
from tests.embedded.test_data_folder import assert_refused
from tests.serving import ROOT, Server
from tests.waiting import MOMENT_SECONDS

MakeServer = Callable[..., Server]
ITEMS = [{"key": key, "value": f"é {key}", "big": 10**30} for key in ("a", "Z", "ä", "z", "éa", "日本", "😀")]
BODY = bytes(range(256)) * 400


def majors(home: Path) -> dict[str, int | None]:
    return {path.name: postgres.major_of(path) for path in home.glob("postgres*") if path.is_dir()}


def make_folders(home: Path, **folders: int) -> None:
    for name, major in folders.items():
        folder = home / name.replace("__", ".").replace("_", "-")
        folder.mkdir(parents=True)
        (folder / "PG_VERSION").write_text(f"{major}\n")


@pytest.mark.parametrize(
    "before, after",
    [
        ({"postgres": 16, "postgres__upgrading": 18}, {"postgres": 16}),
        ({"postgres": 16, "postgres__incoming": 18}, {"postgres": 16}),
        ({"postgres_16": 16, "postgres__incoming": 18}, {"postgres-16": 16, "postgres": 18}),
        ({"postgres": 18, "postgres__incoming": 16}, {"postgres": 18, "postgres-16": 16}),
        ({"postgres_18": 18, "postgres__incoming": 16}, {"postgres-18": 18, "postgres": 16}),
        ({"postgres": 18, "postgres_16": 16}, {"postgres": 18, "postgres-16": 16}),
    ],
    ids=["unfinished", "finished", "upgraded", "going back", "gone back", "nothing"],
)
def test_wherever_it_was_interrupted_no_whole_folder_is_lost(
    tmp_path: Path, before: dict[str, int], after: dict[str, int]
) -> None:
    make_folders(tmp_path, **before)
    upgrade.clear_interrupted(tmp_path)
    assert majors(tmp_path) == after


def test_going_back_keeps_what_was_in_use_and_can_be_done_again(tmp_path: Path) -> None:
    make_folders(tmp_path, postgres=18, postgres_16=16, postgres_18=18)
    assert upgrade.go_back(tmp_path) == (tmp_path / "postgres-16", tmp_path / "postgres-18-2")
    assert majors(tmp_path) == {"postgres": 16, "postgres-18": 18, "postgres-18-2": 18}
    assert [path.name for path in upgrade.kept_folders(tmp_path)] == ["postgres-18-2", "postgres-18"]
    with pytest.raises(upgrade.UpgradeError, match="no data folder of an older PostgreSQL"):
        upgrade.go_back(tmp_path)


@pytest.mark.parametrize(
    "major, says",
    [(14, "upgrade by an older version first"), (99, "start a version of Homeport that has PostgreSQL 99")],
)
def test_what_it_has_no_programs_for_is_left_alone(tmp_path: Path, major: int, says: str) -> None:
    make_folders(tmp_path, postgres=major)
    of = upgrade.Installation(tmp_path, state.Postgres("", 1, "u", "p", "d"), paths.binaries(None), None, {})
    with pytest.raises(upgrade.UpgradeError, match=says):
        upgrade.upgrade(of, keep_free_bytes=0, tell=print)
    assert majors(tmp_path) == {"postgres": major}


@pytest.mark.parametrize(
    "major, says",
    [
        (
            16,
            r"is of PostgreSQL 16, and this version of Homeport runs 18: run `homeport upgrade`\. Nothing was changed\.",
        ),
        (17, "upgrade by an older version first"),
        (99, "start a version of Homeport that has PostgreSQL 99. Nothing was changed."),
    ],
)
def test_no_server_starts_on_the_database_of_another_version(tmp_path: Path, major: int, says: str) -> None:
    make_folders(tmp_path, postgres=major)
    with pytest.raises(upgrade.UpgradeError, match=says):
        upgrade.check_major(tmp_path / "postgres", command="homeport upgrade")


def test_a_server_starts_on_its_own_version_and_on_none(tmp_path: Path) -> None:
    make_folders(tmp_path, postgres=paths.POSTGRES_MAJOR)
    upgrade.check_major(tmp_path / "postgres", command="homeport upgrade")
    upgrade.check_major(tmp_path / "missing", command="homeport upgrade")


class OldServer:
    """A server whose data folder has a database of the older version, with data in it."""

    def __init__(self, server: Server, locale: str = "libc") -> None:
        self.server, self.data = server, server.data
        old_postgres.make_old_database(self.data, locale)
        with old_postgres.running_old_database(self.data) as address:
            server.environment["DATABASE_URL"] = address
            server.start().wait_ready()
            self.collection, self.key = server.make_key("Kept")
            with self.client() as client:
                for item in ITEMS:
                    assert client.put("things/items", json={"items": [item]}).is_success
                assert client.post("files/files", params={"name": "a/é"}, content=BODY).is_success
            server.stop()
            self.was = old_postgres.describe(address)
        del server.environment["DATABASE_URL"]
        old_postgres.put_in_place(self.data)

    @property
    def home(self) -> Path:
        made = state.load(self.data)
        assert made
        return made.home(self.data)

    def client(self) -> httpx.Client:
        url = f"{self.server.url}/v1/{self.collection}/"
        return httpx.Client(base_url=url, headers={"X-API-Key": self.key}, timeout=MOMENT_SECONDS)

    def upgrade(self, *options: str) -> "subprocess.CompletedProcess[str]":
        return self.server.run("upgrade", *options)

    def kill_upgrade(self, at: str) -> None:
        """Start it, and kill it when it says that it does this; what it started goes on, as after any kill."""
        command = [*self.server.command, "upgrade"]
        with subprocess.Popen(
            command, cwd=ROOT, env=self.server.environment, stdout=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout
            assert any(at in line for line in running.stdout)
            running.kill()

    def assert_all_is_there(self) -> None:
        """Serve what was upgraded: each item and file, in the order it was in, and every row and function of the database."""
        made = state.load(self.data)
        assert made
        self.server.start().wait_ready()
        try:
            now = old_postgres.describe(postgres.connection_parameters(made.postgres))
            assert now["made"] == self.was["made"]
            assert {name: now["rows"][name] for name in _KEPT_TABLES} == {
                name: self.was["rows"][name] for name in _KEPT_TABLES
            }
            with self.client() as client:
                found = client.post("things/query", json={}).json()["items"]
                assert [item["key"] for item in found] == sorted(item["key"] for item in ITEMS)
                assert {item["key"]: item for item in found} == {item["key"]: item for item in ITEMS}
                assert client.get("files/files/download", params={"name": "a/é"}).content == BODY
                assert client.put("things/items", json={"items": [{"key": "new"}]}).is_success
        finally:
            self.server.stop()


# What a server that has just started does not write to.
_KEPT_TABLES = (
    "storage_item",
    "storage_blob",
    "storage_file",
    "storage_collection",
    "storage_datakey",
    "django_migrations",
)


@pytest.fixture
def old_server(make_server: MakeServer) -> OldServer:
    return OldServer(make_server())


@pytest.mark.slow
def test_an_older_database_is_upgraded_and_can_be_gone_back_to(old_server: OldServer) -> None:
    version = postgres.folder(old_server.home) / "PG_VERSION"
    version.write_text("99\n")
    assert_refused(old_server.data, "is of PostgreSQL 99", "start a version of Homeport that has PostgreSQL 99")
    version.write_text("16\n")
    assert_refused(old_server.data, "is of PostgreSQL 16", "upgrade`. Nothing was changed.")
    done = old_server.upgrade()
    assert done.returncode == 0, done.stderr
    assert f"is kept in {old_server.home / 'postgres-16'}" in done.stdout
    old_server.assert_all_is_there()
    again = old_server.upgrade()
    assert (again.returncode, "nothing to do" in again.stdout) == (0, True)

    back = old_server.upgrade("--back")
    assert (back.returncode, "in use again" in back.stdout) == (0, True), back.stderr
    assert majors(old_server.home) == {"postgres": 16, "postgres-18": 18}
    with old_postgres.running_old_database(old_server.data, "postgres") as address:
        assert old_postgres.describe(address) == old_server.was
    assert old_server.upgrade().returncode == 0
    old_server.assert_all_is_there()
    removed = old_server.upgrade("--remove-old")
    assert removed.stdout.count("is deleted") == 2
    assert majors(old_server.home) == {"postgres": 18}


@pytest.mark.slow
def test_an_upgrade_that_is_killed_can_be_run_again(make_server: MakeServer) -> None:
    old_server = OldServer(make_server(), "C")
    for moment in ("Upgrading", "Copying", "Gathering"):
        old_server.kill_upgrade(moment)
        assert_refused(old_server.data, "is of PostgreSQL 16")
    done = old_server.upgrade()
    assert done.returncode == 0, done.stderr
    old_server.assert_all_is_there()


@pytest.mark.slow
@needs_small_disk
def test_an_upgrade_without_room_changes_nothing(make_server: MakeServer, data_folder: Path) -> None:
    server = make_server(HOMEPORT_DATA=str(data_folder))
    server.data = data_folder
    with mounted(data_folder, "size=1200m,mode=711"):
        old_server = OldServer(server)
        disk = SmallDisk(data_folder)
        disk.leave(400 * MB)
        refused = old_server.upgrade()
        assert refused.returncode == 1
        assert re.search(r"needs .* free .* Nothing was changed\.", refused.stderr)
        assert majors(old_server.home) == {"postgres": 16}
        disk.free()
        assert old_server.upgrade().returncode == 0
        old_server.assert_all_is_there()
