"""What each kind of person can learn, from any answer of any route: not only which pages open, but what stands in them.

Things that not everybody may know have names that stand nowhere else. Who may know what is the table in docs/console.md.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone

from storage.base import bases, items
from storage.collections import collections as storage_collections
from storage.collections import invitations, keys
from storage.drive import drives
from storage.events import queries as event_queries
from storage.micros import api_keys, micros, variables
from storage.models import (
    Collection,
    DataKeyUse,
    Deployment,
    Export,
    Import,
    Membership,
    Micro,
    MicroLine,
    MicroRun,
    Role,
)
from storage.postgres.caller import Access
from tests.console.conftest import Browser
from tests.console.test_routes import (
    LEAST_ROLE,
    PEOPLE,
    RANK,
    ROUTES,
    SOMEBODY_ELSES,
    SignedIn,
    make_share_link,
    method_of,
    signed_in,  # noqa: F401 (a fixture)
    undone_line,
    url_of,
)
from tests.people import Cast, make_person
from tests.visor import make_event

MEMBERS = {"member", "owner", "server_owner"}
OWNERS = {"owner", "server_owner"}
READERS = MEMBERS | {"reader"}
# Who may know it. Everybody else, and who is not signed in, must not find it in any answer.
WHO_MAY_KNOW: dict[str, set[str]] = {
    "the collection's name": READERS,
    "a Base's name": READERS,
    "who changed an item": READERS,
    "a key's name": MEMBERS,
    "a key's first characters": MEMBERS,
    "who made a key": MEMBERS,
    "a revoked key's name": MEMBERS,
    "an import's file": MEMBERS,
    "a share link's first characters": MEMBERS,
    "why an export failed": MEMBERS,
    "a Micro's name": READERS,
    "what a Micro printed": READERS,
    "why a deployment failed": READERS,
    "why a run failed": READERS,
    "what a run answered": READERS,
    "a variable's name": MEMBERS,
    "a variable's value": set(),
    "an API key's name": MEMBERS,
    "an API key's first characters": MEMBERS,
    "an invitation's note": OWNERS,
    "a member who did nothing": OWNERS,
    "an owner invitation's note": {"server_owner"},
    "an account in no collection": {"server_owner"},
    "the folder of the data": {"server_owner"},
    "another collection's name": {"server_owner"},
    "another collection's Base": {"server_owner"},
    "another collection's key": {"server_owner"},
    "another collection's Micro": {"server_owner"},
    "an e-mail address": set(),
    "a password's hash": set(),
}
# A part of a page is asked for by the name of what it goes into, which its view looks at.
_TARGET = re.compile(r'htmx\.target == "([a-z-]+)"')
# Beside the bare address: what makes a page say more.
MORE = {
    "jump": ["?q=canary", "?q=keys"],
    "collections": ["?q=canary", "?page=2"],
    "visor": ["?key={key_id}", "?text=canary", "?path=canary", "?pinned=1", "?origin=app", "?seen=x"],
    "visor-event": ["?tab=request", "?tab=response", "?tab=log", "?tab=code", "?tab=difference"],
    "visor-har": ["?text=canary", "?pinned=1"],
    "visor-client": ["?from={event_id}", "?sent={event_id}&tab=request"],
    "base-item": ["?key=changed-by-key", "?key=changed-by-person", "?key=nothing"],
    "item-history": ["?of=changed-by-key", "?of=changed-by-person", "?of=nothing"],
    "base-history": ["?key=changed-by-key", "?by=k{key_id}", "?event={event_id}", "?kind=c"],
    "undo-writer": ["?by=k{key_id}&since=2001-01-01"],
    "base": ["?q=canary", "?q=[1"],
    "base-rows": ["?q=canary"],
    "base-live-rows": ["?keys=changed-by-key&keys=changed-by-person&q=canary"],
    "micros": ["?seen=x"],
    "micro-logs": ["?q=canary", "?live=0", "?before=999999999", "?from=errors", "?deployment=1"],
    "check-micro-schedule": ["?expression=5+minutes", "?expression=canary"],
    "check-micro-address": ["?name=Canary-micro", "?subdomain=canary-micro"],
    "connect": ["?client=python", "?client=go", "?client=curl"],
    "base-types": ["?as=pydantic", "?as=json-schema"],
}


_RUN = UUID(int=7)


@pytest.fixture
def canaries(people: Cast) -> dict[str, str]:
    """Each thing that not everybody may know, by what it is: made, and named as nothing else is."""
    collection = people.collection
    Collection.objects.filter(id=collection.id).update(name="Canary-collection")
    bases.ensure_base(collection_id=collection.id, name="canary-base")
    changer, maker, idle = make_person("canary-changer"), make_person("canary-maker"), make_person("canary-idle")
    for person in (changer, maker, idle):
        Membership.objects.create(collection=collection, person=person, role=Role.MEMBER)
        person.email = "canary@example.com"
        person.save()
    nobody = make_person("canary-nobody")
    key = keys.create_key(collection_id=collection.id, name="canary-key", made_by=maker)
    revoked = keys.create_key(collection_id=collection.id, name="canary-revoked").data_key
    keys.revoke_key(collection_id=collection.id, key_id=revoked.pk)
    now = timezone.now()
    DataKeyUse.objects.create(data_key=key.data_key, first_used_at=now, last_used_at=now, client="x")
    event = make_event(
        collection.id, key_id=key.data_key.pk, request_headers=(("X-API-Key", "[redacted]"), ("Accept", "*/*"))
    )
    event_queries.keep_event(event)
    for name in ("things", "canary-base"):
        bases.ensure_base(collection_id=collection.id, name=name)
        by_key, by_person = keys.read_key(key.text), Access(collection.id, person_id=changer.pk)
        for access, item in ((by_key, "changed-by-key"), (by_person, "changed-by-person")):
            items.put_items(access=access, base=name, items=[{"key": item}])
    invite = invitations.invite_person
    invite(collection_id=collection.id, role=Role.READER, note="canary-invited", invited_by=people.owner)
    invite(collection_id=None, role=Role.OWNER, note="canary-owner-invited", invited_by=people.server_owner)
    Import.objects.create(collection=collection, state="failed", size_expected=1, file_name="canary-file.zip")
    Export.objects.create(collection=collection, state="failed", reason="canary-reason", finished_at=now)
    other = storage_collections.create_collection("Canary-other-collection")
    bases.ensure_base(collection_id=other.id, name="canary-other-base")
    drives.ensure_drive(collection_id=other.id, name="canary-other-drive")
    keys.create_key(collection_id=other.id, name="canary-other-key")
    micro_key, failed = _make_micros(collection.id, other.id)
    return {
        "the collection's name": "Canary-collection",
        "a Base's name": "canary-base",
        "who changed an item": changer.username,
        "a key's name": "canary-key",
        "a key's first characters": f"{key.data_key.secret_start}…",
        "who made a key": maker.username,
        "a revoked key's name": "canary-revoked",
        "an import's file": "canary-file.zip",
        "a share link's first characters": f"{make_share_link(people, 'Kanari-of-a-link').prefix}…",
        "why an export failed": "canary-reason",
        "an invitation's note": "canary-invited",
        "a member who did nothing": idle.username,
        "an owner invitation's note": "canary-owner-invited",
        "an account in no collection": nobody.username,
        "the folder of the data": str(settings.DATA),
        "another collection's name": "Canary-other-collection",
        "another collection's Base": "canary-other-base",
        "another collection's key": "canary-other-key",
        "a Micro's name": "Canary-app",
        "what a Micro printed": "canary-printed",
        "why a deployment failed": "canary-traceback",
        "why a run failed": "canary-of-a-run",
        "what a run answered": "canary-answer",
        "a variable's name": "CANARY_VARIABLE",
        "a variable's value": "canary-value",
        "an API key's name": "canary-api-key",
        "an API key's first characters": f"{micro_key}…",
        "another collection's Micro": "Canary-other-app",
        "an e-mail address": "canary@example.com",
        "a password's hash": str(maker.password),
        # What the table has no line for: to fill in addresses with.
        "key_id": str(key.data_key.pk),
        "event_id": event.line.id,
        "other_id": other.id,
        "micro_id": failed.micro_id,
        "deployment_id": str(failed.pk),
    }


def _make_micros(collection_id: str, other_id: str) -> tuple[str, Deployment]:
    """A Micro with all that one has, and another collection's; the first characters of the API key, and a failed deployment."""
    micro = micros.create_micro(collection_id=collection_id, name="Canary-app", subdomain="hidden-canary")
    micros.create_micro(collection_id=other_id, name="Canary-other-app", subdomain="hidden-canary-2")
    at: dict[str, Any] = {"collection_id": collection_id, "micro_id": micro.id}
    variables.set_variables(**at, values={"CANARY_VARIABLE": "canary-value"})
    deployment = Deployment.objects.create(
        micro=micro, number=1, runtime="python", state="failed", reason="canary-traceback"
    )
    MicroRun.objects.create(
        micro=micro, kind="run", state="failed", reason="canary-of-a-run", answer='"canary-answer"', id=_RUN
    )
    line = {"at": timezone.now(), "text": "canary-printed", "deployment_id": deployment.pk}
    for source in MicroLine.Source:
        MicroLine.objects.create(micro_id=micro.id, source=source, **line)
    return api_keys.create_key(**at, name="canary-api-key").key.prefix, deployment


