"""New Micros: the form, its suggestion of an address, and what begins with a starter."""

from typing import Any

import pytest

from console.micros.starters import STARTERS
from storage.micros import bundles, micros
from storage.models import Deployment, Micro
from tests.console.conftest import Browser
from tests.console.micros.conftest import ShownHost
from tests.people import Cast

FETCH: dict[str, Any] = {"HTTP_X_REQUESTED_WITH": "fetch", "HTTP_ACCEPT": "application/json"}


@pytest.fixture
def new(people: Cast, host: ShownHost) -> str:
    return f"/collections/{people.collection.id}/micros/new/"


def test_page_says_what_people_decide(people: Cast, browser: Browser, new: str) -> None:
    for url in (new, f"{new}starters/flask/"):
        text = browser(people.member).get(url).content.decode()
        assert "enough for your own code and that of people you trust" in text
        assert "Who may deploy can read and change the Collection" in text


def test_script_gets_the_address_that_files_go_to(people: Cast, browser: Browser, new: str) -> None:
    answer = browser(people.member).post(new, {"name": "My fern"}, **FETCH).json()
    micro = Micro.objects.get(collection=people.collection)
    assert answer["bundle"] == f"/collections/{people.collection.id}/micros/{micro.id}/bundle/"
    assert (micro.name, micro.subdomain, micro.made_by) == ("My fern", "my-fern", people.member)


@pytest.mark.parametrize(
    "form, field, fault",
    [
        ({"name": ""}, "name", "This field is required."),
        ({"name": "taken"}, "name", "already"),
        ({"name": "x", "subdomain": "www"}, "subdomain", "A sub-domain has 4 to 32"),
        ({"name": "x", "subdomain": "console"}, "subdomain", "is reserved"),
        ({"name": "x", "subdomain": "taken-too"}, "subdomain", "is taken"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    form: dict[str, str], field: str, fault: str, people: Cast, browser: Browser, new: str
) -> None:
    micros.create_micro(collection_id=people.collection.id, name="taken", subdomain="taken-too")
    answer = browser(people.member).post(new, form)
    assert answer.status_code == 422
    assert fault in " ".join(answer.context["form"].errors[field])

    told = browser(people.member).post(new, form, **FETCH)
    assert told.status_code == 400
    assert any(field in text and fault in text for text in told.json()["errors"])


@pytest.mark.parametrize(
    "asked, said, is_suggestion",
    [
        ("name=My+fern", "http://my-fern.localhost", True),
        ("name=My+fern&subdomain=other-one", "http://other-one.localhost", False),
        ("name=x&subdomain=taken-too", "The sub-domain “taken-too” is taken.", False),
        ("name=x&subdomain=a", "A sub-domain has 4 to 32", False),
        ("name=", "Its address follows from its name.", False),
    ],
)
def test_address_is_checked_while_it_is_typed(
    asked: str, said: str, is_suggestion: bool, people: Cast, browser: Browser, new: str
) -> None:
    micros.create_micro(collection_id=people.collection.id, name="taken", subdomain="taken-too")
    text = browser(people.member).get(f"{new}address/?{asked}").content.decode()
    assert said in text
    assert ('name="suggested"' in text) is is_suggestion


@pytest.mark.parametrize(
    "suggested, suggested_for, becomes",
    [
        ("my-fern-abc123", "My fern", "my-fern-abc123"),
        ("my-fern-abc123", "Another name", "my-fern"),
        ("taken-too", "My fern", "my-fern"),
        ("www", "My fern", "my-fern"),
    ],
)
def test_suggestion_holds_for_the_name_that_it_was_made_for(
    suggested: str, suggested_for: str, becomes: str, people: Cast, browser: Browser, new: str
) -> None:
    micros.create_micro(collection_id=people.collection.id, name="taken", subdomain="taken-too")
    form = {"name": "My fern", "suggested": suggested, "suggested_for": suggested_for}
    browser(people.member).post(new, form)
    assert Micro.objects.get(collection=people.collection, name="My fern").subdomain == becomes


@pytest.mark.parametrize("starter", STARTERS)
def test_starter_is_shown_whole_and_made_as_shown(starter: str, people: Cast, browser: Browser, new: str) -> None:
    url = f"{new}starters/{starter}/"
    client = browser(people.member)
    shown = client.get(url)
    assert next(iter(shown.context["starter"].texts())) in ("main.py", "index.js")

    answer = client.post(url, {"name": "begun"})

    deployment = Deployment.objects.get(micro__name="begun", micro__collection=people.collection)
    assert answer["Location"].endswith(f"/deployments/{deployment.id}/")
    with bundles.bundle_of(STARTERS[starter].contents()) as bundle:
        assert (deployment.bundle_digest, deployment.files) == (bundle.digest, len(STARTERS[starter].contents()))


def test_unknown_starter_is_not_there(people: Cast, browser: Browser, new: str) -> None:
    assert browser(people.member).get(f"{new}starters/nothing/").status_code == 404
