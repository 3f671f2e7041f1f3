"""The page that a README's button leads to: a link changes nothing, a member has a repository fetched, and it becomes a Micro."""

from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from storage.collections import collections
from storage.micros import micros, variables
from storage.micros.manifests.manifest import Manifest, Variable
from storage.models import Deployment, GitFetch, Membership, Micro, Role
from tests.console.conftest import Browser
from tests.console.micros.conftest import ShownHost, make_deployment
from tests.people import Cast

REPO = "https://git.example.org/you/app"
DECLARED = Manifest(
    "deta.json",
    name="Guest book",
    description="Keeps <b>what</b> people write",
    runtime="python3.9",
    variables=(Variable("A", "What for", is_required=True), Variable("B", value="theirs"), Variable("C")),
)


def make_fetch(people: Cast, *, manifest: Manifest = DECLARED, **more: object) -> GitFetch:
    given = {"state": "done", "finished_at": timezone.now(), "entries": {"python": "main.py"}, "commit": "abc" * 10}
    return GitFetch.objects.create(
        collection=people.collection, address=REPO, manifest=msgspec.to_builtins(manifest), **given | more
    )


def page_of(fetch: GitFetch) -> str:
    return f"/collections/{fetch.collection_id}/micros/from-git/{fetch.id}/"


def test_who_is_not_signed_in_is_led_to_sign_in_and_back(browser: Browser) -> None:
    answer = browser(None).get("/deploy", {"repo": f"{REPO}#a&b"})
    assert answer.status_code == 302
    assert (
        answer["Location"]
        == "/sign-in/?next=/deploy%3Frepo%3Dhttps%253A%252F%252Fgit.example.org%252Fyou%252Fapp%2523a%2526b"
    )


def test_a_link_changes_nothing(people: Cast, browser: Browser, host: ShownHost) -> None:
    answer = browser(people.member).get("/deploy", {"repo": REPO, "collection": people.collection.id})
    form = answer.context["form"]
    assert (form["repo"].value(), form["collection"].value()) == (REPO, people.collection.id)
    assert not GitFetch.objects.filter(collection=people.collection).exists()


def test_only_where_one_may_write_is_offered_and_taken(people: Cast, browser: Browser, host: ShownHost) -> None:
    other = collections.create_collection("Somebody else's")
    seen = collections.create_collection("Only to read")
    Membership.objects.create(collection=seen, person=people.member, role=Role.READER)
    client = browser(people.member)
    offered = client.get("/deploy").context["form"].fields["collection"].choices
    assert people.collection.id in dict(offered)
    assert not {other.id, seen.id} & dict(offered).keys()
    for collection_id in (other.id, seen.id, "x", ""):
        answer = client.post("/deploy", {"repo": REPO, "collection": collection_id})
        assert answer.status_code == 422
    assert not GitFetch.objects.filter(collection__in=[other, seen]).exists()
    assert "No collection to deploy to" in browser(people.outsider).get("/deploy").content.decode()


def test_a_page_of_another_site_can_have_nothing_fetched(people: Cast, host: ShownHost) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Host": "localhost"})
    client.force_login(people.member)
    assert client.post("/deploy", {"repo": REPO, "collection": people.collection.id}).status_code == 403
    assert not GitFetch.objects.filter(collection=people.collection).exists()


def test_a_member_has_it_fetched_in_the_background(people: Cast, browser: Browser, host: ShownHost) -> None:
    client = browser(people.member)
    answer = client.post("/deploy", {"repo": f"{REPO}#main:sub", "collection": people.collection.id, "part": "back"})
    fetch = GitFetch.objects.get(collection=people.collection)
    assert (fetch.address, fetch.branch, fetch.folder, fetch.part) == (REPO, "main", "sub", "back")
    assert (fetch.state, fetch.asked_by) == ("queued", people.member)
    assert urlsplit(answer["Location"]).path == page_of(fetch)
    page = client.get(page_of(fetch)).content.decode()
    assert "Waiting to be fetched" in page
    assert f"{REPO}#main:sub" in page
    part: dict[str, Any] = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "fetch"}
    assert client.get(page_of(fetch), {"seen": "queued"}, **part).status_code == 204
    assert client.get(page_of(fetch), {"seen": "other"}, **part).status_code == 200


@pytest.mark.parametrize("repo", ["git@github.com:you/app", "javascript:alert(1)", "//evil", "https://a:b@c/d"])
def test_what_is_no_address_is_told_of(people: Cast, browser: Browser, host: ShownHost, repo: str) -> None:
    client = browser(people.member)
    assert client.get("/deploy", {"repo": repo}).context["fault"]
    answer = client.post("/deploy", {"repo": repo, "collection": people.collection.id})
    assert answer.status_code == 422
    assert "repo" in answer.context["form"].errors


