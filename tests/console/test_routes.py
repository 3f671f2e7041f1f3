"""Every route that has a name, against everybody: the table is complete, or the test fails."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, QuerySet
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from console.accounts.gate import WHILE_OWED
from storage import limits
from storage.access_tokens import sign_ins, tokens
from storage.collections import collections as storage_collections
from storage.collections import invitations, keys, sign_in_rules, stores
from storage.drive import deletion as file_deletion
from storage.drive import drives, folders, moves, person_uploads
from storage.events import queries as event_queries
from storage.micros import api_keys, domains, micros, variables
from storage.micros.manifests.manifest import Manifest, Variable
from storage.models import (
    AttributeIndex,
    Base,
    Deletion,
    Deployment,
    Duplication,
    Export,
    File,
    GitFetch,
    Import,
    ItemChange,
    Membership,
    Micro,
    MicroDomain,
    MicroKey,
    MicroRun,
    Role,
    SavedView,
    ShareLink,
    TerminalSignIn,
)
from storage.postgres.caller import Access
from storage.share_links import links
from tests.console.conftest import Browser
from tests.people import Cast, make_member, make_person
from tests.storage.rows import fill_drive
from tests.visor import make_event

# The last three are for pip and for pages of others, which have no session; they hold no secret. A reverse proxy asks which
# names are served here.
OPEN = {
    "ask-domain",
    "sign-in",
    "second-step",
    "second-step-question",
    "second-step-passkey",
    "passkey-question",
    "passkey-sign-in",
    "openid-begin",
    "openid-callback",
    "welcome",
    "join",
    "python-client",
    "constraints",
    "uv-constraints",
    "constraints-of",
    "client-wheel",
    "deploy-button",
    "shared",
    "shared-file",
}
FOR_ANYBODY_SIGNED_IN = {
    "collections",
    "account",
    "api-reference",
    "first-password",
    "second-factor-set-up",
    "prove",
    "second-factor-app",
    "new-passkey",
    "new-passkey-question",
    "rename-passkey",
    "remove-factor",
    "recovery-codes",
    "turn-off-second-factor",
    "openid-link",
    "openid-unlink",
    "deletions",
    "deploy",
    "enter-micro",
    "terminal",
    "revoke-token",
    "jump",
    "sign-out",
    "sign-out-everywhere",
}
FOR_SERVER_OWNERS = {
    "people",
    "new-collection",
    "invite-owner",
    "remove-person",
    "withdraw-owner-invitation",
    "audit",
    "export-audit",
    "require-second-factor",
    "reset-second-factor",
    "person-email",
    "server",
    "backups",
    "change-backups",
    "start-backup",
}
LEAST_ROLE = {
    "collection": Role.READER,
    "start": Role.MEMBER,
    "bases": Role.READER,
    "new-base": Role.MEMBER,
    "base": Role.READER,
    "base-rows": Role.READER,
    "base-item": Role.READER,
    "base-live": Role.READER,
    "base-live-rows": Role.READER,
    "base-understand": Role.READER,
    "base-count": Role.READER,
    "base-operators": Role.READER,
    "base-export": Role.READER,
    "base-changes": Role.MEMBER,
    "base-change-count": Role.MEMBER,
    "base-change": Role.MEMBER,
    "base-change-undo": Role.MEMBER,
    "base-views": Role.READER,
    "delete-base-view": Role.MEMBER,
    "base-indexes": Role.READER,
    "drop-base-index": Role.MEMBER,
    "base-save": Role.MEMBER,
    "base-parse": Role.MEMBER,
    "base-history": Role.READER,
    "item-history": Role.READER,
    "bring-back": Role.MEMBER,
    "undo-writer": Role.MEMBER,
    "switch-history": Role.OWNER,
    "rename-store": Role.MEMBER,
    "duplicate-store": Role.MEMBER,
    "move-store": Role.MEMBER,
    "empty-store": Role.MEMBER,
    "delete-store": Role.MEMBER,
    "restore-store": Role.MEMBER,
    "drives": Role.READER,
    "new-drive": Role.MEMBER,
    "drive": Role.READER,
    "drive-rows": Role.READER,
    "drive-file": Role.READER,
    "drive-preview": Role.READER,
    "drive-copy": Role.READER,
    "drive-zip": Role.READER,
    "drive-uploads": Role.MEMBER,
    "drive-upload": Role.MEMBER,
    "drive-part": Role.MEMBER,
    "drive-upload-end": Role.MEMBER,
    "drive-clashes": Role.READER,
    "drive-counts": Role.READER,
    "drive-sizes": Role.READER,
    "drive-thumbnails": Role.READER,
    "drive-thumbnail": Role.READER,
    "drive-folders": Role.READER,
    "drive-rename": Role.MEMBER,
    "drive-move": Role.MEMBER,
    "drive-delete": Role.MEMBER,
    "drive-deletion": Role.READER,
    "drive-undo": Role.MEMBER,
    "drive-duplication": Role.READER,
    "share-links": Role.MEMBER,
    "new-share-link": Role.MEMBER,
    "revoke-share-link": Role.MEMBER,
    "exports": Role.MEMBER,
    "new-export": Role.MEMBER,
    "download-export": Role.MEMBER,
    "check-export": Role.MEMBER,
    "delete-export": Role.MEMBER,
    "imports": Role.MEMBER,
    "new-import": Role.MEMBER,
    "import": Role.MEMBER,
    "import-part": Role.MEMBER,
    "check-import": Role.MEMBER,
    "run-import": Role.MEMBER,
    "delete-import": Role.MEMBER,
    "snapshots": Role.MEMBER,
    "keys": Role.MEMBER,
    "new-key": Role.OWNER,
    "key-limits": Role.OWNER,
    "revoke-key": Role.OWNER,
    "connect": Role.READER,
    "connect-light": Role.READER,
    "base-types": Role.READER,
    "base-types-file": Role.READER,
    "authority": Role.READER,
    "settings": Role.OWNER,
    "collection-audit": Role.OWNER,
    "export-collection-audit": Role.OWNER,
    "delete-collection": Role.OWNER,
    "invite-member": Role.OWNER,
    "change-role": Role.OWNER,
    "remove-member": Role.OWNER,
    "withdraw-member-invitation": Role.OWNER,
    "micros": Role.READER,
    "new-micro": Role.MEMBER,
    "new-micro-from-starter": Role.MEMBER,
    "check-micro-address": Role.MEMBER,
    "git-fetch": Role.MEMBER,
    "update-from-git": Role.MEMBER,
    "micro": Role.READER,
    "micro-bundle": Role.MEMBER,
    "micro-deployments": Role.READER,
    "micro-deployment": Role.READER,
    "micro-roll-back": Role.MEMBER,
    "micro-code": Role.MEMBER,
    "micro-variables": Role.MEMBER,
    "paste-micro-variables": Role.MEMBER,
    "change-micro-variable": Role.MEMBER,
    "remove-micro-variable": Role.MEMBER,
    "micro-domains": Role.READER,
    "remove-micro-domain": Role.MEMBER,
    "micro-keys": Role.MEMBER,
    "new-micro-key": Role.MEMBER,
    "revoke-micro-key": Role.MEMBER,
    "micro-logs": Role.READER,
    "micro-schedule": Role.READER,
    "check-micro-schedule": Role.READER,
    "remove-micro-schedule": Role.MEMBER,
    "run-micro-schedule": Role.MEMBER,
    "micro-runs": Role.READER,
    "micro-run-shown": Role.READER,
    "cancel-micro-run": Role.MEMBER,
    "micro-settings": Role.MEMBER,
    "micro-address": Role.MEMBER,
    "restart-micro": Role.MEMBER,
    "delete-micro": Role.MEMBER,
    "visor": Role.READER,
    "visor-live": Role.READER,
    "visor-switch": Role.OWNER,
    "visor-har": Role.READER,
    "visor-client": Role.READER,
    "visor-event": Role.READER,
    "visor-pin": Role.MEMBER,
    "visor-redo": Role.READER,
}
# These are asked by scripts: what is behind the gate answers a request without a body by 400.
ASKED_BY_SCRIPTS = {
    "drive-uploads",
    "drive-clashes",
    "drive-counts",
    "drive-sizes",
    "drive-thumbnails",
    "drive-rename",
    "drive-move",
    "drive-delete",
}
# These change nothing, whoever asks.
READ_ONLY = {"collection-audit", "export-collection-audit"}
# An upload is one person's; for every other it is not there, whatever their role.
SOMEBODY_ELSES = {"drive-upload", "drive-part", "drive-upload-end"}
PUT_ONLY = {"drive-part"}
QUERY = dict.fromkeys(
    ("drive-file", "drive-preview", "drive-copy", "drive-zip", "drive-thumbnail", "new-share-link"), "?name=a.txt"
)
POST_ONLY = ASKED_BY_SCRIPTS | {
    "restore-store",
    "base-change-count",
    "base-change-undo",
    "delete-base-view",
    "drive-upload-end",
    "drive-undo",
    "new-export",
    "check-export",
    "import-part",
    "check-import",
    "run-import",
    "sign-out",
    "sign-out-everywhere",
    "new-passkey-question",
    "require-second-factor",
    "base-save",
    "base-parse",
    "bring-back",
    "change-role",
    "withdraw-member-invitation",
    "withdraw-owner-invitation",
    "visor-switch",
    "visor-pin",
    "micro-bundle",
    "micro-roll-back",
    "update-from-git",
    "remove-micro-schedule",
    "run-micro-schedule",
    "cancel-micro-run",
    "restart-micro",
}
# What a bare request that the role allows is answered, where that is no page.
ANSWERS = (
    {
        "base-item": {400},
        "base-save": {400},
        "base-parse": {200},
        "bring-back": {400},
        "drive-undo": {200},
        "import-part": {400},
    }
    # Nobody asked for a stream.
    | {"base-live": {400}, "visor-live": {400}}
    | {"base-change-count": {400}, "base-change-undo": {200}, "delete-base-view": {200}}
    | {name: {400} for name in ASKED_BY_SCRIPTS}
    # Nothing is sent, and of the deployment, which was made without code, there is none.
    | {"micro-bundle": {400}, "micro-code": {404}}
    | {name: {404} for name in SOMEBODY_ELSES}
    # Nobody has a second factor here, and no provider is set.
    | {name: {404} for name in ("rename-passkey", "remove-factor", "recovery-codes")}
    | {name: {404} for name in ("openid-link", "openid-unlink", "person-email")}
    # The file is no picture.
    | {"drive-thumbnail": {404}}
    # No Micro is named, nor a Base, and the token is somebody else's.
    | {"enter-micro": {404}, "base-types-file": {404}, "revoke-token": {404}}
)
RANK = {Role.READER: 1, Role.MEMBER: 2, Role.OWNER: 3}
PEOPLE = ("server_owner", "owner", "member", "reader", "outsider")


def named_routes(patterns: list[URLPattern | URLResolver] | None = None) -> Iterator[tuple[str, set[str]]]:
    """Name and parameters of each route outside the public API."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from (
                (name, more | set(pattern.pattern.converters)) for name, more in named_routes(pattern.url_patterns)
            )
        elif pattern.name:
            yield pattern.name, set(pattern.pattern.converters)


