"""axe finds nothing on any page, in light and dark, wide and narrow; and no page is wider than its window."""

from datetime import timedelta
from secrets import token_hex
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from django.utils import timezone

from console.management.demo_items import messy_items
from storage.access_tokens import sign_ins, tokens
from storage.collections import invitations, keys
from storage.events import queries as event_queries
from storage.events import recording
from storage.micros import api_keys, domains, variables
from storage.micros.manifests.manifest import Manifest, Variable
from storage.models import (
    AttributeIndex,
    Base,
    Collection,
    Deployment,
    Drive,
    Duplication,
    Export,
    GitFetch,
    Import,
    ImportProblem,
    Micro,
    MicroLine,
    MicroRun,
    MicroSchedule,
    Role,
    ShareLink,
    SnapshotSchedule,
)
from storage.postgres.caller import Access
from storage.share_links import links
from tests.browser.axe import faults_of, layout_faults_of
from tests.browser.base.page import StoredBase, make_base, open_base
from tests.browser.conftest import Pages, box_of
from tests.drives import make_drive
from tests.micros import make_micro
from tests.people import Cast, make_cast
from tests.serving import Server
from tests.visor import body, make_event

IMPORT_STATES = ("uploading", "checking", "checked", "running", "done", "failed")
PAGES = {
    "collections": "/",
    "no-match": "/?q=nothing-is-called-that",
    "new-collection": "/collections/new/",
    "api-reference": "/api-reference/",
    "import-into-new": "/collections/new/?door=import",
    "start": "/collections/{id}/start/",
    "bases": "/collections/{id}/base/",
    "new-base": "/collections/{id}/new-base/",
    "rename-store": "/collections/{id}/manage/base/guests/rename/?back=list",
    "move-store": "/collections/{id}/manage/base/guests/move/",
    "empty-store": "/collections/{id}/manage/base/guests/empty/",
    "delete-store": "/collections/{id}/manage/drive/photos/delete/",
    "duplicate-store": "/collections/{id}/manage/drive/photos/duplicate/",
    "drives": "/collections/{id}/drive/",
    "new-drive": "/collections/{id}/new-drive/",
    "drive": "/collections/{id}/drive/photos/",
    "drive-folder": "/collections/{id}/drive/photos/?folder=2024/&sort=-size",
    "drive-search": "/collections/{id}/drive/photos/?q=text",
    "drive-no-match": "/collections/{id}/drive/photos/?q=nothing-is-called-that",
    "drive-preview": "/collections/{id}/drive/photos/?file=text.txt",
    "drive-empty": "/collections/{id}/drive/empty/",
    "share-links-empty": "/collections/{id}/drive/empty/links/",
    "share-links": "/collections/{id}/drive/photos/links/",
    "new-share-link": "/collections/{id}/drive/photos/links/new/?name=text.txt",
    "revoke-share-link": "/collections/{id}/drive/photos/links/{share_link}/revoke/",
    "exports": "/collections/{id}/exports/",
    "delete-export": "/collections/{id}/exports/{export}/delete/",
    "imports": "/collections/{id}/imports/",
    "new-import": "/collections/{id}/imports/new/",
    **{f"import-{state}": f"/collections/{{id}}/imports/{{{state}}}/" for state in IMPORT_STATES},
    "delete-import": "/collections/{id}/imports/{done}/delete/",
    "snapshots": "/collections/{id}/snapshots/",
    "base": "/collections/{id}/base/guests/",
    "base-empty": "/collections/{id}/base/notes/",
    "base-no-match": "/collections/{id}/base/guests/?q=%7B%22age%22%3A%22none%22%7D",
    "base-bad-query": "/collections/{id}/base/guests/?q=%7B%22age%3Fgtt%22%3A1%7D",
    "base-indexes": "/collections/{id}/base/guests/indexes/",
    "base-indexes-empty": "/collections/{id}/base/notes/indexes/",
    "drop-base-index": "/collections/{id}/base/guests/indexes/{index}/drop/",
    "base-not-kept": "/collections/{id}/base/guests/?as_of=2001-01-01T00:00:00",
    "base-history": "/collections/{id}/base/guests/history/",
    "base-history-empty": "/collections/{id}/base/notes/history/",
    "base-history-no-match": "/collections/{id}/base/guests/history/?key=nobody&kind=d",
    "item-history": "/collections/{id}/base/guests/history/item/?of={guest}",
    "undo-writer": "/collections/{id}/base/guests/history/undo/?by=k{key}&since=2001-01-01T00:00:00",
    "switch-history": "/collections/{id}/base/guests/history/switch/",
    "keys": "/collections/{id}/keys/",
    "new-key": "/collections/{id}/keys/new/",
    "key-limits": "/collections/{id}/keys/{key}/limits/",
    "revoke": "/collections/{id}/keys/{key}/revoke/",
    "audit": "/collections/{id}/audit/",
    "audit-empty": "/collections/{silent}/audit/",
    "audit-no-match": "/collections/{id}/audit/?since=2001-01-01&until=2001-01-02",
    "audit-of-server": "/audit/",
    "server": "/server/",
    "backups": "/server/backups/",
    "connect-javascript": "/collections/{id}/connect/",
    "connect-python": "/collections/{id}/connect/?client=python",
    "connect-go": "/collections/{id}/connect/?client=go",
    "connect-curl": "/collections/{id}/connect/?client=curl",
    "base-types": "/collections/{id}/connect/types/?base=guests",
    "base-types-empty": "/collections/{id}/connect/types/?base=notes",
    "visor-empty": "/collections/{empty}/visor/",
    "visor": "/collections/{id}/visor/",
    "visor-more-filters": "/collections/{id}/visor/?slower=0001&span=14d",
    "visor-no-match": "/collections/{id}/visor/?path=nowhere",
    "visor-event": "/collections/{id}/visor/{event}/",
    "visor-request": "/collections/{id}/visor/{event}/?tab=request",
    "visor-logs": "/collections/{id}/visor/{event}/?tab=log",
    "visor-code": "/collections/{id}/visor/{event}/?tab=code",
    "visor-difference": "/collections/{id}/visor/{replay}/?tab=difference",
    "visor-micro": "/collections/{id}/visor/?micro=api",
    "visor-micro-logs": "/collections/{id}/visor/{of_micro}/?tab=log",
    "visor-client": "/collections/{id}/visor/client/",
    "visor-client-sent": "/collections/{id}/visor/client/?sent={replay}",
    "micros-empty": "/collections/{empty}/micros/",
    "micros": "/collections/{id}/micros/",
    "new-micro": "/collections/{id}/micros/new/",
    "new-micro-from-starter": "/collections/{id}/micros/new/starters/form/",
    "deploy": "/deploy?repo=https://github.com/you/app",
    "deploy-bad-address": "/deploy?repo=git@github.com:you/app",
    "git-fetch": "/collections/{id}/micros/from-git/{fetched}/",
    "git-fetch-failed": "/collections/{id}/micros/from-git/{unfetched}/",
    "micro": "/collections/{id}/micros/{micro}/",
    "micro-deployments": "/collections/{id}/micros/{micro}/deployments/",
    "micro-deployment-failed": "/collections/{id}/micros/{micro}/deployments/{deployment}/",
    "micro-environment": "/collections/{id}/micros/{micro}/environment/",
    "paste-variables": "/collections/{id}/micros/{micro}/environment/paste/",
    "micro-domains": "/collections/{id}/micros/{micro}/domains/",
    "micro-keys": "/collections/{id}/micros/{micro}/keys/",
    "micro-logs": "/collections/{id}/micros/{micro}/logs/",
    "micro-runs": "/collections/{id}/micros/{micro}/runs/",
    "micro-run-failed": "/collections/{id}/micros/{micro}/runs/{run}/",
    "micro-schedule": "/collections/{id}/micros/{micro}/schedule/",
    "micro-settings": "/collections/{id}/micros/{micro}/settings/",
    "micro-address": "/collections/{id}/micros/{micro}/settings/address/",
    "delete-micro": "/collections/{id}/micros/{micro}/settings/delete/",
    "settings": "/collections/{id}/settings/",
    "delete": "/collections/{id}/settings/delete/",
    "invite": "/collections/{id}/settings/people/invite/",
    "people": "/people/",
    "account": "/account/",
    "terminal": "/terminal/{terminal}/",
    "terminal-over": "/terminal/{refused}/",
    "revoke-token": "/tokens/{token}/revoke/",
    "prove": "/account/second-factor/prove/",
    "reset-second-factor": "/people/{reader}/second-factor/",
    "jump": "/jump/?q=a",
    "not-there": "/nothing/",
}

