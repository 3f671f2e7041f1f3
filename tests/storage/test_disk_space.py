"""The one gate: with too little free space every writer is refused in words, and whatever deletes goes on."""

import ast
import io
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from console.accounts.openid import admission
from storage import disk_space, jobs, room, sweeper
from storage.access_tokens import sign_ins, tokens
from storage.archive.exporting import exports, snapshots
from storage.archive.importing import imports
from storage.archive.importing.importer import Importer, _Items
from storage.archive.importing.plans import Plan
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.base import acts, bases, changes, edits, items, saved_views
from storage.base.merging import Add, Delete
from storage.collections import collections, invitations, keys, roles, stores
from storage.collections import deletion as collection_deletion
from storage.drive import deletion, drives, duplication, files, folders, moves, person_uploads, rebuild, uploads
from storage.drive.moves import Chosen
from storage.embedded import seaweedfs
from storage.errors import DiskFull, EngineUnreachable
from storage.events import queries as event_queries
from storage.events import recording
from storage.events.queue import EventQueue
from storage.git_sources import fetches
from storage.micro_host import GitSource
from storage.micro_logs import logs
from storage.micro_runs import runs
from storage.micros import api_keys, bundles, copies, deployments, domains, figures, micros, schedules, variables
from storage.models import (
    AuditEntry,
    Blob,
    DeletedFile,
    Duplication,
    Export,
    Import,
    Invitation,
    MicroMinute,
    Role,
    SnapshotSchedule,
)
from storage.postgres import clock
from storage.postgres.caller import Access
from storage.s3.cache import Copies
from storage.share_links import links
from tests.commands import run_here
from tests.people import PASSWORD, make_cast
from tests.serving import ROOT
from tests.visor import make_event
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("database")


class Held:
    """Content that is in memory."""

    content_type: str | None = "text/plain"

    def open(self) -> tuple[int, Iterator[bytes]]:
        return 5, iter([b"bytes"])


def invite(collection_id: str, by: User) -> Invitation:
    return invitations.invite_person(collection_id=collection_id, role=Role.READER, note="", invited_by=by)


class Full:
    """A collection with an item, a file, an open upload and an open import, from when there was room."""

    def __init__(self) -> None:
        cast = make_cast("Full")
        self.person, self.collection_id = cast.owner, cast.collection.id
        self.access = Access(self.collection_id, person_id=self.person.pk)
        self.drive_id = drives.ensure_drive(collection_id=self.collection_id, name="d")
        self.d: dict[str, Any] = {"access": self.access, "drive": "d"}
        items.put_items(access=self.access, base="b", items=[{"key": "a", "n": 1}])
        files.put_file(name="f", content=Held(), **self.d)
        self.upload_id = uploads.start_upload(name="u", content_type=None, **self.d)
        started = imports.start_import(
            collection_id=self.collection_id, file_name="a.json", size_bytes=5, asked_by=self.person
        )
        self.import_id = started.id
        self.outsider = cast.outsider
        self.invitation_id = invite(self.collection_id, self.person).pk
        event = make_event(self.collection_id)
        event_queries.keep_event(event)
        self.event_id = event.line.id
        self.micro_id = micros.create_micro(collection_id=self.collection_id, name="there").id
        self.change = changes.ask_for_change(access=self.access, base="b", act=acts.Set("n", "1"))
        self.duplication = Duplication(source_id=self.drive_id, expected_bytes=0)
        self.micro: dict[str, Any] = {"collection_id": self.collection_id, "micro_id": self.micro_id}

    def save(self, *changes: Any) -> list[edits.Result]:
        return edits.save_changes(access=self.access, base="b", save_id=uuid.uuid4(), changes=list(changes))


_UNSEEN: Any = None  # what is refused before it is looked at


def commit_items(full: Full) -> None:
    """As an import does it that has begun while there was room."""
    running = Importer(Import.objects.get(id=full.import_id), _UNSEEN, Plan("", []), [])
    batch = _Items()
    batch.rows["b"] = _UNSEEN
    running._commit_items(_UNSEEN, _UNSEEN, batch)


