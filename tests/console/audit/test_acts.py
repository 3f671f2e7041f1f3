"""Every route and command that changes something, or takes data out, is in the audit log, or named here with the reason."""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.core.management import load_command_class
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from console.accounts import first_run
from console.accounts.forms import NewAccountForm
from console.accounts.invitations import make_link
from console.accounts.openid import admission
from console.accounts.second_factor import factors
from console.management.recorded import RecordedCommand
from storage.access_tokens import tokens
from storage.audit import actors
from storage.audit import log as audit
from storage.audit.log import Conditions, Entry, Verb
from storage.base import edits, items
from storage.collections import invitations
from storage.events import queries as event_queries
from storage.models import BackupPlan, Collection, Membership, Micro, MicroRun, MicroSchedule, Role, Session
from storage.postgres import clock
from storage.postgres.caller import Access
from tests.commands import run_here
from tests.console.conftest import Browser
from tests.console.test_routes import (
    FOR_ANYBODY_SIGNED_IN,
    OPEN,
    ROUTES,
    SignedIn,
    make_deployment,
    make_micro,
    signed_in,
    undone_line,
    url_of,
)
from tests.people import PASSWORD, Cast, make_person
from tests.second_factors import App, give_app
from tests.visor import make_event

__all__ = ["signed_in"]

JSON = "application/json"


class Act(NamedTuple):
    """What is sent to a route, and what the log says then: the verb, and what it is about."""

    verb: Verb
    about: str
    form: dict[str, Any] | None = None
    method: str = "post"
    is_json: bool = False


def save_of(cast: Cast) -> dict[str, Any]:
    """The deletion of an item that is there."""
    access = Access(cast.collection.id)
    items.put_items(access=access, base="things", items=[{"key": "a"}, {"key": "b"}])
    changes = [
        {
            "id": key,
            "kind": "delete",
            "key": key,
            "revision": str(edits.get_state(access=access, base="things", key=key).revision),
        }
        for key in "ab"
    ]
    return {"save": str(uuid4()), "changes": changes}