# Other states of pages that are among them, made of the same parts: these are opened in the long run alone.
OTHER_STATES = {
    *(
        "no-match",
        "drive-folder",
        "drive-search",
        "drive-no-match",
        "base-no-match",
        "base-indexes-empty",
        "audit-no-match",
        "audit-empty",
    ),
    *("import-uploading", "import-checking", "import-running", "import-failed", "delete-import", "delete-micro"),
    *(
        "connect-python",
        "connect-go",
        "connect-curl",
        "base-types-empty",
        "visor-more-filters",
        "visor-no-match",
        "visor-micro",
    ),
    *("visor-micro-logs", "visor-client-sent", "deploy-bad-address", "terminal-over", "audit-of-server"),
    *("base-not-kept", "base-history-no-match"),
}


@pytest.fixture
def full(server: Server, cast: Cast) -> Cast:
    """The collection with something in every list."""
    fill_everything(server, cast)
    return cast


def fill_everything(server: Server, cast: Cast) -> None:
    """Put something into every list of the collection."""
    empty = Drive.objects.create(collection=cast.collection, name="empty")
    files = make_drive(server, "photos", collection_id=cast.collection.id)
    for name in ("text.txt", "2024/one.txt", "2024/deep/two.bin", "a long name " * 20):
        assert files.put(name, b"text").status_code == 201
    make_duplication(cast, empty)
    Base.objects.create(collection=cast.collection, name="notes")
    make_share_links(cast)
    make_archives(cast)
    make_git_fetches(cast)
    fill_micro(cast)
    make_base(cast, *messy_items(100), name="guests")
    make_indexes(cast)
    keys.create_key(
        collection_id=cast.collection.id,
        name="app with a rather long name, to see what happens",
        requests_per_second=100,
        bytes_per_day=1_000_000_000,
    )
    old = keys.create_key(
        collection_id=cast.collection.id, name="old", can_write=False, base_names=["notes"], drive_names=[]
    )
    keys.revoke_key(collection_id=cast.collection.id, key_id=old.data_key.id)
    invitations.invite_person(collection_id=cast.collection.id, role=Role.READER, note="Linus", invited_by=cast.owner)