WRITERS: dict[str, Callable[[Full], object]] = {
    "a put": lambda full: items.put_items(access=full.access, base="b", items=[{"key": "b"}]),
    "an insert": lambda full: items.insert_item(access=full.access, base="b", item={"key": "b"}),
    "an update": lambda full: items.update_item(access=full.access, base="b", key="a", operations=()),
    "a save of the console's": lambda full: full.save(Delete("1", "a", 1), Add("2", "c", {"n": "1"})),
    "a file": lambda full: files.put_file(name="g", content=Held(), **full.d),
    "an upload": lambda full: uploads.start_upload(name="v", content_type=None, **full.d),
    "a part": lambda full: uploads.put_part(upload_id=full.upload_id, name="u", number=1, content=Held(), **full.d),
    "an upload's end": lambda full: uploads.end_upload(upload_id=full.upload_id, name="u", **full.d),
    "an upload of a person's": lambda full: person_uploads.start_upload(
        name="v", size_bytes=5, content_type=None, if_exists="replace", fingerprint="", **full.d
    ),
    "a folder": lambda full: folders.make_folder(access=full.access, drive_id=full.drive_id, path="new/"),
    "a rename": lambda full: moves.rename(access=full.access, drive_id=full.drive_id, old="f", new="g"),
    "a move": lambda full: moves.move(access=full.access, drive_id=full.drive_id, chosen=Chosen(["f"], []), to="new/"),
    "a share link": lambda full: links.create_link(
        drive_id=full.drive_id, name="f", text="new", hours=1, made_by=full.person, **full.d
    ),
    "a collection": lambda full: collections.create_collection("Another"),
    "an export": lambda full: exports.ask_for_export(collection_id=full.collection_id, asked_by=full.person),
    "an import": lambda full: imports.start_import(
        collection_id=full.collection_id, file_name="a", size_bytes=5, asked_by=full.person
    ),
    "a part of an import": lambda full: imports.append_part(
        access=full.access, import_id=full.import_id, start=0, content=Held()
    ),
    "the items of an import": lambda full: commit_items(full),
    "an account by OpenID Connect": lambda full: admission._make_person({}, "an invitation"),
    "any object": lambda full: files.store(uuid.uuid4(), Held(), None),  # type: ignore[arg-type]
    "a rebuild": lambda full: rebuild.rebuild(),
    "a change of many items": lambda full: changes.ask_for_change(access=full.access, base="b", act=acts.Set("n", "2")),
    "a batch of such a change": lambda full: changes._change_batch(_UNSEEN, full.change),
    "the undo of a change": lambda full: changes.ask_for_undo(access=full.access, change_id=full.change.pk),
    "a batch of its undo": lambda full: changes._undo_batch(_UNSEEN, full.change),
    "a saved view": lambda full: saved_views.save_view(
        access=full.access, base="b", name="new", query="", sort="", columns=""
    ),
    "a Base": lambda full: bases.create_base(collection_id=full.collection_id, name="new"),
    "what was emptied and comes back": lambda full: stores.bring_back(access=full.access, deletion_id=0),
    "a Drive": lambda full: drives.create_drive(collection_id=full.collection_id, name="new"),
    "a copy of a Drive": lambda full: duplication.ask_for_duplication(access=full.access, drive="d", new_name="new"),
    "the list of such a copy": lambda full: duplication._list(_UNSEEN, full.duplication),
    "a batch of such a copy": lambda full: duplication._batch(_UNSEEN, full.duplication, until=0),
    "a data key": lambda full: keys.create_key(collection_id=full.collection_id, name="new", can_write=True),
    "an invitation": lambda full: invite(full.collection_id, full.person),
    "an invitation accepted": lambda full: invitations.accept_invitation(
        invitation_id=full.invitation_id, person=full.outsider
    ),
    "a recording": lambda full: recording.start_recording(full.collection_id),
    "a pinned request": lambda full: event_queries.pin_event(collection_id=full.collection_id, event_id=full.event_id),
    "a Micro": lambda full: micros.create_micro(collection_id=full.collection_id, name="new"),
    "a Micro's bundle": lambda full: bundles.bundle_of({"main.py": b"app = None"}).__enter__(),
    "a Micro's zip": lambda full: bundles.open_bundle(io.BytesIO(b"PK"), size_bytes=2).__enter__(),
    "a Micro's files": lambda full: bundles.collect_bundle([("main.py", iter([b"app = None"]))]).__enter__(),
    "a change of a Micro": lambda full: micros.change_micro(**full.micro, name="other"),
    "a Micro's new data key": lambda full: micros.renew_data_key(**full.micro),
    "a Micro's way back": lambda full: deployments.roll_back(**full.micro, deployment_id=uuid.uuid4()),
    "a copy of a Micro's code": lambda full: copies._make(_UNSEEN, _UNSEEN, None),
    "a Micro's deployment": lambda full: deployments.ask_for_deployment(**full.micro, bundle=_UNSEEN, asked_by=None),
    "a repository": lambda full: fetches.ask_for_fetch(
        collection_id=full.collection_id, source=GitSource("https://git.example.org/app"), asked_by=full.person
    ),
    "a Micro of a repository": lambda full: fetches.deploy_fetch(
        collection_id=full.collection_id,
        fetch_id=uuid.uuid4(),
        name="new",
        subdomain="",
        values={},
        cron="",
        made_by=full.person,
    ),
    "an update from a repository": lambda full: fetches.update_from_fetch(
        collection_id=full.collection_id, fetch_id=uuid.uuid4(), micro_id=full.micro_id, by=full.person
    ),
    "a Micro's API key": lambda full: api_keys.create_key(**full.micro, name="new"),
    "a Micro's domain": lambda full: domains.add_domain(**full.micro, name="full.example.org"),
    "a Micro's variable": lambda full: variables.set_variables(**full.micro, values={"A": "b"}),
    "a terminal's sign-in": lambda full: sign_ins.start(challenge="0" * 64, device="laptop", address=""),
    "a Micro's schedule": lambda full: schedules.set_schedule(**full.micro, expression="5 minutes"),
    "a Micro's run": lambda full: runs.ask_for_run(**full.micro),
    "an access token": lambda full: tokens.create_token(person=full.person, name="new"),
    "snapshots": lambda full: snapshots.set_schedule(
        collection_id=full.collection_id, every="day", keep=1, is_checked=False, set_by=full.person
    ),
}