ROUTES = dict(named_routes())


def url_of(name: str, cast: Cast, collection_id: str | None = None) -> str:
    """The route's address, with ids of things that exist, whatever became of those that were made before."""
    known = {
        "collection_id": collection_id or cast.collection.id,
        "key_id": lambda: keys.create_key(collection_id=cast.collection.id, name="a key").data_key.id,
        "person_id": lambda: find_reader(cast),
        "factor_id": 1,
        "invitation_id": lambda: (
            invitations.invite_person(
                collection_id=cast.collection.id, role=Role.READER, note="x", invited_by=cast.owner
            ).id
        ),
        "export_id": lambda: make_export(cast).id,
        "import_id": lambda: make_import(cast).id,
        "token": "no-token",
        "share": "no-link",
        "link_id": lambda: make_share_link(cast).pk,
        "file_name": "no-wheel.whl",
        "version": "1.1.0",
        "name": lambda: Base.objects.get_or_create(collection=cast.collection, name="things")[0].name,
        "kind": "base",
        "change_id": lambda: make_change(cast).pk,
        "view_id": lambda: make_view(cast).pk,
        "index_id": lambda: make_index(cast).pk,
        "store_deletion_id": lambda: delete_base(cast).pk,
        "event_id": lambda: _kept_event(cast.collection.id),
    }
    known |= {
        "drive": lambda: make_drive(cast),
        "upload_id": lambda: start_upload(cast),
        "number": 1,
        "deletion_id": lambda: delete_file(cast),
        "duplication_id": lambda: make_duplication(cast).pk,
        "micro_id": lambda: make_micro(cast).id,
        "deployment_id": lambda: make_deployment(cast).id,
        "run_id": lambda: MicroRun.objects.create(micro=make_micro(cast), kind="run", state="done").id,
        "starter": "flask",
        "fetch_id": lambda: make_git_fetch(cast).id,
        "variable": lambda: variables.replace_variables(**_of_micro(cast), values={"NAME": "value"})[0],
        "domain": lambda: make_domain(cast),
        "sign_in_id": start_sign_in,
        "token_id": lambda: tokens.create_token(person=make_person(), name="laptop").token.pk,
        "api_key_id": lambda: make_api_key(cast),
    }
    values = {parameter: known[parameter] for parameter in sorted(ROUTES[name])}
    made = {key: value() if callable(value) else value for key, value in values.items()}
    return reverse(name, kwargs=made) + QUERY.get(name, "")