def keep_events(collection_id: str) -> tuple[str, str, str]:
    """A recorded request with something on every tab, one that sent it again, and one to a Micro."""
    recording.start_recording(collection_id)
    made = make_event(
        collection_id,
        method="PUT",
        path="notes/items",
        status=207,
        request=body('{"items": [{"key": "a"}]}'),
        response=body('{"processed":{"items":[{"key":"a"}]}}'),
        request_headers=(("X-API-Key", "[redacted]"), ("A-Rather-Long-Header-Name-That-Goes-On", "x" * 200)),
        log=(("WARNING", "storage", "something happened"), ("ERROR", "storage", "y" * 300)),
        is_redacted=True,
    )
    again = make_event(
        collection_id, origin="replay", replay_of=made.line.id, status=503, response=body("{}"), sent_by="Ada"
    )
    micro = Micro.objects.get(collection_id=collection_id)
    printed = ((1_800_000_000.0, False, "asked"), (1_800_000_000.1, True, "Traceback " + "x" * 300))
    of_micro = make_event(collection_id, path="/breaks", status=500, micro_id=micro.id, printed=printed)
    for event in (
        made,
        again,
        of_micro,
        *(make_event(collection_id, status=status) for status in (200, 304, 404, 500)),
    ):
        event_queries.keep_event(event)
    return made.line.id, again.line.id, of_micro.line.id


def fill_micro(cast: Cast) -> None:
    """A Micro with something on each of its pages; a long name, a failed deployment, and one that serves and has no code."""
    micro = make_micro("an app with a rather long name, to see what happens", collection_id=cast.collection.id)
    at: dict[str, Any] = {"collection_id": micro.collection_id, "micro_id": micro.id}
    variables.set_variables(**at, values={"A_RATHER_LONG_NAME_OF_A_VARIABLE_TO_SEE_WHAT_HAPPENS": "x"})
    domains.add_domain(**at, name=f"a-rather-long-name-to-see-what-happens.{micro.id}.example.org")
    api_keys.create_key(**at, name="robot", description="a program that calls at night and a few times each day")
    serving = Deployment.objects.create(micro=micro, number=1, runtime="python", state="done", runs_on="Python 3.11.7")
    Deployment.objects.create(micro=micro, number=2, runtime="python", state="done")
    failed = Deployment.objects.create(
        micro=micro, number=3, runtime="python", state="failed", reason="x" * 300, asked_by=cast.owner
    )
    Micro.objects.filter(id=micro.id).update(deployment=serving, deployed_at=timezone.now())
    for source in MicroLine.Source:
        MicroLine.objects.create(
            micro_id=micro.id, deployment_id=failed.id, at=timezone.now(), source=source, text="line " * 60
        )
    fill_runs(micro)