# What goes on while the disk is too full.
OTHERS: dict[str, Callable[[Full], object]] = {
    "signing in": lambda full: sign_in(full, PASSWORD),
    "a wrong password": lambda full: sign_in(full, "wrong"),
    "a deletion of files": lambda full: deletion.delete(
        access=full.access, drive_id=full.drive_id, chosen=Chosen(["f"], [])
    ),
    "a save that deletes": lambda full: full.save(Delete("1", "a", 1)),
    "a deletion of all": lambda full: collection_deletion.delete_collection(
        collection_id=full.collection_id, typed_name="Full", asked_by=full.person
    ),
    "a Base emptied": lambda full: stores.empty_store(access=full.access, kind="base", name="b"),
    "a Drive deleted": lambda full: stores.delete_store(access=full.access, kind="drive", name="d", typed_name="d"),
    "a change that deletes": lambda full: changes.ask_for_change(access=full.access, base="b", act=acts.Delete()),
    "a job": lambda full: jobs.start(jobs.tidy_copies),
    "the end of snapshots": lambda full: snapshots.set_schedule(
        collection_id=full.collection_id, every="", keep=1, is_checked=False, set_by=full.person
    ),
    "a lost right": lambda full: roles.remove_member(collection_id=full.collection_id, person_id=full.person.pk),
}