def find_reader(cast: Cast) -> int:
    """The id of the cast's, who is a reader again; of another one when that person was removed from the server."""
    if not User.objects.filter(pk=cast.reader.pk, is_active=True).exists():
        return make_member(cast.collection.id, Role.READER).pk
    Membership.objects.update_or_create(collection=cast.collection, person=cast.reader, defaults={"role": Role.READER})
    return cast.reader.pk


def make_drive(cast: Cast) -> str:
    """A Drive with an empty file `a.txt` in it."""
    drive_id = drives.ensure_drive(collection_id=cast.collection.id, name="files")
    if not File.objects.filter(drive_id=drive_id, name="a.txt").exists():
        fill_drive(cast.collection.id, "files", ["a.txt"])
    return "files"


def make_duplication(cast: Cast) -> Duplication:
    """A copy of the Drive that somebody is at."""
    drive_id = folders.find_drive(collection_id=cast.collection.id, name=make_drive(cast))
    return Duplication.objects.create(
        collection=cast.collection,
        source_id=drive_id,
        target_id=0,
        source_name="files",
        state=Duplication.State.RUNNING,
        heartbeat_at=timezone.now(),
        asked_by=cast.owner,
        expected=1,
        expected_bytes=0,
    )


def make_micro(cast: Cast) -> Micro:
    """The collection's Micro, which has no code."""
    found = micros.list_micros(cast.collection.id)
    return found[0] if found else micros.create_micro(collection_id=cast.collection.id, name="app")