NEW_PASSWORD = "another horse staple"
AUDITED: dict[str, Act] = {
    "sign-out": Act(Verb.SIGNED_OUT, ""),
    "sign-out-everywhere": Act(Verb.SIGNED_OUT_EVERYWHERE, ""),
    "terminal": Act(Verb.TERMINAL_ALLOWED, "laptop", {"answer": "allow"}),
    "revoke-token": Act(Verb.TOKEN_REVOKED, "laptop"),
    "account": Act(
        Verb.PASSWORD_CHANGED,
        "{owner}",
        {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD},
    ),
    "recovery-codes": Act(Verb.RECOVERY_CODES_MADE, "", {"proof": PASSWORD}),
    "remove-factor": Act(Verb.FACTOR_REMOVED, "authenticator app", {"proof": PASSWORD}),
    "turn-off-second-factor": Act(Verb.FACTOR_REMOVED, "authenticator app", {"proof": PASSWORD}),
    "require-second-factor": Act(Verb.SECOND_FACTOR_REQUIRED, "required", {"required": "yes"}),
    "reset-second-factor": Act(Verb.FACTOR_REMOVED, "authenticator app"),
    "change-backups": Act(
        Verb.BACKUPS_SET,
        "",
        {"target": "", "every_hours": "12", "full_every_days": "7", "keep_days": "30", "drill_every_days": "7"},
    ),
    "start-backup": Act(Verb.BACKED_UP, "", {"what": "backup"}),
    "new-collection": Act(Verb.COLLECTION_CREATED, "Letters", {"name": "Letters"}),
    "invite-owner": Act(Verb.INVITED, "Grace", {"note": "Grace"}),
    "remove-person": Act(Verb.ACCOUNT_REMOVED, "{reader}"),
    "withdraw-owner-invitation": Act(Verb.INVITATION_WITHDRAWN, "Linus"),
    "start": Act(Verb.BASE_CREATED, "data", {"door": "data"}),
    "new-base": Act(Verb.BASE_CREATED, "letters", {"name": "letters"}),
    "new-drive": Act(Verb.DRIVE_CREATED, "letters", {"name": "letters"}),
    "rename-store": Act(Verb.BASE_RENAMED, "letters", {"name": "letters"}),
    "move-store": Act(Verb.BASE_MOVED, "things"),
    "empty-store": Act(Verb.BASE_EMPTIED, "things"),
    "delete-store": Act(Verb.BASE_DELETED, "things", {"typed_name": "things"}),
    "restore-store": Act(Verb.BASE_RESTORED, "gone"),
    "duplicate-store": Act(Verb.ITEMS_CHANGED, "things", {"name": "copied"}),
    "base-changes": Act(Verb.ITEMS_CHANGED, "things", {"act": {"kind": "unset", "attribute": "a"}}, is_json=True),
    "base-change-undo": Act(Verb.ITEMS_RESTORED, "things"),
    "drop-base-index": Act(Verb.INDEX_DROPPED, "things"),
    "base-save": Act(Verb.ITEMS_DELETED, "things", is_json=True),
    "switch-history": Act(Verb.HISTORY_STOPPED, "things"),
    "drive-delete": Act(Verb.FILES_DELETED, "files", {"names": ["a.txt"], "folders": []}, is_json=True),
    "drive-undo": Act(Verb.FILES_RESTORED, "files"),
    "drive-zip": Act(Verb.FILES_ZIPPED, "files", {"chosen": '{"names": ["a.txt"]}'}),
    "new-share-link": Act(Verb.LINK_CREATED, "a.txt", {"hours": "1", "password": ""}),
    "revoke-share-link": Act(Verb.LINK_REVOKED, "a.txt"),
    "new-export": Act(Verb.EXPORT_REQUESTED, ""),
    "check-export": Act(Verb.EXPORT_TESTED, ""),
    "delete-export": Act(Verb.EXPORT_DELETED, ""),
    "new-import": Act(Verb.IMPORT_STARTED, "letters.zip", {"name": "letters.zip", "size": "1"}),
    "run-import": Act(Verb.IMPORT_RUN, ""),
    "delete-import": Act(Verb.IMPORT_DELETED, ""),
    "snapshots": Act(Verb.SNAPSHOTS_SET, "", {"every": "day", "keep": "7"}),
    "new-key": Act(
        Verb.KEY_CREATED, "app", {"name": "app", "rights": "write", "scope": "all", "days": "0", "others": ""}
    ),
    "key-limits": Act(Verb.KEY_CHANGED, "a key", {"requests_per_second": "5", "bytes_per_day": ""}),
    "revoke-key": Act(Verb.KEY_REVOKED, "a key"),
    "settings": Act(Verb.COLLECTION_RENAMED, "Letters", {"name": "Letters"}),
    "delete-collection": Act(Verb.COLLECTION_DELETED, "Made by a test", {"typed_name": "Made by a test"}),
    "invite-member": Act(Verb.INVITED, "Grace", {"note": "Grace", "role": "reader"}),
    "change-role": Act(Verb.ROLE_CHANGED, "{reader}", {"role": "owner"}),
    "remove-member": Act(Verb.MEMBER_REMOVED, "{reader}"),
    "withdraw-member-invitation": Act(Verb.INVITATION_WITHDRAWN, "x"),
    "visor-switch": Act(Verb.RECORDING_STARTED, "", {"on": "1"}),
    "visor-redo": Act(Verb.REQUEST_SENT, "PUT"),
    "visor-client": Act(
        Verb.REQUEST_SENT, "DELETE", {"method": "DELETE", "target": "things/items/a", "headers": "", "body": ""}
    ),
    "new-micro": Act(Verb.MICRO_CREATED, "letters", {"name": "letters"}),
    "new-micro-from-starter": Act(Verb.MICRO_DEPLOYED, "letters", {"name": "letters"}),
    "git-fetch": Act(Verb.MICRO_DEPLOYED, "letters", {"name": "letters", "variable-A": "x"}),
    "update-from-git": Act(Verb.MICRO_DEPLOYED, "app"),
    "micro-roll-back": Act(Verb.MICRO_ROLLED_BACK, "app"),
    "micro-variables": Act(Verb.MICRO_VARIABLES_SET, "app", {"name": "ANOTHER", "value": "x"}),
    "paste-micro-variables": Act(Verb.MICRO_VARIABLES_SET, "app", {"lines": "ANOTHER=x"}),
    "change-micro-variable": Act(Verb.MICRO_VARIABLES_SET, "app", {"value": "x"}),
    "remove-micro-variable": Act(Verb.MICRO_VARIABLES_SET, "app"),
    "micro-domains": Act(Verb.MICRO_DOMAIN_ADDED, "app", {"domain": "other.example.org"}),
    "remove-micro-domain": Act(Verb.MICRO_DOMAIN_REMOVED, "app"),
    "new-micro-key": Act(Verb.MICRO_KEY_CREATED, "app", {"name": "robot"}),
    "revoke-micro-key": Act(Verb.MICRO_KEY_REVOKED, "app"),
    "micro-schedule": Act(Verb.MICRO_SCHEDULE_SET, "app", {"expression": "5 minutes"}),
    "remove-micro-schedule": Act(Verb.MICRO_SCHEDULE_REMOVED, "app"),
    "run-micro-schedule": Act(Verb.MICRO_RUN, "app"),
    "micro-runs": Act(Verb.MICRO_RUN, "app", {"action": "hello"}),
    "cancel-micro-run": Act(Verb.MICRO_RUN_CANCELLED, "app"),
    "micro-settings": Act(Verb.MICRO_CHANGED, "letters", {"what": "name", "name": "letters"}),
    "micro-address": Act(Verb.MICRO_CHANGED, "app", {"subdomain": "letters-letters"}),
    "delete-micro": Act(Verb.MICRO_DELETED, "app", {"typed_name": "app"}),
}
# These take data out by a GET.
READ_OUT = {
    "download-export": Act(Verb.EXPORT_DOWNLOADED, "", method="get"),
    "visor-har": Act(Verb.REQUESTS_EXPORTED, "", method="get"),
    "base-export": Act(Verb.ITEMS_EXPORTED, "things", method="get"),
    "export-audit": Act(Verb.AUDIT_EXPORTED, "", method="get"),
    "export-collection-audit": Act(Verb.AUDIT_EXPORTED, "", method="get"),
}
# Tried by themselves below, or with what else they need in the tests of signing in.
TRIED_ELSEWHERE = {
    *("first-password", "second-factor-app", "new-passkey", "openid-link", "openid-unlink", "person-email"),
}
NOT_AUDITED = {
    "prove": "asks once more who it is",
    "new-passkey-question": "asks the browser; what comes of it is a passkey",
    "rename-passkey": "a name that only its person sees",
    "base-change-count": "counts items",
    "base-views": "a view is a query with a name, and changes no data",
    "delete-base-view": "likewise",
    "base-parse": "reads what was pasted; storing it is a save",
    "bring-back": "tells what was; storing it is a save",
    "drive-file": "one file is data, as an item of a table is",
    "drive-uploads": "likewise: an upload is data",
    "drive-upload": "likewise",
    "drive-part": "likewise",
    "drive-upload-end": "likewise",
    "drive-folders": "a folder is data",
    "drive-rename": "names of files are data, and nothing is lost",
    "drive-move": "likewise",
    "drive-clashes": "asks which names are taken",
    "drive-counts": "counts files",
    "drive-sizes": "likewise",
    "drive-thumbnails": "asks for small pictures, which change no data",
    "deploy": "fetches a repository to be looked at; what is made of it is a Micro and a deployment",
    "import-part": "the bytes of an import, whose start is recorded",
    "check-import": "looks an archive through and stores nothing",
    "micro-bundle": "nothing is sent here; what is, is a deployment, as one of a template is",
    "restart-micro": "ends a process, which starts anew by itself",
    "visor-pin": "keeps a recorded request for longer",
}
COMMANDS_NOT_AUDITED = {
    "serve": "starts the server; what it does by itself is not what people do",
    "restore": "there is no log before it: it makes a server, whose log is the backup's",
    "upgrade": "the database, and the log in it, is stopped; what it says does not change",
}