_A_ROW_FOR_EACH = "a row for each of what is refused, or of what is there already"
_SIGNING_IN = "goes with signing in, by people who have an account"
_UNUSED = "nothing of ours writes it"

# Who writes to each table: one of the above, else why it may go on without the gate.
_LEFT_OUT = "left out meanwhile"
TABLES = {
    "auth.User": "an invitation accepted",
    "auth.Group": _UNUSED,
    "auth.Permission": "migrations alone",
    "contenttypes.ContentType": "migrations alone",
    "sessions.Session": _UNUSED,
    "account.EmailAddress": _SIGNING_IN,
    "account.EmailConfirmation": _UNUSED,
    "mfa.Authenticator": _SIGNING_IN,
    "socialaccount.SocialApp": _UNUSED,
    "socialaccount.SocialAccount": _SIGNING_IN,
    "socialaccount.SocialToken": _UNUSED,
    "procrastinate.ProcrastinateJob": "a job",
    "procrastinate.ProcrastinateEvent": "a job",
    "procrastinate.ProcrastinateWorker": "a row for each process",
    "procrastinate.ProcrastinatePeriodicDefer": "a row for each kind of job",
    "storage.Collection": "a collection",
    "storage.DataKey": "a data key",
    "storage.DataKeyUse": _A_ROW_FOR_EACH,
    "storage.DataKeyAllowance": _A_ROW_FOR_EACH,
    "storage.Deletion": "a deletion of all",
    "storage.Export": "an export",
    "storage.Import": "an import",
    "storage.GitFetch": "a repository",
    "storage.ImportProblem": "bounded for each import",
    "storage.SnapshotSchedule": "snapshots",
    "storage.SnapshotCopy": "a row for each snapshot",
    "storage.ScrubRound": "one row",
    "storage.DamagedBlob": _A_ROW_FOR_EACH,
    "storage.AuditEntry": "a wrong password",
    "storage.Recording": "a recording",
    "storage.EventMinute": "a row for each minute, also of what is left out",
    "storage.PinnedEvent": "a pinned request",
    "storage.BackupPlan": "one row",
    "storage.BackupRun": "the last runs alone",
    "storage.Base": "a Base",
    "storage.Item": "a put",
    "storage.AttributeIndex": _LEFT_OUT,
    "storage.AttributeAsk": _LEFT_OUT,
    "storage.ItemChange": "a change of many items",
    "storage.ChangedItem": "a batch of such a change",
    "storage.SavedView": "a saved view",
    "storage.SaveReceipt": "a save that deletes",
    "storage.BaseFigures": _A_ROW_FOR_EACH,
    "storage.Drive": "a Drive",
    "storage.File": "a file",
    "storage.ShareLink": "a share link",
    "storage.Thumbnail": _LEFT_OUT,
    "storage.Folder": "a folder",
    "storage.Duplication": "a copy of a Drive",
    "storage.FileToCopy": "the list of such a copy",
    "storage.FileDeletion": "a deletion of files",
    "storage.DeletedFile": "a deletion of files",
    "storage.Blob": "any object",
    "storage.Upload": "an upload",
    "storage.Part": "a part",
    "storage.DriveFigures": _A_ROW_FOR_EACH,
    "storage.Count": "one row",
    "storage.Membership": "an invitation accepted",
    "storage.Invitation": "an invitation",
    "storage.Session": "signing in",
    "storage.SignInRules": "one row",
    "storage.Throttle": "a wrong password",
    "storage.AccessToken": "an access token",
    "storage.TerminalSignIn": "a terminal's sign-in",
    "storage.Micro": "a Micro",
    "storage.MicroDomain": "a Micro's domain",
    "storage.Deployment": "a Micro's deployment",
    "storage.MicroKey": "a Micro's API key",
    "storage.MicroLine": _LEFT_OUT,
    "storage.MicroSchedule": "a Micro's schedule",
    "storage.MicroRun": "a Micro's run",
    "storage.MicroMinute": _LEFT_OUT,
    "storage.WorkLease": "a row for each kind of work",
}