def make_deployment(cast: Cast) -> Deployment:
    """A deployment of it that is done and does not serve."""
    micro = make_micro(cast)
    last = Deployment.objects.filter(micro=micro).aggregate(last=Max("number"))["last"] or 0
    return Deployment.objects.create(micro=micro, number=last + 1, runtime="python", state="done")


def make_domain(cast: Cast) -> str:
    """A domain of the Micro that no other has, nor had."""
    _make_room(MicroDomain.objects.filter(micro=make_micro(cast)), limits.MICRO_DOMAINS_MAX)
    return domains.add_domain(**_of_micro(cast), name=f"{secrets.token_hex(8)}.example.org")


def make_api_key(cast: Cast) -> int:
    """The id of a key of the Micro."""
    _make_room(MicroKey.objects.filter(micro=make_micro(cast)), limits.MICRO_KEYS_MAX)
    return api_keys.create_key(**_of_micro(cast), name=secrets.token_hex(8)).key.pk


def make_git_fetch(cast: Cast) -> GitFetch:
    """A repository that was fetched, and declares something; there are no bytes of it."""
    declared = Manifest("deta.json", name="fetched", runtime="python3.9", variables=(Variable("A", "What for", "x"),))
    return GitFetch.objects.create(
        collection=cast.collection,
        address="https://git.example.org/you/app",
        state=GitFetch.State.DONE,
        finished_at=timezone.now(),
        commit="0" * 40,
        entries={"python": "main.py"},
        manifest=msgspec.to_builtins(declared),
    )