@pytest.fixture
def acts(people: Cast) -> Callable[[], list[Entry]]:
    """What has been recorded since the beginning of the test, newest first."""
    before = {entry.id for entry in audit.list_entries(Conditions(None), limit=1000)}
    return lambda: [entry for entry in audit.list_entries(Conditions(None), limit=1000) if entry.id not in before]


def prepare(name: str, act: Act, cast: Cast) -> tuple[str, dict[str, Any]]:
    """The address of an act that can be done, and what is sent there."""
    if name == "withdraw-owner-invitation":
        invited = invitations.invite_person(
            collection_id=None, role=Role.OWNER, note="Linus", invited_by=cast.server_owner
        )
        return reverse(name, args=[invited.pk]), {}
    if name == "revoke-token":
        made = tokens.create_token(person=who_does(name, cast), name="laptop").token
        return reverse(name, args=[made.pk]), {}
    if name == "start-backup":
        BackupPlan.objects.update_or_create(id=1, defaults={"target": "/nowhere"})
        return url_of(name, cast), act.form or {}
    if name == "visor-redo":
        event = make_event(cast.collection.id, method="PUT", path="things/items")
        event_queries.keep_event(event)
        return reverse(name, args=[cast.collection.id, event.line.id]), {}
    if name in ("remove-micro-schedule", "run-micro-schedule", "micro-runs"):
        micro = make_micro(cast)
        Micro.objects.filter(id=micro.id).update(deployment=make_deployment(cast))
        MicroSchedule.objects.get_or_create(micro=micro, expression="5 minutes")
        return url_of(name, cast), act.form or {}
    if name == "cancel-micro-run":
        run = MicroRun.objects.create(micro=make_micro(cast), kind="run", state="running", heartbeat_at=clock.now())
        return reverse(name, args=[cast.collection.id, run.micro_id, run.id]), {}
    if name in ("recovery-codes", "remove-factor", "turn-off-second-factor", "reset-second-factor"):
        person = cast.reader if name == "reset-second-factor" else who_does(name, cast)
        give_app(person)
        app = Authenticator.objects.get(user=person, type=Authenticator.Type.TOTP)
        known = {"factor_id": app.pk, "person_id": person.pk}
        return reverse(name, kwargs={key: known[key] for key in ROUTES[name]}), act.form or {}
    url = url_of(name, cast)
    if name == "move-store":
        other = Collection.objects.create(name="Another")
        Membership.objects.create(collection=other, person=cast.owner, role=Role.MEMBER)
        return url, {"collection": other.id}
    return url, save_of(cast) if name == "base-save" else act.form or {}