def fill_runs(micro: Micro) -> None:
    """A run that failed, runs of a schedule in every state that is one of rest, and all that is warned of."""
    now = timezone.now()
    times = {"asked_at": now, "started_at": now, "finished_at": now}
    MicroSchedule.objects.create(
        micro=micro, expression="0/5 8-17 ? * MON-FRI 2199", failures_in_row=3, overlapped_at=now
    )
    reason = "no room for a rather long line, " * 10
    run = MicroRun.objects.create(
        micro=micro, kind="run", action="hello", state="failed", reason=reason, input='{"n": 1}', answer="[1]", **times
    )
    MicroLine.objects.create(micro_id=micro.id, request_id=run.id, at=now, source=1, text="line " * 60)
    for number, state in enumerate(("done", "failed", "skipped")):
        due_at = now - timedelta(minutes=number)
        MicroRun.objects.create(
            micro=micro, kind="cron", state=state, due_at=due_at, reason=reason, is_overlapping=True, **times
        )


def make_git_fetches(cast: Cast) -> None:
    """A repository that asks for much, and one that can't be deployed."""
    asked = [Variable("NEEDED", "What it is for " * 10, is_required=True), Variable("GIVEN", value="x" * 200)]
    declared = Manifest(
        "Spacefile", "app", "Does this and that. " * 20, "python3.9", tuple(asked), "5 minutes", "back", "", ("web",)
    )
    for state in ("done", "failed"):
        GitFetch.objects.create(
            collection=cast.collection,
            address=f"https://git.example.org/{'long' * 30}",
            state=state,
            finished_at=timezone.now(),
            reason="deta.json: it is no JSON\nand more " + "x" * 200,
            commit="0" * 40,
            entries={"python": "main.py"},
            manifest=msgspec.to_builtins(declared),
        )


def make_duplication(cast: Cast, target: Drive) -> None:
    """A copy of the Drive with files that looks as if it moved; the server's worker lets it be."""
    Duplication.objects.create(
        collection=cast.collection,
        source_id=Drive.objects.get(collection=cast.collection, name="photos").id,
        target_id=target.id,
        source_name="photos",
        state=Duplication.State.RUNNING,
        heartbeat_at=timezone.now() + timedelta(hours=1),
        expected=1_200,
        expected_bytes=3_000_000,
        copied=400,
        copied_bytes=1_000_000,
    )


def make_indexes(cast: Cast) -> None:
    """They are built when the job queue comes to it."""
    base = Base.objects.get(collection=cast.collection, name="guests")
    for path in (["age"], ["home", "city"]):
        AttributeIndex.objects.create(base_id=base.pk, path=path)


def make_share_links(cast: Cast) -> None:
    """A link to a file with a long name, with a password, and one that was revoked."""
    drive_id = Drive.objects.get(collection=cast.collection, name="photos").id
    at: dict[str, Any] = {"access": Access(cast.collection.id, person_id=cast.owner.pk), "drive_id": drive_id}
    for name, password in (("a long name " * 20, "x"), ("text.txt", "")):
        link = links.create_link(
            drive="photos", name=name, text=token_hex(), hours=1, password=password, made_by=cast.owner, **at
        )
    links.revoke_link(drive="photos", link_id=link.pk, **at)


