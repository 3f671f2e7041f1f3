"""Each part of a cluster is killed while clients write and read: nothing acknowledged is lost, and all goes on."""

import itertools
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest

from deploy.cluster.one_machine import Cluster, Machine
from tests.cluster.front import Front, hand_over, switch_over, wait_for_leader, wait_whole
from tests.drives import PART, encoded, noise
from tests.following import Following
from tests.ledger import Ledger
from tests.server.slow import make_app
from tests.waiting import MOMENT_SECONDS, eventually

logger = logging.getLogger(__name__)

pytestmark = [pytest.mark.slow, pytest.mark.alone]

# What is promised, and four times as long for a machine that has much else to do.
SECONDS, WHOLE_MACHINE_SECONDS = 4 * 15.0, 4 * 40.0
FILES = 30

_PREPARE = """
import json
from storage.collections import collections, keys
from storage.drive import duplication
from storage.events import recording
from storage.postgres.caller import Access
from tests.people import make_member, make_person, make_session
made = collections.create_collection("Before the faults")
recording.start_recording(made.id)
print(json.dumps({
    "collection_id": made.id,
    "key": keys.create_key(collection_id=made.id, name="Made by a test").text,
    "person_id": make_member(made.id).pk,
    "session": make_session(make_person(owns_server=True)),
}))
"""
_ASK_FOR_COPY = """
from storage import jobs
from storage.drive import duplication
from storage.postgres.caller import Access
access = Access({collection_id!r}, person_id={person_id})
duplication.ask_for_duplication(access=access, drive="files", new_name="copy-{number}")
jobs.start(jobs.continue_duplications)
"""
_LOOK = """
from storage.events import queries
from storage.models import Duplication
from tests.waiting import eventually
found = Duplication.objects.filter(collection_id={collection_id!r})
eventually(lambda: all(each.finished_at for each in found.all()))
told = [(each.state, each.copied) for each in found]
assert told == [(Duplication.State.DONE, {files})] * {copies}, told

def is_recorded():
    lines = queries.list_events(collection_id={collection_id!r}, limit=1).lines
    return lines and lines[0].at.timestamp() > {repaired_at}

eventually(is_recorded)
"""