def send(client: Client, url: str, act: Act, form: dict[str, Any]) -> int:
    """The status of the answer, which is read to its end."""
    content_type = {"content_type": JSON} if act.is_json else {}
    answer = getattr(client, act.method)(url, form, **content_type)
    if answer.streaming:
        list(answer)
    status: int = answer.status_code
    return status


def who_does(name: str, cast: Cast) -> User:
    is_theirs = "collection_id" in ROUTES[name] or name in FOR_ANYBODY_SIGNED_IN
    return cast.owner if is_theirs else cast.server_owner


def writes(client: Client, name: str, cast: Cast) -> bool:
    """Whether the route takes any method but those that only read."""
    for method in ("post", "put", "delete", "patch"):
        with undone_line():
            if getattr(client, method)(url_of(name, cast)).status_code != 405:
                return True
    return False


@contextmanager
def closed_log() -> Iterator[None]:
    """No entry can be written."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE storage_auditentry ADD CONSTRAINT closed CHECK (false) NOT VALID")
        yield
        transaction.set_rollback(True)


def state() -> dict[str, Any]:
    """What is in each of the tables that acts change."""
    tables = (
        *("storage_collection", "storage_datakey", "storage_membership", "storage_invitation", "storage_base"),
        *("storage_drive", "storage_item", "storage_file", "storage_filedeletion", "storage_export", "storage_import"),
        *(
            "storage_deletion",
            "storage_backuprun",
            "storage_recording",
            "storage_snapshotschedule",
            "storage_pinnedevent",
        ),
        *("storage_micro", "storage_deployment", "storage_microdomain", "storage_microkey"),
        *("storage_microschedule", "storage_microrun"),
        *("storage_session", "storage_accesstoken", "storage_terminalsignin", "auth_user"),
    )
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            # The hash of a password may be made anew whenever the password is given, with more rounds.
            row = "t.id, t.username, t.is_superuser" if table == "auth_user" else "t"
            # Rows that others had written before this transaction began are counted alone: their text takes long to make.
            since = "age(t.xmin) <= age(pg_snapshot_xmin(pg_current_snapshot())::xid)"
            text = f"md5(string_agg(({row})::text, '' ORDER BY ({row})::text) FILTER (WHERE {since}))"
            cursor.execute(f"SELECT count(*), {text} FROM {table} t")
            found[table] = cursor.fetchone()
    return found


def test_every_route_that_writes_is_audited_or_excused(people: Cast, signed_in: SignedIn) -> None:
    writing = {name for name in set(ROUTES) - OPEN if writes(signed_in("server_owner"), name, people)}
    assert writing - AUDITED.keys() - TRIED_ELSEWHERE == NOT_AUDITED.keys()
    assert AUDITED.keys() | READ_OUT.keys() <= set(ROUTES)


@pytest.mark.parametrize("name", [*AUDITED, *READ_OUT])
def test_act_is_recorded(name: str, people: Cast, browser: Browser, acts: Callable[[], list[Entry]]) -> None:
    act = (AUDITED | READ_OUT)[name]
    person = who_does(name, people)
    client = browser(person)
    url, form = prepare(name, act, people)
    before = len(acts())

    assert send(client, url, act, form) < 400

    about = act.about.format(owner=people.owner.username, reader=people.reader.username)
    told = [entry for entry in acts()[:-before] if entry.verb == act.verb]
    if act.verb == Verb.FACTOR_REMOVED:  # recovery codes go with the last one, as an entry of their own
        told = [entry for entry in told if entry.about == about]
    assert len(told) == 1
    (entry,) = told
    assert (entry.about, entry.actor, entry.name, entry.person_id, entry.address) == (
        *(about, "person", person.username, person.pk, "127.0.0.1"),
    )
    if "collection_id" in ROUTES[name]:
        assert entry.collection_id == people.collection.id


@pytest.fixture
def as_it_stood(undone: None) -> None:
    """What the server's own workers change meanwhile is not seen. It has to be asked for before anything that reads."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