def answers_of(client: Client, name: str, url: str, made: dict[str, str]) -> Iterator[Any]:
    """Every way to ask a route: as a page, as each part of one, and with what makes it say more."""
    ask = method_of(client, name)
    more = [text.format_map(made) for text in MORE.get(name, [])]
    for address in [url, *(url.partition("?")[0] + text for text in more)]:
        yield ask(address)
        if answers_scripts(url):
            yield ask(address, HTTP_ACCEPT="application/json", HTTP_X_REQUESTED_WITH="fetch")
        for target in targets_of(url):
            yield ask(address, HTTP_HX_REQUEST="true", HTTP_HX_TARGET=target)


def targets_of(url: str) -> list[str]:
    """What the view of an address may be asked for by htmx: any page to be a dialog (`console/page.py`), and its own parts."""
    view = inspect.unwrap(resolve(url.partition("?")[0]).func)
    return ["dialog", *_targets_in(view.__module__)]


def answers_scripts(url: str) -> bool:
    """Whether the view of an address tells a script's request from a browser's; to all others it is the same request again."""
    view = inspect.unwrap(resolve(url.partition("?")[0]).func)
    return any(word in inspect.getsource(sys.modules[view.__module__]) for word in ("X-Requested-With", "Accept"))


@lru_cache
def _targets_in(module: str) -> list[str]:
    return sorted(set(_TARGET.findall(inspect.getsource(sys.modules[module]))) - {"dialog"})


