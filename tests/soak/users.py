"""Who uses the server meanwhile, each in a thread: what they store has few names, so that there is always as much of it."""

import itertools
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
from django.db import connection
from django.urls import reverse

from storage import jobs
from storage.micro_runs import runs
from storage.models import BackupRun, Export, Import
from tests.drives import PART, noise
from tests.soak.world import World

_NAMES = 40
_STREAM_SECONDS = 20.0
_ARCHIVE_SECONDS = 120.0
_BACKUP_SECONDS = 600.0
# One in four backups is a full one.
_FULL_EACH = 4
_END_OF_WORK = ("done", "failed", "ready")

Answers = Iterator[httpx.Response]
User = Callable[[World, threading.Event], Answers]


def items(world: World, over: threading.Event) -> Answers:
    with world.app() as http:
        for number in _turns(over, 0.05):
            keys = [f"k{(number + each) % _NAMES}" for each in range(5)]
            yield http.put(
                "/things/items", json={"items": [{"key": key, "n": number, "text": "x" * 200} for key in keys]}
            )
            yield http.get(f"/things/items/{keys[0]}")
            yield http.patch(f"/things/items/{keys[0]}", json={"increment": {"n": 1}, "set": {"seen": True}})
            yield http.post("/things/query", json={"query": {"n?gt": number - 20}, "limit": 20})
            yield http.delete(f"/things/items/{keys[4]}")
            yield http.get(f"/things/history?key={keys[0]}&limit=5")


def files(world: World, over: threading.Event) -> Answers:
    with world.app() as http:
        for number in _turns(over, 0.3):
            name = f"f{number % 10}"
            yield http.post(f"/files/files?name={name}", content=noise(100_000, number % 7))
            yield http.get(f"/files/files/download?name={name}")
            yield http.get("/files/files?limit=5")
            if number % 5 == 0:
                yield http.request("DELETE", "/files/files", json={"names": [name]})


def uploads(world: World, over: threading.Event) -> Answers:
    with world.app() as http:
        for number in _turns(over, 10.0):
            query = f"name=large{number % 2}"
            begun = http.post(f"/files/uploads?{query}")
            yield begun
            if begun.status_code == 202:
                upload = f"/files/uploads/{begun.json()['upload_id']}"
                for part, content in enumerate((noise(PART, 1), b"end"), start=1):
                    yield http.post(f"{upload}/parts?{query}&part={part}", content=content)
                yield http.patch(f"{upload}?{query}")


def followers(world: World, over: threading.Event) -> Answers:
    """The feed in pages."""
    with world.app() as http:
        cursor = "now"
        for _ in _turns(over, 0.5):
            answer = http.get("/things/changes", params={"since": cursor})
            cursor = answer.json().get("cursor", "now")
            yield answer


def streams(world: World, over: threading.Event) -> Answers:
    """The feed and the console's live pages as streams, each for a while and then anew."""
    accept = {"Accept": "text/event-stream"}
    places = [world.page("base-live", name="things"), world.page("visor-live")]
    with world.app() as app, world.client() as browser:
        for number in _turns(over, 0.1):
            http, path = [(app, "/things/changes?since=now"), *((browser, place) for place in places)][number % 3]
            with http.stream("GET", path, headers=accept) as answer:
                yield answer
                ends = time.monotonic() + _STREAM_SECONDS
                for _ in answer.iter_lines():
                    if time.monotonic() > ends or over.is_set():
                        break


def people(world: World, over: threading.Event) -> Answers:
    """All pages, one after the other."""
    with world.client() as http:
        for number in _turns(over, 0.2):
            yield http.get(world.pages[number % len(world.pages)])


def editors(world: World, over: threading.Event) -> Answers:
    """They add a row in the table; an app removes it."""
    with world.client() as http, world.app() as app:
        for number in _turns(over, 0.5):
            key = f"saved{number % _NAMES}"
            change = {"id": "1", "kind": "add", "key": key, "item": {"text": '"saved"'}}
            body = {"save": str(uuid.uuid4()), "changes": [change]}
            yield http.post(world.page("base-save", name="things"), json=body)
            yield app.delete(f"/things/items/{key}")


def exporters(world: World, over: threading.Event) -> Answers:
    with world.client() as http:
        for _ in _turns(over, 15.0):
            yield http.post(world.page("new-export"))
            export = Export.objects.filter(collection=world.cast.collection).latest("asked_at")
            _wait_for_end(export, over)
            yield http.get(world.page("download-export", export_id=export.id))
            yield http.post(world.page("delete-export", export_id=export.id))