@pytest.mark.parametrize("name", [*AUDITED, *READ_OUT])
def test_act_that_cannot_be_recorded_does_not_happen(
    name: str, as_it_stood: None, people: Cast, browser: Browser
) -> None:
    act = (AUDITED | READ_OUT)[name]
    person = who_does(name, people)
    client = browser(person)
    client.raise_request_exception = False
    url, form = prepare(name, act, people)
    before = state()

    with closed_log():
        assert send(client, url, act, form) == 500
        assert state() == before
        person.refresh_from_db()
        assert check_password(PASSWORD, person.password)


def test_sign_in_with_its_failures_and_its_end(people: Cast, browser: Browser, acts: Callable[[], list[Entry]]) -> None:
    client = browser(None)
    canary = "a-password-in-the-field-for-the-name"
    for name, password in ((people.member.username, "wrong"), (canary, "wrong"), (people.member.username, PASSWORD)):
        client.post("/sign-in/", {"username": name, "password": password})
    client.post("/sign-out/")

    told = [(entry.verb, entry.actor, entry.name, entry.about) for entry in acts()]

    member = people.member.username
    assert told == [
        (Verb.SIGNED_OUT, "person", member, ""),
        (Verb.SIGNED_IN, "person", member, ""),
        (Verb.SIGN_IN_FAILED, "nobody", "", ""),
        (Verb.SIGN_IN_FAILED, "nobody", "", member),
    ]
    assert canary not in repr(acts())


def test_refused_sign_ins_are_told_once_for_each_account(
    people: Cast, browser: Browser, acts: Callable[[], list[Entry]]
) -> None:
    client = Client(REMOTE_ADDR="2001:db8:7::1")
    names = (people.member.username, "a-password-in-the-field-for-the-name", "another-one")
    for name in names:
        for _ in range(8):
            last = client.post("/sign-in/", {"username": name, "password": "wrong"})
        assert last.status_code == 429

    told = [(entry.verb, entry.actor, entry.address, entry.about, entry.amount) for entry in acts()]

    network = "2001:db8:7::/64"
    assert told == [
        (Verb.SIGN_IN_REFUSED, "nobody", network, "", 1),
        (Verb.SIGN_IN_FAILED, "nobody", network, "", 10),
        (Verb.SIGN_IN_REFUSED, "nobody", network, people.member.username, 1),
        (Verb.SIGN_IN_FAILED, "nobody", network, people.member.username, 5),
    ]


