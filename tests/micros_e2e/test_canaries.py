"""Many Micros of two collections at once: each has a secret of its own, and looks for everybody's wherever it can look."""

import json
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from storage.collections import collections
from storage.micro_logs import logs
from storage.micros import micros, variables
from storage.models import Collection
from tests.micros_e2e.conftest import OBEDIENT
from tests.micros_e2e.neighbours import run_inside
from tests.running_micros import MicroClient, run_micro
from tests.serving import Server
from tests.waiting import eventually

CANARY = re.compile(r"canary-[0-9a-f]{24}|[a-z0-9]{10}_[A-Za-z0-9]{32}")
MARK = re.compile(r"mark-[0-9a-f]{24}")
# Puts its secret where an app may put things, and says what the key leads to.
LEAVE = """
import os, sys
from deta import Base, Drive
mine = os.environ["CANARY"]
for folder in ("/tmp", "/dev/shm"):
    try:
        open(folder + "/canary", "w").write(mine)
    except OSError:
        pass
Base("canaries").put({"canary": mine}, key=NAME)
Drive("canaries").put(NAME, data=mine.encode())
sys.stderr.write("left " + mine + "\\n")
found = mine
"""
# All the secrets that can be seen from inside, known by how they look.
LOOK = """
import os, re, stat
shape = re.compile(rb"canary-[0-9a-f]{24}|[a-z0-9]{10}_[A-Za-z0-9]{32}")
seen = set()
for folder, folders, names in os.walk("/"):
    folders[:] = [each for each in folders if os.path.join(folder, each) not in LEFT_OUT]
    for name in names:
        path = os.path.join(folder, name)
        try:
            if path.startswith("/proc/") or stat.S_ISREG(os.lstat(path).st_mode):
                if path.endswith(("/kmsg", "/kcore", "/clear_refs")) or "/task/" in path:
                    continue
                descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                try:
                    seen.update(shape.findall(os.read(descriptor, 4_000_000)))
                finally:
                    os.close(descriptor)
        except OSError:
            pass
found = sorted(each.decode() for each in seen)
"""
# What this machine's packages brought, which is the same for all.
PACKAGES = [
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/sbin",
    "/python",
    "/node",
    "/uv",
    "/root",
    "/sys",
    "/homeport/python/lib",
]
DATA = """
from deta import Base, Drive
base, drive = Base("canaries"), Drive("canaries")
found = [[item["canary"] for item in base.fetch().items], [drive.get(name).read().decode() for name in drive.list()["names"]]]
"""
# Another collection's Base, asked for with this one's key.
FOREIGN = """
import os, urllib.error, urllib.request
found = []
for path in PATHS:
    asked = urllib.request.Request("https://127.0.0.1:4443" + path, headers={"X-API-Key": os.environ["DETA_PROJECT_KEY"]})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            found.append([answer.status, answer.read().decode()])
    except urllib.error.HTTPError as error:
        found.append([error.code, error.read().decode()])
"""


@dataclass(frozen=True)
class Bird:
    """A Micro with its secret and its key."""

    client: MicroClient
    canary: str
    key: str
    mark: str

    @property
    def collection_id(self) -> str:
        return self.client.micro.collection_id

    @property
    def own(self) -> set[str]:
        return {self.canary, self.key}


def test_four_micros_see_their_own_secrets_alone(server: Server) -> None:
    _look_everywhere(server, count=4)


@pytest.mark.slow
def test_fifty_micros_see_their_own_secrets_alone(server: Server) -> None:
    _look_everywhere(server, count=50)


def _look_everywhere(server: Server, *, count: int) -> None:
    aviaries = [collections.create_collection(f"Aviary {number}").id for number in range(2)]
    birds = [_let_in(server, aviaries[number % 2], f"bird{number}") for number in range(count)]
    # Looking through all files takes each a second or more of the processor.
    with ThreadPoolExecutor(8) as pool, ThreadPoolExecutor(2) as few:
        left = list(pool.map(lambda bird: run_inside(bird.client, f"NAME = {bird.client.micro.id!r}\n{LEAVE}"), birds))
        assert left == [bird.canary for bird in birds]
        # Each is asked while the others are.
        for answers in pool.map(_ask_several_times, birds):
            assert len(set(answers)) == 1
        looked = few.map(lambda bird: run_inside(bird.client, f"LEFT_OUT = {PACKAGES!r}\n{LOOK}"), birds)
        for bird, seen in zip(birds, map(_secrets_among, looked), strict=True):
            assert bird.canary in seen
            assert set(seen) == bird.own
        for bird, data in zip(birds, pool.map(lambda bird: run_inside(bird.client, DATA), birds), strict=True):
            ours = {each.canary for each in birds if each.collection_id == bird.collection_id}
            assert [set(each) for each in data] == [ours, ours]
        for refusals in pool.map(lambda bird: _ask_for_others(bird, aviaries), birds):
            assert all(status in (401, 403, 404) and not CANARY.search(text) for status, text in refusals)
    for bird in birds:
        eventually(lambda bird=bird: len(_marks_in_log(bird)) >= 5)  # type: ignore[misc]
        assert set(_marks_in_log(bird)) == {bird.mark}
    assert len({bird.key for bird in birds}) == count


def _let_in(server: Server, collection_id: str, name: str) -> Bird:
    canary = f"canary-{secrets.token_hex(12)}"
    client = run_micro(server.url, collection_id, {"main.py": OBEDIENT}, name=name)
    variables.set_variables(collection_id=collection_id, micro_id=client.micro.id, values={"CANARY": canary})
    eventually(lambda: json.loads(client.ask().data)[1] == canary)
    return Bird(client, canary, micros.read_data_key(client.micro), f"mark-{secrets.token_hex(12)}")


def _ask_several_times(bird: Bird) -> list[bytes]:
    answers = [bird.client.ask(f"/?{bird.mark}").data for _ in range(5)]
    assert all(bird.canary.encode() in answer for answer in answers)
    return answers


def _secrets_among(seen: list[str]) -> list[str]:
    """What is no secret by its looks alone: a key begins with the id of a collection."""
    collection_ids = set(Collection.objects.values_list("id", flat=True))
    return [each for each in seen if each.startswith("canary-") or each[:10] in collection_ids]


def _ask_for_others(bird: Bird, aviaries: list[str]) -> list[tuple[int, str]]:
    (other,) = set(aviaries) - {bird.collection_id}
    things = ("canaries/items/x", "canaries/files", "canaries/files/download?name=x")
    paths = [f"/v1/{other}/{each}" for each in things]
    return [(status, text) for status, text in run_inside(bird.client, f"PATHS = {paths!r}\n{FOREIGN}")]


def _marks_in_log(bird: Bird) -> list[str]:
    """In all of its lines, which have no secret; each line of a request is found by it as well, and by no other Micro's."""
    rows = logs.list_lines(micro_id=bird.client.micro.id)
    assert not [row.text for row in rows if CANARY.search(row.text)]
    assert any(row.text == "left [redacted]" for row in rows)
    for row in rows[-3:]:
        if isinstance(request_id := row.request_id, UUID):
            assert logs.list_lines(micro_id=bird.client.micro.id, request_id=request_id)
            assert not logs.list_lines(micro_id=uuid4().hex[:12], request_id=request_id)
    return [found for row in rows for found in MARK.findall(row.text)]
