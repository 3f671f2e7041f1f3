"""Another user of this machine gets nothing from any port, socket, file or process of a server but refusals."""

import contextlib
import itertools
import json
import os
import pwd
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from django.conf import settings
from django.db import connection

from storage.embedded import accounts, paths, seaweedfs, state
from storage.embedded.accounts import Account
from storage.embedded.state import LocalState
from storage.models import File
from tests.drives import DriveClient, make_drive
from tests.embedded.stranger import Deed, Doors
from tests.serving import ROOT, Server
from tests.waiting import LONG_SECONDS

STRANGER = Account("stranger", 64_321, 64_321)
CONTENT = b"bytes that no stranger may read, and enough of them for a chunk of their own " * 20
NAME = "name-that-no-stranger-may-read"

# Strangers trust these, or are shown them by whom they trust.
PUBLIC_FILES = {"tls/ca.pem", "tls/server.pem"}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


class Walk(NamedTuple):
    """What a stranger did and heard, and of whom."""

    server: Server
    kept: LocalState
    drive: DriveClient
    deeds: list[Deed]
    blob: str
    family: list[psutil.Process]


@pytest.fixture(scope="module")
def walk(server: Server) -> Walk:
    """One walk over the server's doors, which all tests look at."""
    with pytest.raises(KeyError):
        pwd.getpwuid(STRANGER.uid)
    # Tests before may have ended PostgreSQL's processes.
    connection.close()
    drive = make_drive(server)
    assert drive.put(NAME, CONTENT).status_code == 201
    kept = state.load(server.data)
    assert kept
    assert server.process
    # Some other worker's tests may have been given to this one, with a walk of their own before.
    stored = File.objects.filter(name=NAME).latest("created_at")
    (blob,) = (blob_id.hex for blob_id in stored.blob_ids)
    serve = psutil.Process(server.process.pid)
    family = [serve, *serve.children(recursive=True)]
    doors = find_doors(server, kept, family, blob)
    done = subprocess.run(
        [sys.executable, "-m", "tests.embedded.stranger"],
        cwd=ROOT,
        input=json.dumps(asdict(doors)),
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    deeds = [Deed(**json.loads(line)) for line in done.stdout.splitlines()]
    return Walk(server, kept, drive, deeds, blob, family)


def find_doors(server: Server, kept: LocalState, family: list[psutil.Process], blob: str) -> Doors:
    """Everything the processes listen on, as the system says, and everything that lies in their folders."""
    connections = list(of_all(family, lambda process: process.net_connections(kind="all")))
    home = kept.home(server.data).resolve()
    lying = [path for folder in (server.data, home) for path in (folder, *folder.rglob("*"))]
    lying += of_all(family, shared_memory)
    return Doors(
        uid=STRANGER.uid,
        authority=state.engine_tls(home).authority.read_text(),
        ports=sorted({each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}),
        sockets=sorted({each.laddr for each in connections if each.family.name == "AF_UNIX" and each.laddr}),
        paths=[f"/{find_file_id(server, kept, blob)}", f"/homeport/blobs/{blob[:2]}/{blob[2:4]}/{blob}"],
        shells=find_shells(kept),
        files=sorted({str(path) for path in lying if path.is_file() and not path.is_symlink()}),
        folders=sorted({str(path) for path in lying if path.is_dir()}),
        processes=[process.pid for process in family],
    )


def of_all(family: list[psutil.Process], ask: Callable[[psutil.Process], list[Any]]) -> Iterator[Any]:
    """What each of the processes has; some of Postgres's are gone again by now."""
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            yield from ask(process)


def shared_memory(process: psutil.Process) -> list[Path]:
    return [Path(each.path) for each in process.memory_maps() if each.path.startswith("/dev/shm/")]


def find_file_id(server: Server, kept: LocalState, blob: str) -> str:
    """What SeaweedFS's volumes call the file, which a stranger may have guessed."""
    account = accounts.engine_account(settings.ENGINE_USER)
    line = f"fs.meta.cat /buckets/homeport/blobs/{blob[:2]}/{blob[2:4]}/{blob}\n"
    home, programs = kept.home(server.data), paths.binaries(account)
    said = seaweedfs.run_shell(home, kept.s3, line, binaries=programs, account=account)
    (found,) = set(re.findall(r'"fileId":\s*"(\d+,\w+)"', said))
    return str(found)


def find_shells(kept: LocalState) -> list[tuple[list[str], str]]:
    """`weed shell` for each part that might be the master, and `psql` as everybody, by the port and by the socket."""
    programs = paths.binaries(STRANGER)
    weed = [str(programs.weed), "-v=2", "shell", "-debug", f"-filer=127.0.0.1:{kept.s3.filer_port}"]
    typed = "volume.list\nfs.ls /buckets/homeport\ns3.configure\nfs.cat /etc/iam/identity.json\nlock\nvolume.deleteEmpty -force\n"
    masters = (kept.s3.master_port, kept.s3.filer_port, kept.s3.volume_port, kept.s3.admin_port)
    shells = [([*weed, f"-master=127.0.0.1:{port}"], typed) for port in masters]
    psql = [str(programs.postgres / "psql"), "-w", "-p", str(kept.postgres.port), "-c", "SELECT * FROM storage_file"]
    hosts = {"127.0.0.1", "localhost", kept.postgres.host}
    return shells + [
        ([*psql, "-h", host, "-U", user, "homeport"], "") for host in hosts for user in ("homeport", "postgres")
    ]


def deeds_of(walk: Walk, *kinds: str) -> list[Deed]:
    found = [deed for deed in walk.deeds if deed.kind in kinds]
    assert found
    return found


def is_public(walk: Walk, deed: Deed) -> bool:
    """Whether it was tried on one of the two ports that are there for strangers."""
    ports = (walk.server.environment["HOMEPORT_PORT"], walk.server.environment["HOMEPORT_TLS_PORT"])
    return deed.place.split(" by ")[0] in {f"port {port}" for port in ports}


def is_refusal(deed: Deed) -> bool:
    """Nothing, a TLS alert, a request for a password, or HTTP's words for no."""
    heard = deed.answer.encode("latin-1")
    if http := re.match(rb"HTTP/1\.[01] (\d+) .*?\r\n\r\n(.*)", heard, re.S):
        status, body = int(http[1]), http[2]
        plain_to_tls = status == 400 and body == b"Client sent an HTTP request to an HTTPS server.\n"
        return plain_to_tls or status in (401, 403, 404)
    if heard.startswith(b"R"):
        return int.from_bytes(heard[5:9]) in (3, 5, 10)
    return heard in (b"", b"N") or heard.startswith((b"\x15\x03", b"E"))


def test_the_walk_has_been_everywhere(walk: Walk) -> None:
    """Whatever is found later: there was something to find."""
    ports = {deed.place.split()[1] for deed in deeds_of(walk, "door") if deed.place.startswith("port ")}
    assert {str(port) for port in [*walk.kept.s3.all_ports(), walk.kept.postgres.port]} <= ports
    assert {"s3.sock", f".s.PGSQL.{walk.kept.postgres.port}"} <= {
        Path(deed.place).name for deed in deeds_of(walk, "door")
    }
    answers = "\n".join(deed.error + deed.answer for deed in walk.deeds)
    for told in ("Permission denied", "CERTIFICATE_REQUIRED", "no password supplied"):
        assert told in answers
    assert any(deed.place.startswith("/dev/shm/") for deed in walk.deeds)


def test_no_engines_door_opens(walk: Walk) -> None:
    doors = [deed for deed in deeds_of(walk, "door") if not is_public(walk, deed)]
    assert [deed for deed in doors if not is_refusal(deed)] == []


def test_the_engines_own_programs_are_refused(walk: Walk) -> None:
    """`weed shell` says nothing aloud and tries for ever; its log tells that it was hung up on, or what TLS's alert was."""
    # Behind it stands how the connection was ended: EOF, or as the kernel tells it.
    refusals = {"/nonexistent": "error reading server preface: ", "/tmp": "remote error: tls: "}
    for deed in deeds_of(walk, "program"):
        told = "no password supplied|Permission denied"
        if " shell " in deed.place:
            (told,) = (refusal for home, refusal in refusals.items() if f"HOME={home}" in deed.deed)
        assert re.search(told, deed.answer), deed


def test_no_file_or_folder_is_readable(walk: Walk) -> None:
    lying = deeds_of(walk, "file", "folder")
    assert len(lying) > 1000
    open_to_all = {(str(Path(deed.place).relative_to(walk.server.data)), deed.deed) for deed in lying if deed.answer}
    assert open_to_all == {(name, "read") for name in PUBLIC_FILES}


def test_of_a_process_only_its_command_line_is_told(walk: Walk) -> None:
    told = {Path(deed.place).name for deed in deeds_of(walk, "process") if deed.answer}
    assert told <= {"cmdline"}


def test_no_secret_name_or_byte_is_told_anywhere(walk: Walk) -> None:
    kept = walk.kept
    secrets = [kept.secret_key, kept.postgres.password, kept.s3.access_key, kept.s3.secret_key]
    secrets += [NAME, CONTENT[:40].decode(), walk.drive.caller.key_text]
    told = [(deed, secret) for deed, secret in itertools.product(walk.deeds, secrets) if secret in deed.answer]
    assert told == []
    # What is asked for is named in answers; the engines' own programs would list it unasked.
    assert [deed for deed in deeds_of(walk, "program") if walk.blob[4:] in deed.answer] == []


def test_nothing_was_changed(walk: Walk) -> None:
    assert walk.drive.get(NAME).content == CONTENT
    assert not list(walk.server.data.rglob("a-stranger-was-here"))