def sign_in(full: Full, password: str) -> int:
    browser = Client(raise_request_exception=False)
    return browser.post("/sign-in/", {"username": full.person.username, "password": password}).status_code


def test_who_writes_to_each_table_is_known() -> None:
    assert TABLES.keys() == {model._meta.label for model in apps.get_models()}
    reasons = {
        _LEFT_OUT,
        _A_ROW_FOR_EACH,
        _SIGNING_IN,
        _UNUSED,
        "migrations alone",
        "one row",
        "the last runs alone",
        "bounded for each import",
    }
    unknown = {by for by in TABLES.values() if by not in WRITERS | OTHERS | dict.fromkeys(reasons)}
    assert all(by.startswith("a row for each ") for by in unknown)


@pytest.mark.parametrize("other", OTHERS)
def test_what_frees_room_or_lets_somebody_in_goes_on(settings: Settings, other: str) -> None:
    full = Full()
    settings.DISK_RESERVE_MB = 10**9
    answer = OTHERS[other](full)
    assert answer == {"signing in": 302, "a wrong password": 422}.get(other, answer)


def test_strangers_leave_one_row_of_wrong_passwords(settings: Settings) -> None:
    settings.DISK_RESERVE_MB = 10**9
    failed = AuditEntry.objects.filter(verb=Verb.SIGN_IN_FAILED)
    with transaction.atomic():
        audit.record_failed_sign_in(account="", address="192.0.2.1")
        before = failed.count()
        for number in range(2, 9):
            audit.record_failed_sign_in(account="", address=f"192.0.2.{number}")
        assert failed.count() == before
        transaction.set_rollback(True)


def gates() -> set[tuple[str, str]]:
    """The functions that ask for space before they write, each by its file."""
    found = set()
    for path in (path for part in ("console", "storage") for path in (ROOT / part).rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(node, ast.Call)
                and ast.unparse(node.func) in ("disk_space.check_space_for_items", "disk_space.check_space_for_files")
                for node in ast.walk(function)
            ):
                found.add((str(path.relative_to(ROOT)), function.name))
    return found


def test_each_gate_has_a_writer_that_stops_there(settings: Settings) -> None:
    full = Full()
    settings.DISK_RESERVE_MB = 10**9
    stopped = set()
    for write in WRITERS.values():
        with pytest.raises(DiskFull) as refused:
            write(full)
        *_, asker = (each for each in refused.traceback if not each.name.startswith("check_space"))
        stopped.add((str(Path(asker.path).relative_to(ROOT)), asker.name))
    assert stopped == gates()


@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer_is_refused_and_changes_nothing(settings: Settings, writer: str) -> None:
    full = Full()
    settings.DISK_RESERVE_MB = 10**9
    with pytest.raises(DiskFull, match="free some space"):
        WRITERS[writer](full)
    assert [row["key"] for row in stored(full)] == ["a"]
    assert files.list_files(limit=10, **full.d).names == ["f"]
    assert list(Export.objects.filter(collection_id=full.collection_id)) == []


def stored(full: Full) -> list[dict[str, Any]]:
    states = edits.get_states(access=full.access, base="b", keys=["a", "b", "c"])
    return [{"key": key} for key in states]


def test_what_micros_print_and_how_often_they_are_asked_is_left_out(settings: Settings) -> None:
    full = Full()
    settings.DISK_RESERVE_MB = 10**9
    assert not logs.add_lines([logs.Line(full.micro_id, clock.now(), "printed", logs.Source.OUTPUT)])
    figures.add_figures([figures.Counted(full.micro_id, 1, 1, 0)])
    assert logs.list_lines(micro_id=full.micro_id) == []
    assert MicroMinute.objects.filter(micro_id=full.micro_id).count() == 0


