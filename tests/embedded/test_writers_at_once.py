"""All that writes does so at once until the disk has no byte left: the server lives, refuses in words, and makes room again."""

import pytest

from tests.drives import noise
from tests.embedded.disks import MB, NEEDED_MB, needs_small_disk
from tests.embedded.servers import serving_on_small_disk
from tests.embedded.writers import Writers
from tests.serving import Server
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.alone, needs_small_disk]

_LARGE = [f"large-{number}" for number in range(24)]


def test_everybody_writes_until_the_disk_is_full() -> None:
    with (
        serving_on_small_disk(HOMEPORT_LOG_FILE="homeport.log") as (server, small_disk),
        Writers(server) as writers,
        writers.client() as http,
    ):
        assert server.process
        for name in _LARGE:
            writers.api(http, "POST", f"/files/files?name={name}", content=noise(9_000_000)).raise_for_status()

        small_disk.leave(0)
        writers.wait_until_all_are_refused()
        eventually(lambda: "MB left: nothing new is stored" in server.log + told_by(server))
        eventually(lambda: writers.api(http, "GET", "/things/items/1-0").status_code == 200)
        eventually(lambda: writers.api(http, "DELETE", "/files/files", json={"names": _LARGE}).status_code == 200)
        eventually(lambda: small_disk.free_bytes > NEEDED_MB * MB)
        writers.wait_until_all_store()

        # What was kept for this is used up by others as well: until somebody makes room nothing may work, but all is told.
        with small_disk.kept_full():
            writers.wait_until_all_are_answered(5)
            eventually(lambda: small_disk.free_bytes < MB)
        small_disk.free()
        writers.wait_until_all_store()
        assert server.process.poll() is None


def told_by(server: Server) -> str:
    """What stands in its log on the disk."""
    return (server.data / "homeport.log").read_text()


def test_a_server_starts_on_a_full_disk() -> None:
    with serving_on_small_disk() as (server, small_disk):
        server.stop()
        small_disk.leave(0)
        server.start().wait_ready()
        assert "no space" not in server.log.lower()
