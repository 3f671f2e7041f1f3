"""The gate of what the `deta` command calls: every path, with every kind of token."""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from console.cli_api import collections
from storage.access_tokens import tokens
from storage.audit import log as audit
from storage.audit.log import Conditions, Verb
from storage.collections import roles, sign_in_rules
from storage.models import Collection, Role
from tests.console.cli_api.conftest import Terminal
from tests.console.conftest import Browser
from tests.people import Cast, make_person

METHODS = ("get", "post", "put", "patch", "delete")
NOTHING = {"uuid": str(UUID(int=1)), "int": "1"}


def paths(patterns: list[URLPattern | URLResolver] | None = None) -> Iterator[str]:
    """Every path below `/cli/`, with ids of nothing; the last line of the table, which answers 404, is none."""
    if patterns is None:
        everything = get_resolver().url_patterns
        below = next(each for each in everything if isinstance(each, URLResolver) and str(each.pattern) == "cli/")
        patterns = below.url_patterns
    for each in patterns:
        shown = re.sub(r"<(?:(\w+):)?\w+>", lambda found: NOTHING.get(found[1], "0000000000"), str(each.pattern))
        if isinstance(each, URLResolver):
            yield from (shown + rest for rest in paths(each.url_patterns))
        elif isinstance(each.pattern, RoutePattern) and shown:
            yield shown


CLOSED = [*(path for path in paths() if not path.startswith("sign-ins")), "v1/0000000000/things/items"]


def refusals(client: Client, path: str, methods: Sequence[str] = METHODS) -> list[Any]:
    answers = [getattr(client, method)(f"/cli/{path}") for method in methods]
    return [(answer.status_code, answer.get("WWW-Authenticate"), answer.json()["errors"][0]) for answer in answers]


@pytest.mark.parametrize("path", CLOSED)
def test_nobody_gets_in_without_a_good_token(path: str, people: Cast, terminal: Terminal) -> None:
    revoked = tokens.create_token(person=people.owner, name="revoked")
    tokens.revoke_token(person_id=people.owner.pk, token_id=revoked.token.pk)
    assert refusals(Client(), path) == [(401, "Bearer", "Unauthorized")] * len(METHODS)
    for text in ("Bearer", "Bearer x", f"Bearer {revoked.text}", f"Basic {revoked.text}", revoked.text):
        client = Client(headers={"Authorization": text})
        assert refusals(client, path, ("get",)) == [(401, "Bearer", "Unauthorized")]


@pytest.mark.parametrize("path", CLOSED)
def test_session_of_a_browser_is_worth_nothing(path: str, people: Cast, browser: Browser) -> None:
    assert refusals(browser(people.server_owner), path) == [(401, "Bearer", "Unauthorized")] * len(METHODS)


def test_token_opens_no_page_and_no_api(people: Cast, terminal: Terminal) -> None:
    client = terminal(people.server_owner)
    for path in ("/", "/account/", "/people/", f"/collections/{people.collection.id}/", "/tokens/1/revoke/"):
        assert client.get(path).headers["Location"].startswith("/sign-in/")


def test_about_says_what_answers_and_who_asks(people: Cast, terminal: Terminal) -> None:
    nobody = terminal(None).get("/cli/").json()
    assert nobody["server"] == "homeport"
    assert nobody.keys() == {"server", "version", "now"}
    owner = terminal(people.owner).get("/cli/").json()
    assert owner["person"] == people.owner.username
    assert owner["expires_at"] > owner["now"]
    assert Client(headers={"Authorization": "Bearer x"}).get("/cli/").status_code == 401


@pytest.mark.parametrize("method", METHODS)
def test_unknown_path_is_json(method: str, terminal: Terminal) -> None:
    answer = getattr(terminal(None), method)("/cli/nothing/")
    assert (answer.status_code, answer.json()) == (404, {"errors": ["Not found"]})


