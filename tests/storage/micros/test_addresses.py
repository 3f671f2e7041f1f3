"""Domains of somebody's own, and API keys."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from storage import limits
from storage.audit.log import Conditions, Verb, list_entries
from storage.errors import AlreadyTaken, InvalidInput, MicroKeyNotFound, MicroNotFound
from storage.micros import api_keys, domains, micros
from storage.models import Micro, MicroKey
from storage.postgres import clock
from tests.micros import make_micro

pytestmark = pytest.mark.usefixtures("host")


def where(micro: Micro) -> dict[str, Any]:
    return {"collection_id": micro.collection_id, "micro_id": micro.id}


def test_a_domain_is_served_however_it_was_written() -> None:
    micro = make_micro()
    for given, name in (
        (f"App.{micro.id}.Example.ORG.", f"app.{micro.id}.example.org"),
        (f"bücher.{micro.id}.example", f"xn--bcher-kva.{micro.id}.example"),
        (f" {micro.id}.example.com ", f"{micro.id}.example.com"),
    ):
        assert domains.add_domain(**where(micro), name=given) == name
        assert micros.find_micro_by_host(f"{name.upper()}:443") == micro
        assert domains.is_domain_known(name)
    assert domains.add_domain(**where(micro), name=f"{micro.id}.example.com") == f"{micro.id}.example.com"
    assert len(domains.list_domains(micro.id)) == 3
    domains.remove_domain(**where(micro), name=f"{micro.id}.Example.com")
    domains.remove_domain(**where(micro), name=f"{micro.id}.example.com")
    assert micros.find_micro_by_host(f"{micro.id}.example.com") is None
    assert not domains.is_domain_known(f"{micro.id}.example.com")
    verbs = [entry.verb for entry in list_entries(Conditions(micro.collection_id))]
    assert verbs[:4] == [Verb.MICRO_DOMAIN_REMOVED, *[Verb.MICRO_DOMAIN_ADDED] * 3]


NO_DOMAINS = [
    "localhost",
    "example",
    "a.localhost",
    "-a.example.org",
    "a_b.example.org",
    "a..example.org",
    "127.0.0.1",
    "1.2.3.4.",
    "[::1]",
    "::1",
    "https://a.example.org",
    "a.example.org/x",
    "a.example.org:80",
    "*.example.org",
    "console.test",
    "deep.console.test",
    "a.micros.test",
    "micros.test",
    "desk.example.net",
    "example.123",
    "xn--a.example.org",
]


@pytest.mark.parametrize(
    "name", ["", "a b.example.org", "a\x00.example.org", f"{'x' * 64}.example.org", "a." * 130 + "org", *NO_DOMAINS]
)
def test_what_is_no_domain_or_this_servers_own_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MICROS_DOMAIN", "micros.test")
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", [".console.test", "Desk.example.net", "*"])
    with pytest.raises(InvalidInput):
        domains.add_domain(**where(make_micro()), name=name)


def test_a_domain_is_one_micros_and_there_are_five(monkeypatch: pytest.MonkeyPatch) -> None:
    micro, other = make_micro(), make_micro()
    for number in range(limits.MICRO_DOMAINS_MAX):
        domains.add_domain(**where(micro), name=f"{number}.{micro.id}.example")
    with pytest.raises(InvalidInput, match="at most 5"):
        domains.add_domain(**where(micro), name=f"x.{micro.id}.example")
    with pytest.raises(AlreadyTaken):
        domains.add_domain(**where(other), name=f"0.{micro.id}.example")
    with pytest.raises(MicroNotFound):
        domains.add_domain(collection_id=other.collection_id, micro_id=micro.id, name=f"x.{micro.id}.example")


def test_an_api_key_is_shown_once_and_lets_into_its_own_micro() -> None:
    micro, other = make_micro(), make_micro()
    key, text = api_keys.create_key(**where(micro), name=" ci ", description="builds")
    assert (key.name, key.description, text[:8]) == ("ci", "builds", key.prefix)
    assert bytes(key.digest) == hashlib.sha256(text.encode()).digest()
    assert api_keys.check_key(text, micro_id=micro.id)
    assert not api_keys.check_key(text, micro_id=other.id)
    for wrong in (
        "",
        "x",
        text[:-1],
        text + "x",
        text.swapcase(),
        f"{text}, {text}",
        "\x00" * len(text),
        "ä" * len(text),
    ):
        assert not api_keys.check_key(wrong, micro_id=micro.id), wrong
    with pytest.raises(AlreadyTaken):
        api_keys.create_key(**where(micro), name="ci")
    api_keys.create_key(**where(other), name="ci")
    assert [each.name for each in api_keys.list_keys(micro.id)] == ["ci"]
    with pytest.raises(MicroKeyNotFound):
        api_keys.revoke_key(**where(micro), name="other\x00")
    api_keys.revoke_key(**where(micro), name="ci")
    assert not api_keys.check_key(text, micro_id=micro.id)
    with pytest.raises(MicroKeyNotFound):
        api_keys.revoke_key(**where(micro), name="ci")
    entries = list_entries(Conditions(micro.collection_id))[:2]
    assert [entry.verb for entry in entries] == [Verb.MICRO_KEY_REVOKED, Verb.MICRO_KEY_CREATED]
    assert text[9:] not in entries[1].details_json


def test_the_use_of_an_api_key_is_noted_once_a_minute() -> None:
    micro = make_micro()
    key, text = api_keys.create_key(**where(micro), name="ci")
    assert key.last_used_at is None
    assert api_keys.check_key(text, micro_id=micro.id)
    first = MicroKey.objects.get(id=key.id).last_used_at
    assert first is not None
    assert api_keys.check_key(text, micro_id=micro.id)
    assert MicroKey.objects.get(id=key.id).last_used_at == first
    MicroKey.objects.filter(id=key.id).update(last_used_at=clock.now() - timedelta(seconds=61))
    assert api_keys.check_key(text, micro_id=micro.id)
    again = MicroKey.objects.get(id=key.id).last_used_at
    assert again is not None
    assert again > first


@pytest.mark.parametrize("name", ["", " ", "x" * 129, "a\nb", "a\x00"])
def test_what_is_no_name_for_a_key_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    micro = make_micro()
    with pytest.raises(InvalidInput):
        api_keys.create_key(**where(micro), name=name)
    with pytest.raises(InvalidInput):
        api_keys.create_key(**where(micro), name="good", description=f"{name}\n" + "x" * 501)
    monkeypatch.setattr(limits, "MICRO_KEYS_MAX", 0)
    with pytest.raises(InvalidInput, match="at most"):
        api_keys.create_key(**where(micro), name="good")