def _of_micro(cast: Cast) -> dict[str, Any]:
    return {"collection_id": cast.collection.id, "micro_id": make_micro(cast).id}


def _make_room(there: "QuerySet[Any]", most: int) -> None:
    """For one more: where there are as many as there can be, all of them go."""
    if there.count() >= most:
        there.delete()


def make_share_link(cast: Cast, text: str = "") -> ShareLink:
    """A link to the file of the Drive, good for an hour, of this secret or a new one."""
    drive = make_drive(cast)
    drive_id = folders.find_drive(collection_id=cast.collection.id, name=drive)
    _make_room(ShareLink.objects.filter(drive_id=drive_id), limits.SHARE_LINKS_MAX)
    access = Access(cast.collection.id, person_id=cast.owner.pk)
    return links.create_link(
        access=access,
        drive_id=drive_id,
        drive=drive,
        name="a.txt",
        text=text or secrets.token_hex(),
        hours=1,
        made_by=cast.owner,
    )


def start_upload(cast: Cast) -> str:
    """The id of an upload that is none of the cast's."""
    access = Access(cast.collection.id, person_id=make_member(cast.collection.id).pk)
    started = person_uploads.start_upload(
        access=access,
        drive=make_drive(cast),
        name="f",
        size_bytes=1,
        content_type=None,
        if_exists="replace",
        fingerprint="",
    )
    return started.id


def start_sign_in() -> UUID:
    """The id of a terminal's that waits to be let in."""
    _make_room(TerminalSignIn.objects.all(), limits.TERMINAL_SIGN_INS_MAX)
    return sign_ins.start(challenge="0" * 64, device="laptop", address="127.0.0.1").id


def delete_file(cast: Cast) -> int:
    make_drive(cast)
    drive_id = folders.find_drive(collection_id=cast.collection.id, name="files")
    chosen = moves.choose(["a.txt"], [])
    access = Access(cast.collection.id, person_id=cast.owner.pk)
    return file_deletion.delete(access=access, drive_id=drive_id, chosen=chosen).id


def make_change(cast: Cast) -> ItemChange:
    """A change of many items that is done, and can be undone."""
    base = Base.objects.get_or_create(collection=cast.collection, name="things")[0]
    now = timezone.now()
    return ItemChange.objects.create(
        collection=cast.collection,
        base_id=base.pk,
        act='{"kind":"delete"}',
        expected=1,
        asked_by=cast.owner,
        state=ItemChange.State.DONE,
        finished_at=now,
        undo_until=now + timedelta(hours=1),
    )


def make_view(cast: Cast) -> SavedView:
    base = Base.objects.get_or_create(collection=cast.collection, name="things")[0]
    return SavedView.objects.get_or_create(base_id=base.pk, name="a view")[0]