def test_wrong_method_is_refused(people: Cast, terminal: Terminal) -> None:
    answer = terminal(people.owner).delete("/cli/collections")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, POST, HEAD")


def test_token_has_its_persons_roles(people: Cast, terminal: Terminal) -> None:
    path = f"/cli/collections/{people.collection.id}/page"
    for person, status in (("owner", 200), ("reader", 200), ("server_owner", 200), ("outsider", 404)):
        assert terminal(people[person]).get(path).status_code == status
    client = terminal(people.reader)
    assert client.get(path).status_code == 200
    roles.remove_member(collection_id=people.collection.id, person_id=people.reader.pk)
    assert client.get(path).status_code == 404


def test_collections_are_those_that_one_may_see(people: Cast, terminal: Terminal) -> None:
    Collection.objects.create(name="Another's")
    listed = terminal(people.member).get("/cli/collections").json()["collections"]
    assert [(each["id"], each["name"], each["role"]) for each in listed] == [
        (people.collection.id, people.collection.name, Role.MEMBER)
    ]
    assert terminal(people.outsider).get("/cli/collections").json() == {"collections": []}


def test_who_owes_a_second_factor_is_told_so(people: Cast, terminal: Terminal) -> None:
    client = terminal(people.member)
    sign_in_rules.require_second_factor(is_required=True)
    answer = client.get("/cli/collections")
    assert answer.status_code == 403
    assert answer.json()["errors"] == ["Set up two-factor sign-in first: open the server in a browser"]


def test_defect_is_json_and_tells_nothing(people: Cast, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError("a secret of the server's")

    monkeypatch.setattr(collections.usage, "list_holdings", fail)
    answer = terminal(people.member).get("/cli/collections")
    assert answer.status_code == 500
    assert answer.json()["errors"][0] == "Internal server error"
    assert "secret" not in answer.content.decode()


def test_token_is_given_back(people: Cast, terminal: Terminal) -> None:
    client, other = terminal(people.member), terminal(people.member)
    assert client.delete("/cli/token").json() == {"revoked": "laptop"}
    answer = client.get("/cli/collections")
    assert (answer.status_code, answer.json()["errors"][1]) == (401, "The access token was revoked")
    assert other.get("/cli/collections").status_code == 200
    revoked = [
        entry
        for entry in audit.list_entries(Conditions(None, actor="person", name=people.member.username))
        if entry.verb == Verb.TOKEN_REVOKED
    ]
    assert [(entry.about, entry.details["by_token"], entry.address) for entry in revoked] == [
        ("laptop", "laptop", "127.0.0.1")
    ]


def test_page_of_what_is_there(people: Cast, terminal: Terminal) -> None:
    from storage.base import bases
    from storage.drive import drives
    from storage.micros import micros

    collection_id = people.collection.id
    bases.create_base(collection_id=collection_id, name="friends")
    drives.create_drive(collection_id=collection_id, name="photos")
    micro = micros.create_micro(collection_id=collection_id, name="api")
    client, at = terminal(people.reader), f"http://testserver/collections/{collection_id}/"

    def page(query: str) -> Any:
        return client.get(f"/cli/collections/{collection_id}/page{query}").json()

    assert page("") == {"page": at}
    assert page("?base=friends") == {"page": f"{at}base/friends/"}
    assert page("?drive=photos") == {"page": f"{at}drive/photos/"}
    assert page("?micro=api") == page(f"?micro={micro.id}") == {"page": f"{at}micros/{micro.id}/"}
    assert page("?visor=1") == {"page": f"{at}visor/"}
    assert page("?base=a&drive=b") == {"errors": ["One page at a time"]}
    for query in ("?base=nothing", "?drive=nothing", "?micro=nothing", "?base=%00"):
        answer = client.get(f"/cli/collections/{collection_id}/page{query}")
        assert answer.status_code in (400, 404), query
    assert make_person().pk