def told_by(answer: Any) -> str:
    """All that an answer says: its body, and its headers. The address that was asked for is what the asker knows already."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = "\n".join([body.decode(errors="replace"), *map(": ".join, answer.items())])
    path = answer.wsgi_request.path
    return text.replace(path, "").replace(quote(path, safe=""), "").replace(quote(path), "")


def addresses(name: str, people: Cast, made: dict[str, str]) -> Iterator[str]:
    """Of things of this collection, and of the other one by the ids of this one's."""
    yield url_of(name, people)
    if name == "visor-event":
        yield reverse(name, args=[people.collection.id, made["event_id"]])
    if name == "micro-deployment":
        yield reverse(name, args=[people.collection.id, made["micro_id"], made["deployment_id"]])
    if name == "micro-run-shown":
        yield reverse(name, args=[people.collection.id, made["micro_id"], _RUN])
    if name in LEAST_ROLE:
        yield url_of(name, people, made["other_id"])
    if name in ("base-item", "base-history", "item-history", "undo-writer"):
        yield reverse(name, args=[people.collection.id, "canary-base"])


# Each of them opens every page. Strangers are tried each time; what is behind a closed door is, for all, by the test below.
_OFTEN = (None,)


@pytest.mark.parametrize(
    "person",
    [each if each in _OFTEN else pytest.param(each, marks=pytest.mark.slow) for each in [*PEOPLE, None]],
)
def test_nobody_learns_what_their_role_may_not_know(
    person: str | None,
    people: Cast,
    canaries: dict[str, str],
    signed_in: SignedIn,  # noqa: F811
) -> None:
    learned: dict[str, set[str]] = {}
    for name in sorted(set(ROUTES) - (SOMEBODY_ELSES | {"client-wheel"})):
        with undone_line():
            client = signed_in(person)
            for answer in chain.from_iterable(
                answers_of(client, name, url, canaries) for url in addresses(name, people, canaries)
            ):
                text = told_by(answer)
                for what in WHO_MAY_KNOW:
                    if canaries[what] in text:
                        learned.setdefault(what, set()).add(name)
    too_much = {what: names for what, names in learned.items() if person not in WHO_MAY_KNOW[what]}
    assert too_much == {}
    # What nobody can see would prove nothing.
    assert {what for what, who in WHO_MAY_KNOW.items() if person in who} - learned.keys() == set()


_CHOICES = re.compile(r"<option.*?</option>", re.DOTALL)


def test_readers_learn_nothing_of_keys_where_members_do(
    people: Cast,
    canaries: dict[str, str],
    signed_in: SignedIn,  # noqa: F811
) -> None:
    """The core of the walk above: pages for both that tell members whose key it was, each of them in more than its filter."""
    telling = ["base-item", "base-history", "item-history", "visor", "visor-event", "visor-har"]
    learned: dict[str, set[tuple[str, int]]] = {"reader": set(), "member": set()}
    for person, found in learned.items():
        client = signed_in(person)
        for name in telling:
            for url in addresses(name, people, canaries):
                for text in map(told_by, answers_of(client, name, url, canaries)):
                    outside = _CHOICES.sub("", text) if person == "member" else text
                    found.add((name, outside.count(canaries["a key's name"])))
    assert {each for each in learned["reader"] if each[1]} == set()
    # The page of an event tells it in the list, beside the event's address, and where the request's headers are.
    assert learned["member"] >= {("base-item", 1), ("visor", 1), ("visor-event", 3)}
    assert {name for name, count in learned["member"] if count} >= {"base-history", "item-history"}