def make_index(cast: Cast) -> AttributeIndex:
    base = Base.objects.get_or_create(collection=cast.collection, name="things")[0]
    return AttributeIndex.objects.get_or_create(base_id=base.pk, path=["n"], state="ready")[0]


def delete_base(cast: Cast) -> Deletion:
    """A Base that was deleted just now."""
    Base.objects.get_or_create(collection=cast.collection, name="gone")
    access = Access(cast.collection.id, person_id=cast.owner.pk)
    return stores.delete_store(access=access, kind="base", name="gone", typed_name="gone")


def method_of(client: Client, name: str) -> Callable[..., Any]:
    """How the route is asked."""
    return client.put if name in PUT_ONLY else client.post if name in POST_ONLY else client.get


def _kept_event(collection_id: str) -> str:
    event = make_event(collection_id)
    event_queries.keep_event(event)
    return event.line.id


def make_export(cast: Cast) -> Export:
    """An export that is done."""
    return Export.objects.create(collection=cast.collection, state="done", finished_at=timezone.now())


def make_import(cast: Cast) -> Import:
    """An import that was looked through."""
    portions = [{"kind": "base", "name": "notes", "entry": "bases/notes.json"}]
    plan = {"made_by": "zip", "portions": portions}
    return Import.objects.create(collection=cast.collection, state="checked", size_expected=1, plan=plan)


def expected(name: str, person: str) -> set[int]:
    """What a GET, or the POST of a route that takes nothing else, is answered."""
    done = ANSWERS.get(name) or ({302} if name in POST_ONLY else {200, 302})
    if name in LEAST_ROLE:
        if person == "outsider":
            return {404}
        role = Role.OWNER if person == "server_owner" else Role(person)
        return done if RANK[role] >= RANK[LEAST_ROLE[name]] else {403}
    if name in FOR_SERVER_OWNERS:
        return done if person == "server_owner" else {404}
    return done


def test_table_names_every_route() -> None:
    assert set(ROUTES) == OPEN | FOR_ANYBODY_SIGNED_IN | FOR_SERVER_OWNERS | set(LEAST_ROLE)
    assert {name for name, parameters in ROUTES.items() if "collection_id" in parameters} == set(LEAST_ROLE)


CLOSED = sorted(set(ROUTES) - OPEN)
SignedIn = Callable[[str | None], Client]


@pytest.fixture
def signed_in(people: Cast, browser: Browser) -> SignedIn:
    """A new browser in which one of the people has signed in, once for all of the table; nobody for None."""
    cookies: dict[str | None, str] = {}

    def open_browser(person: str | None) -> Client:
        if person is None:
            client = browser(None)
        elif person in cookies:
            client = browser(None)
            client.cookies["sessionid"] = cookies[person]
        else:
            client = browser(people[person])
            cookies[person] = client.cookies["sessionid"].value
        # A defect is the answer of one line, and not the end of the table.
        client.raise_request_exception = False
        return client

    for person in PEOPLE:
        open_browser(person)
    return open_browser