def make_archives(cast: Cast) -> None:
    """An export and an import in every state. Those that look as if they moved are let be by the server's worker."""
    later = timezone.now() + timedelta(hours=1)
    for state in Export.State.values:
        is_moving = state in ("queued", "running")
        Export.objects.create(
            collection=cast.collection, state="running" if is_moving else state, heartbeat_at=later, reason="It failed"
        )
    portions = [
        {
            "kind": "base",
            "name": "notes",
            "entry": "bases/notes.json",
            "count": 5,
            "faults": 2,
            "broken": "byte 7: cut",
            "told": "JSON, a list of items",
            "keyless": 3,
            "candidates": [{"name": "id", "samples": ["7", "8"], "items": 5}],
        },
        {"kind": "drive", "name": "not legal", "entry": "drives/not legal/", "count": 5},
        {
            "kind": "base",
            "name": "people",
            "entry": "people.csv",
            "count": 5,
            "known": 2,
            "keyless": 1,
            "told": "CSV, semicolons between cells, Windows-1252",
            "is_table": True,
            "columns": [
                {"name": "key", "type": "text", "samples": ["ada", "bob"], "cells": 4},
                {"name": "zip", "type": "text", "samples": ["01067", "80331"], "cells": 5, "known": "text"},
            ],
        },
    ]
    report = [
        {"kind": "base", "name": "notes", "into": "guests", "do": "merge", "read": 3, "new": 2, "skipped": {"Bad": 1}}
    ]
    for state in IMPORT_STATES:
        made = Import.objects.create(
            collection=cast.collection,
            state=state,
            file_name=f"{state}.zip",
            size_expected=1000,
            heartbeat_at=later,
            plan={"made_by": "zip", "portions": portions},
            report={"portions": report} if state == "done" else {},
            problems_total=1,
        )
        ImportProblem.objects.create(found_in=made, place="bases/notes.json", spot="byte 7", key="k", what="It is bad")
    SnapshotSchedule.objects.create(collection=cast.collection, every="day", keep=7, next_at=later)


def ids_of(cast: Cast) -> dict[str, object]:
    """What the addresses of the pages are made of."""
    imports = {each.state: each.id for each in Import.objects.filter(collection=cast.collection)}
    export = Export.objects.filter(collection=cast.collection, state="done").first()
    key = keys.list_keys(cast.collection.id)[0].id
    return {
        "id": cast.collection.id,
        "reader": cast.reader.id,
        "key": key,
        "export": export.id if export else "",
        "share_link": ShareLink.objects.filter(drive_id__in=cast.collection.drives.values("id")).earliest("id").id,
        "index": AttributeIndex.objects.get(base_id__in=cast.collection.bases.values("id"), path=["age"]).pk,
        "micro": Micro.objects.get(collection=cast.collection).id,
        "deployment": Deployment.objects.get(micro__collection=cast.collection, state="failed").id,
        "fetched": GitFetch.objects.get(collection=cast.collection, state="done").id,
        "unfetched": GitFetch.objects.get(collection=cast.collection, state="failed").id,
        "run": MicroRun.objects.get(micro__collection=cast.collection, kind="run").id,
        **imports,
    }


def make_sign_ins(cast: Cast) -> dict[str, object]:
    """A terminal that asks the server's owner, one that was refused, and tokens; all with long names."""
    name = "a-laptop-with-a-rather-long-name-to-see-what-happens" + "-x" * 20
    waiting, refused = (sign_ins.start(challenge="0" * 64, device=name, address="2001:db8::1") for _ in range(2))
    sign_ins.refuse(sign_in_id=refused.id)
    token = [tokens.create_token(person=cast.server_owner, name=each) for each in ("CI", name)][-1].token
    return {"terminal": waiting.id, "refused": refused.id, "token": token.pk}


def ids_of_everything(cast: Cast) -> dict[str, object]:
    """What the addresses of all pages are made of, once `fill_everything` has been at it."""
    event, replay, of_micro = keep_events(cast.collection.id)
    silent = Collection.objects.create(name="Nothing was recorded of it").id
    more = {
        "event": event,
        "replay": replay,
        "of_micro": of_micro,
        "empty": make_cast().collection.id,
        "silent": silent,
        "guest": quote(next(messy_items(1))["key"], safe=""),
    }
    return ids_of(cast) | more | make_sign_ins(cast)


FAULTY = """<!doctype html><html lang="en"><head><title>Faulty</title><style>
  body { background: white; color: black }
  @media (prefers-color-scheme: dark) { body { color: #eee } }
</style></head><body><main><h1>Faulty</h1><img src="x.png"><p style="width: 2000px">wide</p></main></body></html>"""