def test_deleting_goes_on(settings: Settings) -> None:
    full = Full()
    settings.DISK_RESERVE_MB = 10**9
    (there,) = edits.get_states(access=full.access, base="b", keys=["a"]).values()
    (result,) = full.save(Delete("1", "a", there.revision))
    assert result.outcome == "saved"
    uploads.abort_upload(upload_id=full.upload_id, name="u", **full.d)
    imports.delete_import(collection_id=full.collection_id, import_id=full.import_id)
    assert files.delete_files(names_given=["f"], **full.d).deleted == ["f"]


def test_files_deleted_in_the_console_are_gone_for_good(settings: Settings) -> None:
    full = Full()
    (blob_id,) = files.get_file(name="f", **full.d).blob_ids
    settings.DISK_RESERVE_MB = 10**9
    progress = deletion.delete(access=full.access, drive_id=full.drive_id, chosen=Chosen(["f"], []))
    assert (progress.has_ended, progress.undo_seconds) == (True, 0)
    assert not DeletedFile.objects.filter(deletion_id=progress.id).exists()
    assert not Blob.objects.filter(id=blob_id, state="live").exists()


def test_young_garbage_is_swept_when_room_is_short(settings: Settings) -> None:
    full = Full()
    (blob_id,) = files.get_file(name="f", **full.d).blob_ids
    files.delete_files(names_given=["f"], **full.d)
    sweeper.sweep_files()
    assert Blob.objects.filter(id=blob_id).exists()
    settings.DISK_RESERVE_MB = 10**9
    eventually(lambda: sweeper.sweep_files() and not Blob.objects.filter(id=blob_id).exists())


@pytest.mark.slow
def test_garbage_goes_at_once_when_room_is_short(settings: Settings) -> None:
    full = Full()
    (blob_id,) = files.get_file(name="f", **full.d).blob_ids
    files.delete_files(names_given=["f"], **full.d)
    assert Blob.objects.filter(id=blob_id).exists()
    settings.DISK_RESERVE_MB = 10**9
    eventually(lambda: room.make_room() or not Blob.objects.filter(id=blob_id).exists())


