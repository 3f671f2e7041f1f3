"""The domains and the API keys of a Micro."""

import pytest

from storage import limits
from storage.micros import api_keys, domains
from storage.models import Micro, MicroKey
from tests.console.conftest import Browser
from tests.matching import search
from tests.micros import make_micro
from tests.people import Cast


def test_domain_is_added_and_removed(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    client = browser(people.member)
    text = client.post(f"{url}domains/", {"domain": "App.Example.org"}, follow=True).content.decode()
    assert domains.list_domains(micro.id) == ["app.example.org"]
    assert "app.example.org added." in text

    assert "CNAME" in browser(people.reader).get(f"{url}domains/").content.decode()
    assert browser(people.reader).post(f"{url}domains/", {"domain": "b.example.org"}).status_code == 403

    client.post(f"{url}domains/app.example.org/remove/")
    assert domains.list_domains(micro.id) == []
    assert client.get(f"{url}domains/app.example.org/remove/").status_code == 404


@pytest.mark.parametrize(
    "domain", ["", "https://x.example.org/", "no name", "127.0.0.1", "hello.localhost", "taken.example.org"]
)
def test_domain_that_can_not_be_is_refused_at_its_field(
    domain: str, people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    other = make_micro("other")
    domains.add_domain(collection_id=other.collection_id, micro_id=other.id, name="taken.example.org")
    answer = browser(people.member).post(f"{url}domains/", {"domain": domain})
    assert answer.status_code == 422
    assert answer.context["form"].errors["domain"]


def test_no_field_for_more_domains_than_there_may_be(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    for number in range(limits.MICRO_DOMAINS_MAX):
        name = f"a{number}.example.org"
        domains.add_domain(collection_id=micro.collection_id, micro_id=micro.id, name=name)
    assert 'name="domain"' not in browser(people.member).get(f"{url}domains/").content.decode()


def test_key_is_shown_once_and_revoked(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    client = browser(people.member)
    text = client.post(f"{url}keys/new/", {"name": "robot", "description": "calls at night"}).content.decode()
    secret = search(r'<code id="new-api-key">([^<]+)</code>', text)[1]
    assert api_keys.check_key(secret, micro_id=micro.id)

    listed = client.get(f"{url}keys/").content.decode()
    assert secret not in listed
    assert "calls at night" in listed
    assert f"{secret[:8]}…" in listed

    key = MicroKey.objects.get(micro=micro)
    said = client.post(f"{url}keys/{key.pk}/revoke/", follow=True).content.decode()
    assert "“robot” revoked." in said
    assert not api_keys.check_key(secret, micro_id=micro.id)


def test_key_of_another_micro_is_not_there(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    other = make_micro("other", collection_id=micro.collection_id)
    key = api_keys.create_key(collection_id=other.collection_id, micro_id=other.id, name="robot").key
    assert browser(people.owner).post(f"{url}keys/{key.pk}/revoke/").status_code == 404
    assert MicroKey.objects.filter(pk=key.pk).exists()


def test_key_without_or_with_a_taken_name_is_refused(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    api_keys.create_key(collection_id=micro.collection_id, micro_id=micro.id, name="robot")
    for name in ("", "robot"):
        answer = browser(people.member).post(f"{url}keys/new/", {"name": name})
        assert answer.status_code == 422
        assert answer.context["form"].errors["name"]