@dataclass
class Life:
    """What was begun before a fault: a session, an upload, copies by the job worker, requests that are recorded."""

    front: Front
    collection_id: str
    key: str
    person_id: int
    session: str
    copies: int = 0

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.front.url, timeout=MOMENT_SECONDS, trust_env=False)
        self.http.headers["X-API-Key"] = self.key
        self.drive = f"/v1/{self.collection_id}/files"
        for number in range(FILES):
            assert self.http.post(f"{self.drive}/files?name={number}.txt", content=b"x").status_code == 201

    @contextmanager
    def goes_on(self) -> Iterator[None]:
        """Begin things, and end them after what happens inside."""
        name = encoded(f"in parts {self.copies}")
        upload = self.http.post(f"{self.drive}/uploads?name={name}").json()["upload_id"]
        parts = [noise(PART, 1), b"the end"]
        url = f"{self.drive}/uploads/{upload}"
        assert self.http.post(f"{url}/parts?name={name}&part=1", content=parts[0]).status_code == 200
        self.front.run_code(_ASK_FOR_COPY.format(**vars(self), number=self.copies))
        self.copies += 1
        yield
        assert self._ask("POST", f"{url}/parts?name={name}&part=2", content=parts[1]).status_code == 200
        assert self._ask("PATCH", f"{url}?name={name}").status_code == 200
        assert self._ask("GET", f"{self.drive}/files/download?name={name}").content == b"".join(parts)
        # Taken away again, so that copies have the same files each time.
        names = [f"in parts {self.copies - 1}"]
        assert self._ask("DELETE", f"{self.drive}/files", json={"names": names}).is_success
        assert self._ask("GET", "/", headers={"Cookie": f"sessionid={self.session}"}).status_code == 200
        repaired_at = time.time()
        assert self._ask("GET", f"/v1/{self.collection_id}/things/items/none").status_code == 404
        self.front.run_code(_LOOK.format(**vars(self), files=FILES, repaired_at=repaired_at))

    def _ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send it again as long as it is answered 503, as clients do; each of these may come twice."""
        answer = eventually(
            lambda: None if (answer := self.http.request(method, url, **options)).status_code == 503 else answer,
            seconds=SECONDS,
            what=f"{method} {url} goes on being answered 503",
        )
        assert answer
        return answer


@pytest.fixture(scope="module")
def life(front: Front) -> Iterator[Life]:
    life = Life(front, **json.loads(front.run_code(_PREPARE)))
    yield life
    life.http.close()


def another(cluster: Cluster, front: Front) -> Machine:
    """A machine whose HAProxy the clients do not use, and which does not lead."""
    leader = cluster.leader()
    return next(each for each in cluster.machines.values() if each is not front.entry and each is not leader)


def kill_a_node(cluster: Cluster, front: Front) -> None:
    another(cluster, front).kill("homeport")


def kill_a_volume_server(cluster: Cluster, front: Front) -> None:
    another(cluster, front).kill("volume")


def kill_a_filer(cluster: Cluster, front: Front) -> None:
    another(cluster, front).kill("filer")


def kill_the_leading_master(cluster: Cluster, front: Front) -> None:
    told = cluster.weed_shell("cluster.raft.ps\n")
    found = re.search(r"(127\.\d+\.\d+\.\d+):\d+\S* *\(?.*leader", told, re.IGNORECASE)
    assert found, told
    next(each for each in cluster.machines.values() if each.address == found.group(1)).kill("master")


def kill_the_leading_postgres(cluster: Cluster, front: Front) -> None:
    leader = cluster.leader()
    assert leader
    leader.kill_postgres()


Fault = Callable[[Cluster, Front], None]
FAULTS = [kill_a_node, kill_a_volume_server, kill_a_filer, kill_the_leading_master, kill_the_leading_postgres]


class Harm:
    """What clients meet from now on, for the table in docs/scaling.md: pytest tests/cluster --log-cli-level=INFO"""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._before = self._counts()
        self._began = time.monotonic()

    def since_then(self) -> str:
        """In words. A gap is the time from one put that was acknowledged to the next."""
        ledger = self._ledger
        refused, broken = (now - before for now, before in zip(self._counts(), self._before, strict=True))
        gaps = []
        for kind, acknowledged in ledger.acknowledged.items():
            later = sorted([self._began, *(began for began in acknowledged if began > self._began)])
            gaps.append(f"{kind} {max(after - before for before, after in itertools.pairwise(later)):.1f} s")
        return f"longest gaps {', '.join(gaps)}; {refused} answered 503, {broken} connections broken"

    def _counts(self) -> tuple[int, int]:
        return sum(self._ledger.refused.values()), self._ledger.broken


def seconds_until_served(ledger: Ledger) -> float:
    """Until items and files are written again."""
    return max(ledger.seconds_until_written(kind) for kind in ledger.services)


def repair(cluster: Cluster) -> None:
    """Start what is dead, as systemd does."""
    for machine in cluster.machines.values():
        machine.start()
    wait_whole(cluster)


def test_filers_that_end_while_the_cluster_is_set_up_are_started_again(cluster: Cluster) -> None:
    """As when their connections to the database are cut; systemd would start them again as well."""
    filers = [machine.children["filer"] for machine in cluster.machines.values()]
    for filer in filers:
        assert filer.process
        filer.process.kill()
        filer.process.wait()
    cluster._until(cluster._files_are_set_up, "filer")
    assert all(filer.is_running() for filer in filers)
    wait_whole(cluster)


def test_each_part_is_killed_under_load(
    cluster: Cluster, front: Front, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOMEPORT_URL", front.url)
    app = make_app(front)
    with Ledger(front, writers=1) as ledger, Following(app, writers=1):
        for break_something in FAULTS:
            with life.goes_on():
                harm = Harm(ledger)
                break_something(cluster, front)
                assert seconds_until_served(ledger) < SECONDS
                repair(cluster)
                logger.info("%s: %s", break_something.__name__, harm.since_then())
    ledger.check()


def test_who_is_about_to_lead_is_not_read_from(cluster: Cluster, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is promoted it may lack what was acknowledged, which it confirms once that is written, not once it can be read."""
    monkeypatch.setenv("HOMEPORT_URL", front.url)
    app = make_app(front)
    feed = partial(app.call, "GET", "/changes")
    cursor = feed(params={"since": "now"}).json()["cursor"]
    wait_whole(cluster)
    leader, to = cluster.leader(), cluster.synchronous()
    assert leader
    assert to
    (replaying,) = (each for each in to.postgres_processes() if "startup" in "".join(each.cmdline()))
    replaying.suspend()
    try:
        for number in range(100):
            assert app.call("PUT", "/items", json={"items": [{"key": f"k{number}"}]}).status_code == 207
        leads = threading.Thread(target=switch_over, args=(cluster, leader, to))
        leads.start()
        wait_for_leader(cluster, lambda machine: machine is to)
        ends = time.monotonic() + 6
        while time.monotonic() < ends:
            for path in ("/items/k99", "/changes?since=" + cursor):
                answer = app.call("GET", path)
                assert answer.status_code == 503, (path, answer.text)
    finally:
        replaying.resume()
    leads.join()
    wait_whole(cluster)
    assert app.call("GET", "/items/k99").status_code == 200
    names = [f"k{number}" for number in range(100)]
    eventually(lambda: names == [each["key"] for each in feed(params={"since": cursor}).json()["changes"]])


def test_the_leaders_machine_is_lost_comes_back_and_leads_again(
    cluster: Cluster, front: Front, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOMEPORT_URL", front.url)
    app = make_app(front)
    with Ledger(front, writers=1) as ledger, Following(app, writers=1), life.goes_on():
        if cluster.leader() is front.entry:
            hand_over(cluster, another(cluster, front))
            # Until a standby is named, nobody may take over from the new leader.
            wait_whole(cluster)
        lost = cluster.leader()
        assert lost
        harm = Harm(ledger)
        lost.kill()
        began = time.monotonic()
        wait_for_leader(cluster, lambda machine: machine is not lost)
        led = time.monotonic() - began
        seconds_until_served(ledger)
        assert time.monotonic() - began < WHOLE_MACHINE_SECONDS
        repair(cluster)
        logger.info("lose_the_leaders_machine: another led after %.1f s; %s", led, harm.since_then())
        harm = Harm(ledger)
        hand_over(cluster, lost)
        assert seconds_until_served(ledger) < SECONDS
        wait_whole(cluster)
        logger.info("hand_over: %s", harm.since_then())
    ledger.check()