def test_what_failed_says_why_and_offers_to_try_again(people: Cast, browser: Browser, host: ShownHost) -> None:
    fetch = make_fetch(people, state="failed", reason="deta.json: `runtime`: “ruby” is no runtime\nAnd <this>")
    page = browser(people.member).get(page_of(fetch)).content.decode()
    assert "“ruby” is no runtime" in page
    assert "And &lt;this&gt;" in page
    assert f'value="{REPO}"' in page


def test_what_is_declared_is_shown_and_asked_for(people: Cast, browser: Browser, host: ShownHost) -> None:
    fetch = make_fetch(people)
    answer = browser(people.member).get(page_of(fetch))
    page, form = answer.content.decode(), answer.context["form"]
    assert "Keeps &lt;b&gt;what&lt;/b&gt; people write" in page
    assert "Python 3.9" in page
    assert form["name"].value() == "Guest book"
    assert [field.label for field in form.variables] == ["A", "B", "C"]
    assert 'type="password"' in str(form["variable-A"])
    assert 'value="theirs"' in str(form["variable-B"])


def test_it_becomes_a_micro_with_its_variables(people: Cast, browser: Browser, host: ShownHost) -> None:
    fetch = make_fetch(people)
    said = {"name": "mine", "variable-A": "secret", "variable-B": "", "variable-C": ""}
    answer = browser(people.member).post(page_of(fetch), said)
    made = Deployment.objects.get(id=fetch.id)
    assert answer["Location"] == f"/collections/{people.collection.id}/micros/{made.micro_id}/deployments/{made.id}/"
    micro = micros.find_micro(collection_id=people.collection.id, micro_id=made.micro_id)
    assert (micro.name, made.runtime, made.source) == ("mine", "python3.9", f"{REPO} at abcabcabcabc")
    # What the person emptied is empty, and not the author's value again.
    assert variables.read_variables(micro) == {"A": "secret", "B": ""}
    assert browser(people.member).get(page_of(fetch)).status_code == 404


def test_a_micro_that_was_made_of_it_is_offered_to_be_updated(
    people: Cast, browser: Browser, host: ShownHost, micro: Micro
) -> None:
    client, pages = browser(people.member), f"/collections/{people.collection.id}/micros/{micro.id}/deployments/"
    make_deployment(micro, serves=True)
    assert "Update from the repository" not in client.get(pages).content.decode()
    make_deployment(micro, source=f"{REPO} at abcabcabcabc", bundle_digest="")
    shown = client.get(pages).content.decode()
    assert "Update from the repository" in shown
    assert f'name="repo" value="{REPO}"' in shown
    assert "Update from the repository" not in browser(people.reader).get(pages).content.decode()

    fetch = make_fetch(people, bundle_digest="new", manifest=Manifest("deta.json"))
    page = client.get(page_of(fetch))
    assert [each.id for each in page.context["made_from_it"]] == [micro.id]
    assert f"Deploy to “{micro.name}”" in page.content.decode()
    answer = client.post(f"{page_of(fetch)}update/{micro.id}/")
    assert answer["Location"] == f"{pages}{fetch.id}/"
    assert Deployment.objects.get(id=fetch.id).number == 3

    needing = make_fetch(people, bundle_digest="newer")
    refused = client.post(f"{page_of(needing)}update/{micro.id}/", follow=True).content.decode()
    assert "deta.json says that the app needs A, and nobody has given it a value. Set what is missing" in refused
    assert client.post(f"{page_of(needing)}update/nothing/").status_code == 404


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": "mine"}, "variable-A"),
        ({"name": "", "variable-A": "a"}, "name"),
        ({"name": "taken", "variable-A": "a"}, "name"),
        ({"name": "mine", "variable-A": "a", "subdomain": "www"}, "subdomain"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(
    people: Cast, browser: Browser, host: ShownHost, said: dict[str, str], field: str
) -> None:
    micros.create_micro(collection_id=people.collection.id, name="taken")
    fetch = make_fetch(people)
    answer = browser(people.member).post(page_of(fetch), said)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert [each.name for each in micros.list_micros(people.collection.id)] == ["taken"]


def test_where_no_micro_runs_the_pages_say_so(people: Cast, browser: Browser, host: ShownHost) -> None:
    host.off = "Micros are switched off on this server."
    for page in ("/deploy", page_of(make_fetch(people))):
        assert host.off in browser(people.member).get(page).content.decode()


def test_the_button_is_there_for_every_page_of_the_world(browser: Browser) -> None:
    answer = browser(None).get("/deploy/button.svg")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert answer["Cache-Control"] == "public, max-age=86400"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in answer
    assert b"<script" not in answer.content