@contextmanager
def undone_line() -> Iterator[None]:
    """What one line of a table does is undone before the next one."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_nobody_gets_in_without_signing_in(people: Cast, signed_in: SignedIn) -> None:
    wrong = {}
    for name in CLOSED:
        with undone_line():
            url = url_of(name, people)
            for method in ("get", "post", "put", "delete"):
                answer = getattr(signed_in(None), method)(url)
                told = (answer.status_code, answer.get("Location", "").startswith("/sign-in/"))
                if told not in {(302, True), (405, False)}:
                    wrong[name, method] = told
    assert wrong == {}


@pytest.mark.parametrize("person", PEOPLE)
def test_everybody_gets_what_their_role_allows(person: str, people: Cast, signed_in: SignedIn) -> None:
    wrong = {}
    for name in CLOSED:
        with undone_line():
            status = method_of(signed_in(person), name)(url_of(name, people)).status_code
        if status not in expected(name, person):
            wrong[name] = status
    assert wrong == {}


@pytest.mark.parametrize("person", ["member", "reader", "outsider"])
def test_only_owners_change_anything(person: str, people: Cast, signed_in: SignedIn) -> None:
    form = {"name": "x", "role": "owner", "typed_name": people.collection.name}
    wrong = {}
    for name in sorted(name for name, role in LEAST_ROLE.items() if role is Role.OWNER and name not in READ_ONLY):
        with undone_line():
            status = signed_in(person).post(url_of(name, people), form).status_code
        if status != (404 if person == "outsider" else 403):
            wrong[name] = status
    assert wrong == {}


@pytest.mark.parametrize(
    "collection_id",
    [
        "0000000000",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("UPPERCASE0", "short", "'; DROP--", "a%2F..%2Fb")),
    ],
)
def test_unknown_collection_is_not_there(collection_id: str, people: Cast, signed_in: SignedIn) -> None:
    wrong = {}
    for name in sorted(LEAST_ROLE):
        with undone_line():
            status = method_of(signed_in("server_owner"), name)(url_of(name, people, collection_id)).status_code
        if status != 404:
            wrong[name] = status
    assert wrong == {}


def test_wrong_method_is_refused(people: Cast, signed_in: SignedIn) -> None:
    wrong = {}
    for name in CLOSED:
        for method in ("patch", "get") if name in POST_ONLY | PUT_ONLY else ("patch",):
            with undone_line():
                status = getattr(signed_in("server_owner"), method)(url_of(name, people)).status_code
            if status != 405:
                wrong[name, method] = status
    assert wrong == {}


@pytest.mark.parametrize("name", ["drive-file", "drive-folders"])
def test_readers_write_nothing_by_another_method_either(name: str, people: Cast, browser: Browser) -> None:
    url = url_of(name, people)
    for person, status in (("reader", 403), ("outsider", 404)):
        client = browser(people[person])
        method = client.put if name == "drive-file" else client.post
        assert method(url, {"name": "b/"}, "application/json").status_code == status


def test_ids_of_another_collection_are_not_there(people: Cast, browser: Browser) -> None:
    other = storage_collections.create_collection("Other")
    foreign_key = keys.create_key(collection_id=other.id, name="foreign").data_key
    client = browser(people.owner)
    assert client.post(reverse("revoke-key", args=[people.collection.id, foreign_key.id])).status_code == 404
    assert client.get(reverse("remove-member", args=[people.collection.id, people.outsider.id])).status_code == 404
    foreign_key.refresh_from_db()
    assert foreign_key.revoked_at is None
    foreign_export = Export.objects.create(collection=other, state="done", finished_at=timezone.now())
    foreign_import = Import.objects.create(collection=other, state="checked", size_expected=1)
    for name in ("download-export", "delete-export", "import", "delete-import"):
        found = foreign_import if "import" in name else foreign_export
        assert client.get(reverse(name, args=[people.collection.id, found.id])).status_code == 404
    for name in ("check-export", "delete-export", "check-import", "run-import", "delete-import"):
        found = foreign_import if "import" in name else foreign_export
        assert client.post(reverse(name, args=[people.collection.id, found.id])).status_code == 404
    assert Export.objects.filter(id=foreign_export.id).exists()
    assert Import.objects.filter(id=foreign_import.id, state="checked").exists()


def test_who_owes_a_second_factor_reaches_nothing_but_its_pages(people: Cast, signed_in: SignedIn) -> None:
    sign_in_rules.require_second_factor(is_required=True)
    wrong = {}
    for name in sorted(set(ROUTES) - WHILE_OWED):
        with undone_line():
            answer = method_of(signed_in("server_owner"), name)(url_of(name, people))
        if (answer.status_code, answer.get("Location")) != (302, reverse("second-factor-set-up")):
            wrong[name] = answer.status_code
    assert wrong == {}
