"""A server with a lot in it for the pages to show: a Base of a million items, a Drive of a hundred thousand files, and something
in every other list."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx

from bench.load.data import item_key
from bench.pages import Visitor
from bench.systems.homeport import Homeport
from bench.systems.rows import load_rows
from bench.systems.statements import attach, open_connection

BASE, DRIVE, FOLDER = "items", "files", "in/"
CHANGES = 300  # puts that the history and the Visor have to tell of
KEYS, LINES = 20, 500


def make_world(
    homeport: Homeport, *, items: int, files: int, say: Callable[[str], None]
) -> tuple[Visitor, dict[str, Any]]:
    """Fills a running server. Somebody who has signed in, and what the addresses of the pages are made of."""
    homeport.make_collection([])
    attach(homeport)
    visitor = Visitor(homeport)
    visitor.sign_up()
    say(f"loading {items:,} items")
    load_rows(homeport, BASE, items)
    say(f"loading {files:,} files")
    _fill_drive(homeport, files)
    say("filling the other lists")
    known = {"id": homeport.collection_id, "item": quote(item_key(0))}
    known |= _record_changes(homeport)
    known |= _fill_collection(homeport.collection_id)
    known |= _fill_micro(homeport.collection_id)
    return visitor, known


def _fill_drive(homeport: Homeport, files: int) -> None:
    """So many files at the top, and as many in one folder; the bytes of one of them."""
    from storage.models import Drive

    url = f"{homeport.origin}/v1/{homeport.collection_id}/{DRIVE}/files?name=0-read-me.txt"
    httpx.post(url, headers=homeport.headers, content=b"Text to look at.\n" * 50).raise_for_status()
    drive_id = Drive.objects.get(collection_id=homeport.collection_id, name=DRIVE).pk
    with open_connection().cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for folder in ("", FOLDER):
            cursor.execute(
                """
                INSERT INTO storage_file (drive_id, name, size_bytes, content_type, etag, blob_ids, blob_sizes, created_at,
                    changed_at)
                SELECT %s, %s || 'file-' || lpad(n::text, 7, '0') || '.txt', n * 7919 %% 1000003, 'text/plain', '',
                    ARRAY[gen_random_uuid()], ARRAY[0], now(), now() FROM generate_series(1, %s) AS n
                """,
                [drive_id, folder, files],
            )
        cursor.execute("VACUUM (ANALYZE) storage_file")


def _record_changes(homeport: Homeport) -> dict[str, Any]:
    """Requests that are recorded and have a history; the id of one of them."""
    from storage.events import queries, recording
    from storage.events.queries import Conditions

    recording.start_recording(homeport.collection_id)
    path = f"{homeport.origin}/v1/{homeport.collection_id}/{BASE}/items"
    with httpx.Client(headers=homeport.headers, timeout=30) as client:
        for number in range(CHANGES):
            item = {"key": item_key(number % 10), "name": "Ada Abbott", "visits": number, "note": "changed " * 20}
            client.put(path, json={"items": [item]}).raise_for_status()
    page = _until(lambda: queries.list_events(collection_id=homeport.collection_id, conditions=Conditions()))
    return {"event": page.lines[0].id}


def _until(find: Callable[[], Any]) -> Any:
    """What is stored in the background, once some of it is there."""
    for _ in range(100):
        found = find()
        if found.lines:
            return found
        time.sleep(0.1)
    raise RuntimeError("no request was recorded within 10 s")


def _fill_collection(collection_id: str) -> dict[str, Any]:
    from django.contrib.auth.models import User
    from django.utils import timezone

    from console.share_links import tokens as link_tokens
    from storage.access_tokens import tokens
    from storage.collections import collections, invitations, keys
    from storage.models import Drive, Export, Import, Role, SnapshotSchedule
    from storage.postgres.caller import Access
    from storage.share_links import links

    owner = User.objects.get()
    for number in range(KEYS):
        keys.create_key(collection_id=collection_id, name=f"app {number}")
        collections.create_collection(f"Collection {number:02}")
        invitations.invite_person(
            collection_id=collection_id, role=Role.READER, note=f"Person {number}", invited_by=owner
        )
        tokens.create_token(person=owner, name=f"laptop {number}")
    drive_id = Drive.objects.get(collection_id=collection_id, name=DRIVE).pk
    for token in (link_tokens.make_token() for _ in range(KEYS)):
        links.create_link(
            access=Access(collection_id, person_id=owner.pk),
            drive_id=drive_id,
            drive=DRIVE,
            name="0-read-me.txt",
            text=token,
            hours=1,
            made_by=owner,
        )
    later = timezone.now() + timedelta(hours=1)
    at: dict[str, Any] = {"collection_id": collection_id, "heartbeat_at": later}
    for _ in range(KEYS):
        Export.objects.create(state="failed", reason="It failed", **at)
        imported = Import.objects.create(
            state="done", file_name="notes.zip", size_expected=1000, plan={"made_by": "zip", "portions": []}, **at
        )
    SnapshotSchedule.objects.create(collection_id=collection_id, every="day", keep=7, next_at=later)
    return {"import": imported.pk, "key": keys.list_keys(collection_id)[0].pk, "link": token}


def _fill_micro(collection_id: str) -> dict[str, Any]:
    """A Micro that has served and printed, though nothing runs."""
    from django.utils import timezone

    from storage.micros import api_keys, micros, variables
    from storage.models import Deployment, Micro, MicroLine, MicroRun, MicroSchedule

    micro = micros.create_micro(collection_id=collection_id, name="api", runtime="python3.11")
    at: dict[str, Any] = {"collection_id": collection_id, "micro_id": micro.id}
    variables.set_variables(**at, values={f"VARIABLE_{number}": "x" for number in range(KEYS)})
    now = timezone.now()
    times = {"asked_at": now, "started_at": now, "finished_at": now}
    for number in range(KEYS):
        api_keys.create_key(**at, name=f"robot {number}", description="a program that calls at night")
        deployment = Deployment.objects.create(
            micro=micro, number=number + 1, runtime="python", state="done", runs_on="Python 3.11.7"
        )
        run = MicroRun.objects.create(micro=micro, kind="run", action="hello", state="done", answer="[1]", **times)
    Micro.objects.filter(id=micro.id).update(deployment=deployment, deployed_at=now)
    MicroSchedule.objects.create(micro=micro, expression="0/5 8-17 ? * MON-FRI 2199")
    MicroLine.objects.bulk_create(
        MicroLine(micro_id=micro.id, deployment_id=deployment.id, at=now, source=number % 4, text=f"line {number} " * 5)
        for number in range(LINES)
    )
    return {"micro": micro.id, "deployment": deployment.id, "run": run.id}