def test_second_steps_in_vain_are_told(people: Cast, acts: Callable[[], list[Entry]]) -> None:
    client, app = Client(SERVER_NAME="localhost"), give_app(people.member)
    client.post("/sign-in/", {"username": people.member.username, "password": PASSWORD})
    client.post("/sign-in/second-step/passkey/question/")
    assert client.post("/sign-in/second-step/passkey/", {"answer": "{}"}).status_code == 422
    codes = [client.post("/sign-in/second-step/", {"code": app.wrong_code()}).status_code for _ in range(12)]
    assert codes == [422] * 10 + [429] * 2

    told = [(entry.verb, entry.about, entry.amount, entry.details["by"]) for entry in acts()]

    assert told == [
        (Verb.SIGN_IN_REFUSED, people.member.username, 1, "second factor"),
        (Verb.SIGN_IN_FAILED, people.member.username, 11, "second factor"),
    ]


def test_nobody_gets_a_session_that_is_not_recorded(people: Cast, browser: Browser) -> None:
    client = browser(None)
    client.raise_request_exception = False
    with closed_log():
        answer = client.post("/sign-in/", {"username": people.member.username, "password": PASSWORD})
        assert answer.status_code == 500
        assert not Session.objects.filter(person_id=people.member.pk).exists()
        assert client.get("/account/").status_code == 302


def test_invitation_is_accepted_by_a_newcomer(people: Cast, browser: Browser, acts: Callable[[], list[Entry]]) -> None:
    made = invitations.invite_person(
        collection_id=people.collection.id, role=Role.MEMBER, note="Grace", invited_by=people.owner
    )
    link = make_link(RequestFactory().get("/"), made)
    form = {"username": "grace-of-a-test", "password1": NEW_PASSWORD}

    browser(None).post(link, form)

    told = [(entry.verb, entry.name, entry.about, entry.collection_id) for entry in acts()[:3]]
    assert told == [
        (Verb.SIGNED_IN, "grace-of-a-test", "", ""),
        (Verb.INVITATION_ACCEPTED, "grace-of-a-test", "Grace", people.collection.id),
        (Verb.ACCOUNT_CREATED, "", "grace-of-a-test", ""),
    ]


def test_first_account_is_recorded(people: Cast, acts: Callable[[], list[Entry]]) -> None:
    User.objects.all().delete()
    form = NewAccountForm({"username": "first", "password1": NEW_PASSWORD})
    assert form.is_valid()
    first_run.create_first_person(form)
    (entry,) = acts()[:1]
    assert (entry.verb, entry.about, entry.details) == (Verb.ACCOUNT_CREATED, "first", {"owns_server": True})


def test_second_factors_and_links_are_recorded(
    people: Cast, browser: Browser, acts: Callable[[], list[Entry]], settings: Any
) -> None:
    settings.OIDC_ISSUER = "https://provider.example"
    request = RequestFactory().get("/")
    request.user = people.member
    secret = factors.make_secret()
    with actors.acting(lambda: actors.person(people.member)):
        factors.turn_on_app(request, people.member, secret=secret, code=App(secret).code())
        assert not factors.accepts_code(request, people.member, App(secret).wrong_code())
        factors.announce_failure(request, people.member)
        admission.link(people.member, {"sub": "1", "email": "a@b.example"})
        admission.unlink(people.member)
    with actors.acting(lambda: actors.person(people.server_owner)):
        admission.note_email(people.member, "A@b.example")
        factors.reset(None, people.member)

    member = people.member.username
    told = [(entry.verb, entry.name, entry.about, entry.details.get("of")) for entry in reversed(acts())]
    owner = people.server_owner.username
    assert told == [
        (Verb.FACTOR_ADDED, member, "authenticator app", None),
        (Verb.RECOVERY_CODES_MADE, member, "", None),
        (Verb.SIGN_IN_FAILED, "", member, None),
        (Verb.OPENID_LINKED, member, member, None),
        (Verb.OPENID_UNLINKED, member, member, None),
        (Verb.EMAIL_NOTED, owner, member, None),
        *((Verb.FACTOR_REMOVED, owner, what, member) for what in ("authenticator app", "recovery codes")),
        (Verb.SIGNED_OUT_EVERYWHERE, owner, member, None),
    ]
    assert secret not in repr(acts())