def importers(world: World, over: threading.Event) -> Answers:
    rows = "".join(json.dumps({"key": f"imported{number}", "text": "x" * 500}) + "\n" for number in range(_NAMES))
    with world.client() as http:
        for _ in _turns(over, 15.0):
            begun = http.post(world.page("new-import"), data={"name": "things.ndjson", "size": len(rows)})
            yield begun
            if begun.status_code != 200:
                continue
            places = begun.json()
            yield http.post(f"{places['parts']}?start=0", content=rows.encode())
            asked = Import.objects.filter(collection=world.cast.collection).latest("asked_at")
            _wait_for_end(asked, over)
            yield http.post(f"{places['page']}run/")
            _wait_for_end(asked, over)
            yield http.post(f"{places['page']}delete/")


def visitors(world: World, over: threading.Event) -> Answers:
    """Of the Micro, and those who have it run its function."""
    micro = world.micro.micro
    with httpx.Client(
        base_url=world.server.url, headers={"Host": world.micro.host}, timeout=60.0, trust_env=False
    ) as http:
        for number in _turns(over, 0.5):
            yield http.get(f"/page/{number}")
            if number % 40 == 0:
                runs.ask_for_run(collection_id=micro.collection_id, micro_id=micro.id)
                jobs.start(jobs.continue_runs)


def members(world: World, over: threading.Event) -> Answers:
    """They sign in and out."""
    for _ in _turns(over, 5.0):
        with world.client(is_signed_in=False) as http:
            signed_in = http.post("/sign-in/", data=world.sign_in_form)
            yield signed_in
            # Signing in gave another token for forms; any will do that is in the cookie as well.
            http.cookies = httpx.Cookies({"csrftoken": world.token, "sessionid": http.cookies.get("sessionid") or ""})
            yield http.get("/")
            yield http.post("/sign-out/")


def backups(world: World, over: threading.Event) -> Answers:
    """The owner names a target: the first backup is made, and drilled, as it is due. Then they have more made, whole ones too."""
    plan = {"every_hours": 1, "full_every_days": 1, "keep_days": 1, "drill_every_days": 1, "target": str(world.backups)}
    with world.client() as http:
        yield http.post(reverse("change-backups"), data=plan)
        for number in _turns(over, 120.0):
            yield http.post(reverse("start-backup"), data={"what": "full" if number % _FULL_EACH == 0 else "backup"})
            _wait_for_backups(over)
            yield http.get(reverse("backups"))


USERS: list[User] = [
    items,
    files,
    uploads,
    followers,
    streams,
    people,
    editors,
    exporters,
    importers,
    visitors,
    members,
    backups,
]


class Crowd:
    """All of them, at work between `with` and its end. `wrong` says what was answered by a 5xx, or not at all."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._over = threading.Event()
        self.answered: dict[str, Counter[int]] = {user.__name__: Counter() for user in USERS}
        self.wrong: list[str] = []
        self._threads = [threading.Thread(target=self._work, args=(user,)) for user in USERS]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, user: User) -> None:
        counted = self.answered[user.__name__]
        try:
            while not self._over.is_set():
                try:
                    for answer in user(self._world, self._over):
                        counted[answer.status_code] += 1
                        if answer.status_code >= 500:
                            asked = answer.request
                            self.wrong.append(f"{user.__name__}: {answer.status_code} to {asked.method} {asked.url}")
                except httpx.TransportError as error:
                    self.wrong.append(f"{user.__name__}: {error!r}")
        except BaseException as error:
            self.wrong.append(f"{user.__name__} gave up: {error!r}")
        finally:
            connection.close()


def _turns(over: threading.Event, pause_seconds: float) -> Iterator[int]:
    for number in itertools.count():
        if over.wait(pause_seconds):
            return
        yield number


def _wait_for_backups(over: threading.Event) -> None:
    """Until the job worker has made all that was asked for. Fails when one failed, or takes too long."""
    ends = time.monotonic() + _BACKUP_SECONDS
    while waiting := list(BackupRun.objects.filter(ended_at=None)):
        assert time.monotonic() < ends, f"the {waiting[0].kind} does not end"
        if over.wait(1.0):
            return
    faults = BackupRun.objects.exclude(fault="").values_list("kind", "fault")
    assert not faults, f"failed: {list(faults)}"


def _wait_for_end(row: Export | Import, over: threading.Event) -> None:
    """Until the job worker is done with it, whatever came of it."""
    ends = time.monotonic() + _ARCHIVE_SECONDS
    while row.state not in _END_OF_WORK and time.monotonic() < ends and not over.wait(0.2):
        row.refresh_from_db()