# What is new in every answer: the tokens of forms, and the policy's nonce.
_NEW = re.compile(r"""(nonce[-=]"?)[\w+/=-]+|(X-CSRFToken[":\s&quot;]+|csrfmiddlewaretoken" value=")\w+""")


def plain(answer: Any) -> tuple[int, str]:
    """Status and text without what is new in every answer."""
    return answer.status_code, _NEW.sub("", told_by(answer))


def with_ids(route: str, collection_id: str, ids: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The route's address with these ids, and for all others ids of nothing."""
    nothing: dict[str, Any] = {
        "key_id": 2**31,
        "person_id": 2**31 - 1,
        "invitation_id": 2**31,
        "number": 1,
        "deletion_id": 2**31,
        "kind": "base",
        "change_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        "duplication_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        "view_id": 2**31,
        "index_id": 2**31 - 1,
        "store_deletion_id": 2**31,
        "link_id": 2**31,
        "version": "0.0",
    }
    nothing |= {
        "export_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        "import_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
    }
    nothing |= {
        "micro_id": "0" * 12,
        "deployment_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        "run_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        "fetch_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        "starter": "nothing",
        "variable": "NOTHING",
        "domain": "nothing.example.org",
        "api_key_id": 2**31,
    }
    nothing |= {"upload_id": "0" * 32, "event_id": "0" * 32, "name": "nothing", "drive": "nothing"}
    values = {each: ids.get(each, nothing.get(each)) for each in ROUTES[route]}
    return reverse(route, kwargs=values | {"collection_id": collection_id})


@pytest.mark.parametrize(
    "person", ["outsider", *(pytest.param(each, marks=pytest.mark.slow) for each in ("reader", "member"))]
)
def test_nobody_learns_what_exists_behind_a_closed_door(
    person: str,
    people: Cast,
    canaries: dict[str, str],
    signed_in: SignedIn,  # noqa: F811
) -> None:
    """Something that is there is answered as something that is not, to who may not know of it."""
    wrong: dict[str, Any] = {}
    for name, at_least in sorted(LEAST_ROLE.items()):
        if person != "outsider" and RANK[Role(person)] >= RANK[at_least]:
            continue
        with undone_line():
            ask = method_of(signed_in(person), name)
            there = plain(ask(url_of(name, people)))
            not_there = plain(ask(with_ids(name, people.collection.id)))
            if there != not_there:
                wrong[name] = (there, not_there)
            if person == "outsider" and there != plain(ask(with_ids(name, "0000000000"))):
                wrong[f"{name} of no collection"] = there
    assert wrong == {}


def test_what_is_another_collections_is_answered_as_nothing(
    people: Cast,
    canaries: dict[str, str],
    browser: Browser,
) -> None:
    """By every kind of id, to an owner of a collection (promises: P8)."""
    other = Collection.objects.get(id=canaries["other_id"])
    foreign_event = make_event(other.id)
    event_queries.keep_event(foreign_event)
    stranger = make_person()
    Membership.objects.create(collection=other, person=stranger, role=Role.OWNER)
    ids: dict[str, Any] = {
        "key_id": keys.create_key(collection_id=other.id, name="x").data_key.pk,
        "person_id": stranger.pk,
        "invitation_id": invitations.invite_person(
            collection_id=other.id, role=Role.READER, note="", invited_by=stranger
        ).pk,
        "export_id": Export.objects.create(collection=other, state="done", finished_at=timezone.now()).pk,
        "import_id": Import.objects.create(collection=other, state="checked", size_expected=1).pk,
        "event_id": foreign_event.line.id,
        "name": "canary-other-base",
        "drive": "canary-other-drive",
        "micro_id": Micro.objects.get(collection=other).pk,
    }
    client = browser(people.owner)
    wrong = {}
    for name, parameters in sorted(ROUTES.items()):
        if name not in LEAST_ROLE or not parameters & ids.keys():
            continue
        with undone_line():
            ask = method_of(client, name)
            foreign = plain(ask(with_ids(name, people.collection.id, ids)))
            nothing = plain(ask(with_ids(name, people.collection.id)))
            # A redirect names the request that was asked for.
            foreign = (foreign[0], foreign[1].replace(str(ids["event_id"]), "0" * 32))
            if foreign != nothing:
                wrong[name] = (foreign, nothing)
    assert wrong == {}
    assert invitations.list_invitations(other.id)


@pytest.mark.parametrize(
    "name, part", [("micro-deployment", "deployment"), ("audit", "audit-list"), ("visor", "panel")]
)
def test_parts_of_pages_are_found(name: str, part: str, people: Cast) -> None:
    assert {"dialog", part} <= set(targets_of(url_of(name, people)))