def test_save_of_many_deletions_is_one_entry(people: Cast, browser: Browser, acts: Callable[[], list[Entry]]) -> None:
    access = Access(people.collection.id)
    keys = [f"{number:03}" for number in range(60)]
    for start in range(0, 60, 20):
        items.put_items(access=access, base="things", items=[{"key": key} for key in keys[start : start + 20]])
    states = edits.get_states(access=access, base="things", keys=keys)
    changes = [{"id": key, "kind": "delete", "key": key, "revision": str(states[key].revision)} for key in keys]
    missing = {"id": "m", "kind": "delete", "key": "missing", "revision": "1"}
    sent = {"save": str(uuid4()), "changes": [*changes, missing]}

    for _ in range(2):
        answer = browser(people.member).post(url_of("base-save", people), sent, content_type=JSON)
        assert answer.status_code == 200

    assert [entry.amount for entry in acts() if entry.verb == Verb.ITEMS_DELETED] == [60]


def test_entries_outlive_the_person_and_the_collection(people: Cast, browser: Browser) -> None:
    browser(people.owner).post(url_of("settings", people), {"name": "Renamed"})
    browser(people.owner).post(url_of("delete-collection", people), {"typed_name": "Renamed"})
    client = browser(people.server_owner)
    client.post(reverse("remove-person", args=[people.owner.pk]))

    page = client.get("/audit/").content.decode()

    assert f'<th scope="row">{people.owner.username}</th><td>deleted the collection <strong>Renamed</strong>' in page
    assert f"removed the account <strong>{people.owner.username}</strong>" in page


COMMANDS = sorted(path.stem for path in Path("console/management/commands").glob("*.py") if path.stem != "__init__")


def test_commands_are_recorded_or_excused() -> None:
    unrecorded = {name for name in COMMANDS if not isinstance(load_command_class("console", name), RecordedCommand)}
    assert unrecorded == COMMANDS_NOT_AUDITED.keys()


def test_commands_are_the_command_lines(database: None, tmp_path: Path) -> None:
    newest = audit.list_entries(Conditions(None), limit=1)
    collection_id = run_here("collection", "create", "By command").stdout.splitlines()[-1]
    key = run_here("datakey", "create", collection_id, "app").stdout.splitlines()[-1]
    key_id = run_here("datakey", "list", collection_id).stdout.split()[0]
    assert run_here("datakey", "revoke", collection_id, key_id).returncode == 0
    person = make_person()
    token = run_here("token", "create", person.username, "--days", "7").stdout.splitlines()[-1]
    token_id = run_here("token", "list", person.username).stdout.split()[0]
    assert run_here("token", "revoke", person.username, token_id).returncode == 0
    items.put_items(access=Access(collection_id), base="things", items=[{"key": "a"}])
    assert run_here("export", collection_id, str(tmp_path / "a.zip")).returncode == 0
    assert run_here("import", collection_id, str(tmp_path / "a.zip")).returncode == 0
    assert run_here("sweep").returncode == 0
    run_here("reconcile", "--repair")

    found = audit.list_entries(Conditions(None, actor="command", name=getpass.getuser()), limit=100)
    told = [entry for entry in reversed(found) if entry.id > max([0, *(each.id for each in newest)])]

    assert [entry.verb for entry in told] == [
        *(Verb.COLLECTION_CREATED, Verb.KEY_CREATED, Verb.KEY_REVOKED, Verb.TOKEN_CREATED, Verb.TOKEN_REVOKED),
        Verb.EXPORT_DOWNLOADED,
        *(Verb.IMPORT_STARTED, Verb.IMPORT_RUN, Verb.SWEPT, Verb.RECONCILED),
    ]
    assert key.split("_")[1] not in repr(told)
    assert token not in repr(told)