def test_faults_are_found_in_both_schemes(pages: Pages) -> None:
    page = pages(None, "/sign-in/", bypass_csp=True)
    page.set_content(FAULTY)

    faults = faults_of(page)

    assert [fault.split(":")[0] for fault in faults[:2]] == ["image-alt", "in the dark, color-contrast"]
    assert faults[2:] == [faults[2]]
    assert faults[2].endswith("pixels too wide")
    assert page.evaluate("matchMedia('(prefers-color-scheme: light)').matches")


# Several tests, so that processes can share the work. axe looks at every fourth page, at one width; in the long run at all,
# twice.
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("is_thorough", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_every_page(full: Cast, pages: Pages, part: int, is_thorough: bool) -> None:
    page = pages(full.server_owner, bypass_csp=True)
    assert PAGES.keys() >= OTHER_STATES
    known = ids_of_everything(full)
    faults = {}
    shown = [(name, path) for name, path in PAGES.items() if is_thorough or name not in OTHER_STATES]
    for number, (name, path) in enumerate(shown[part::4]):
        page.goto(path.format(**known))
        for turn, width in enumerate((1280, 390)):
            page.set_viewport_size({"width": width, "height": 800})
            is_looked_at = is_thorough or number % 8 == 4 * turn
            if found := faults_of(page) if is_looked_at else layout_faults_of(page):
                faults[name, width] = found
    assert faults == {}


def test_pages_before_signing_in_and_of_other_roles(full: Cast, pages: Pages) -> None:
    for person, path in (
        (None, "/sign-in/"),
        (None, "/join/x/"),
        (None, "/s/x/"),
        (full.outsider, "/"),
        (full.reader, f"/collections/{full.collection.id}/base/"),
        (full.reader, f"/collections/{full.collection.id}/settings/"),
    ):
        assert faults_of(pages(person, path, bypass_csp=True)) == [], path


def test_dialogs_menu_and_palette(full: Cast, pages: Pages) -> None:
    page = pages(full.server_owner, f"/collections/{full.collection.id}/keys/", bypass_csp=True)
    page.get_by_role("link", name="New data key").click()
    page.get_by_role("dialog").get_by_text("Only these:").click()
    assert faults_of(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name=full.server_owner.username).click()
    assert faults_of(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_role("option").first.wait_for()
    assert faults_of(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_table_of_a_base_with_everything_open(full: Cast, pages: Pages, width: int) -> None:
    base = StoredBase(full, "guests")
    base.put({"key": "!a", "age": 1, "home": {}}, {"key": "!b", "age": 2}, {"key": "!c", "age": 3})
    view = open_base(pages, base, width=width, bypass_csp=True)
    page = view.page
    view.edit("!a", "age", "78")
    view.add_row()
    view.press("Enter", "Escape")
    view.cell("!b", "key").click()
    view.press("Shift+ ", "Delete")
    view.select("!c")
    page.locator("#show-staged").click()
    assert faults_of(page) == [], "staged"
    page.get_by_role("button", name="Close the list").click()
    view.open_item("!a")
    view.editor.locator("summary").click()
    assert faults_of(page) == [], "item as a form"
    view.editor.get_by_role("tab", name="JSON").click()
    assert view.json()
    assert faults_of(page) == [], "item as JSON"
    view.editor.get_by_role("button", name="Close without").click()
    view.delete_button.click()
    assert faults_of(page) == [], "question"
    view.press("Enter")
    for name in ("More", "Columns", "How to query"):
        page.get_by_role("button", name=name, exact=True).click()
        if name == "How to query":
            page.locator("#operators").wait_for()
        assert faults_of(page) == [], name
        view.press("Escape")
    base.put({"key": "!a", "age": 5})
    view.press("Control+s")
    page.get_by_role("dialog", name="Somebody else changed this item").wait_for()
    assert faults_of(page) == [], "clash"
    page.get_by_role("button", name="Later").click()
    view.bar.fill("{'age?gtt': 5}")
    page.get_by_text("Did you mean").wait_for()
    # Rows from before are dimmed on purpose while the text is wrong; what is wrong is said beside them.
    page.locator("#base-frame").evaluate("frame => frame.classList.remove('is-outdated')")
    assert faults_of(page) == [], "fault"


def test_widest_window_keeps_lines_readable(full: Cast, pages: Pages) -> None:
    page = pages(full.server_owner, "/", width=2560)
    assert box_of(page.locator("#content"))["width"] < 1400
    assert Collection.objects.filter(id=full.collection.id).exists()
