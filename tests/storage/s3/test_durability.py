"""Whether an external SeaweedFS syncs what it confirms: asked of a real filer, and said in words."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import urllib3
from django.conf import settings

from storage.embedded import paths, ports
from storage.s3 import blobs, durability
from tests.second_s3 import serve_second_s3
from tests.waiting import MOMENT_SECONDS, eventually

RULE = {"locationPrefix": "/buckets/", "fsync": True}


@pytest.mark.parametrize(
    "rules, syncs",
    [
        ({}, False),
        ({"locations": None}, False),
        ({"locations": [RULE]}, True),
        ({"locations": [RULE | {"fsync": False}]}, False),
        ({"locations": [RULE | {"locationPrefix": "/buckets/other/"}]}, False),
        ({"locations": [RULE | {"locationPrefix": "/buckets/homeport/"}]}, True),
        ({"locations": [RULE, {"locationPrefix": "/buckets/homeport/", "fsync": False}]}, True),
        ({"locations": ["nonsense", RULE]}, True),
    ],
)
def test_rules_are_read_as_seaweedfs_reads_them(monkeypatch: pytest.MonkeyPatch, rules: object, syncs: bool) -> None:
    monkeypatch.setattr(settings, "S3_BUCKET", "homeport")
    assert durability._syncs_files(rules) is syncs


@pytest.mark.parametrize("rules", [[], None, {"locations": 1}])
def test_what_is_no_rules_is_told_from_rules_that_say_nothing(rules: object) -> None:
    with pytest.raises(ValueError, match="no "):
        durability._syncs_files(rules)


class Reached:
    """How S3 and the filer are reached."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def by(self, **changed: object) -> None:
        for name, value in changed.items():
            self._patch.setattr(settings, name, value)


@pytest.fixture
def reached(database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reached]:
    """For tests that lead to another S3; afterwards it is reached as before."""
    blobs._pool.cache_clear()
    anew = Reached(monkeypatch)
    anew.by(S3_IS_BUNDLED=False, S3_SOCKET="", S3_TLS=None)
    yield anew
    monkeypatch.undo()
    blobs._pool.cache_clear()


def test_the_bundled_one_and_other_services_are_not_asked(reached: Reached, tmp_path: Path) -> None:
    with serve_second_s3(tmp_path / "s3") as other:
        reached.by(S3_ENDPOINT_URL=other["S3_ENDPOINT_URL"], SEAWEEDFS_FILER_URL="http://127.0.0.1:9")
        assert durability.find_problems() == []
    reached.by(S3_IS_BUNDLED=True)
    assert durability.find_problems() == []


@pytest.fixture
def seaweedfs(tmp_path: Path) -> Iterator[tuple[int, int, Callable[[str], None]]]:
    """One as somebody would start it: the ports of its S3 and filer, and its shell."""
    weed = paths.binaries(None).weed
    s3, filer, master, volume = ports.free_ports(4)
    access = {"accessKey": "k", "secretKey": "s"}
    config = tmp_path / "s3.json"
    config.write_text(json.dumps({"identities": [{"name": "a", "credentials": [access], "actions": ["Admin"]}]}))
    command = [str(weed), "server", f"-dir={tmp_path}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
    command += [f"-s3.port={s3}", f"-s3.config={config}", f"-filer.port={filer}", "-master.telemetry=false"]
    command += [f"-master.port={master}", f"-volume.port={volume}"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:

        def tell(line: str) -> None:
            shell = [str(weed), "shell", f"-master=127.0.0.1:{master}", f"-filer=127.0.0.1:{filer}"]
            subprocess.run(shell, cwd=tmp_path, input=f"{line}\n", text=True, timeout=MOMENT_SECONDS, check=True)

        try:
            for port in (s3, filer):
                eventually(partial(_answers, port))
            yield s3, filer, tell
        finally:
            process.kill()


def _answers(port: int) -> bool:
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{port}/", retries=False, timeout=5).status > 0
    except urllib3.exceptions.HTTPError:
        return False


@pytest.mark.slow
def test_a_seaweedfs_of_ones_own_is_asked_by_its_filer(
    reached: Reached, seaweedfs: tuple[int, int, Callable[[str], None]]
) -> None:
    s3, filer, tell = seaweedfs
    reached.by(S3_ENDPOINT_URL=f"http://127.0.0.1:{s3}")
    assert settings.S3_BUCKET == "homeport"

    def found(url: str) -> list[tuple[str, str]]:
        reached.by(SEAWEEDFS_FILER_URL=url)
        began = time.monotonic()
        findings = durability.find_problems()
        assert time.monotonic() - began < MOMENT_SECONDS
        return [(finding.key, finding.level) for finding in findings]

    unknown, off = [("s3_fsync_unknown", "warn")], [("s3_fsync_off", "bad")]
    eventually(lambda: found("") == unknown)
    assert found("http://127.0.0.1:9") == unknown
    assert found(f"http://127.0.0.1:{s3}") == unknown  # it answers, and not as a filer does
    at = f"http://127.0.0.1:{filer}"
    eventually(lambda: found(at) == off)
    tell("fs.configure -locationPrefix=/buckets/homeport/ -fsync -apply")
    eventually(lambda: found(at) == [])