def test_room_is_made_although_engines_fail_for_lack_of_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """SeaweedFS may just be started again, and PostgreSQL find no room to give back its own."""
    done: list[str] = []

    def sweep(*, at_once: bool) -> sweeper.SweptFiles:
        done.append("swept")
        if len(done) < 3:
            raise EngineUnreachable()
        settings.DISK_RESERVE_MB = 0
        return sweeper.SweptFiles(0, 0, 0)

    def give_back(statement: object) -> None:
        raise DiskFull()

    settings.DISK_RESERVE_MB = 10**9
    monkeypatch.setattr(sweeper, "sweep_files", sweep)
    monkeypatch.setattr(room, "run", give_back)
    monkeypatch.setattr(seaweedfs, "compact", lambda *_, **__: done.append("compacted"))
    monkeypatch.setattr(room, "_ASK_AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(room, "_LAZY_SECONDS", 0)
    with pytest.raises(EngineUnreachable):
        room.make_room()
    room.make_room(wait_seconds=30)
    assert done == ["swept"] * 3 + ["compacted"] * settings.S3_IS_BUNDLED


def test_the_command_sweeps_now() -> None:
    full = Full()
    (blob_id,) = files.get_file(name="f", **full.d).blob_ids
    files.delete_files(names_given=["f"], **full.d)
    assert "objects deleted" in eventually(lambda: run_here("sweep")).stdout
    eventually(lambda: run_here("sweep") and not Blob.objects.filter(id=blob_id).exists())


def test_recorded_requests_are_left_out_and_counted(settings: Settings) -> None:
    collection_id = collections.create_collection("Full").id
    queue = EventQueue()
    queue._start = lambda: None  # type: ignore[method-assign]
    settings.DISK_RESERVE_MB = 10**9
    for number in range(3):
        queue.put(make_event(collection_id, path=f"a/items/{number}"))
    queue.flush()
    assert event_queries.list_events(collection_id=collection_id, limit=10).lines == []
    assert event_queries.sum_events(collection_id).lost == 3
    settings.DISK_RESERVE_MB = 0
    queue.put(make_event(collection_id, path="a/items/9"))
    queue.flush()
    assert [line.path for line in event_queries.list_events(collection_id=collection_id, limit=10).lines] == [
        "a/items/9"
    ]
    queue._connection.close()


def test_snapshots_that_are_due_wait(settings: Settings) -> None:
    full = Full()
    snapshots.set_schedule(collection_id=full.collection_id, every="day", keep=1, is_checked=False, set_by=full.person)
    settings.DISK_RESERVE_MB = 10**9
    due_at = SnapshotSchedule.objects.get(collection_id=full.collection_id).next_at
    # The server's own worker, which has room, may take it at any moment.
    Export.objects.filter(collection_id=full.collection_id).delete()
    SnapshotSchedule.objects.filter(collection_id=full.collection_id).update(next_at=due_at)
    with pytest.MonkeyPatch.context() as patch:
        asked: list[object] = []
        patch.setattr(exports, "ask_for_export", lambda **more: asked.append(more))
        snapshots.take_due_snapshots()
    assert asked == []


def test_an_export_that_is_to_be_tried_waits(settings: Settings) -> None:
    """In a transaction, so that the server's own worker, which has room, does not see it."""
    full = Full()
    with transaction.atomic():
        Export.objects.filter(check_state=Export.Check.WANTED).update(check_state=Export.Check.NONE)
        export = Export.objects.create(
            collection_id=full.collection_id, state=Export.State.DONE, check_state=Export.Check.WANTED
        )
        settings.DISK_RESERVE_MB = 10**9
        assert snapshots.claim_check() is None
        settings.DISK_RESERVE_MB = 0
        claimed = snapshots.claim_check()
        transaction.set_rollback(True)
    assert claimed == export


def test_copies_go_first(settings: Settings, tmp_path: Path) -> None:
    assert disk_space.has_room_for_copies(0)
    settings.DISK_RESERVE_MB = 10**9
    assert not disk_space.has_room_for_copies(0)
    kept = Copies(tmp_path, max_bytes=1_000)
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / "copy").write_bytes(b"bytes")
    kept.clear()
    assert list((tmp_path / "ab").iterdir()) == []


def test_the_export_command_fills_no_disk_of_the_engines(settings: Settings) -> None:
    full = Full()
    target = settings.DATA / "engines" / "tmp" / f"{uuid.uuid4()}.zip"
    settings.DISK_RESERVE_MB = 10**9
    refused = run_here("export", full.collection_id, str(target))
    assert (refused.returncode, target.exists()) == (1, False)
    assert "Storage is full: free some space" in refused.stderr


def test_a_page_says_that_the_disk_is_full(settings: Settings) -> None:
    cast = make_cast()
    browser = Client(raise_request_exception=False)
    browser.force_login(cast.owner)
    settings.DISK_RESERVE_MB = 10**9
    answer = browser.post(f"/collections/{cast.collection.id}/exports/new/")
    assert answer.status_code == 507
    assert "The server's disk is full" in answer.content.decode()


def test_what_is_kept_free(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """128 MB for each engine that is ours; files need a hundredth of a large disk besides, where SeaweedFS stops by itself."""
    settings.DISK_RESERVE_MB, settings.DATABASE_URL, settings.S3_IS_BUNDLED = 128, "", True
    mb = 1_048_576
    assert disk_space.reserved_bytes() == 256 * mb
    assert disk_space._needed_for_files(1_000 * mb) == 256 * mb
    assert disk_space._needed_for_files(1_000_000 * mb) == 15_000 * mb
    settings.DATABASE_URL = "postgres://elsewhere"
    assert disk_space.reserved_bytes() == 128 * mb
    settings.S3_IS_BUNDLED = False
    assert not disk_space.is_short_for_files()
    settings.DISK_RESERVE_MB = 10**9
    assert not disk_space.is_short_for_files()
    assert not disk_space.is_short_for_items()
