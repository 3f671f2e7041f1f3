"""Micros are created, found, changed and deleted; their names and addresses are theirs alone."""

from typing import Any

import pytest
from django.conf import settings

from storage import limits, micro_addresses
from storage.audit.log import Conditions, Verb, list_entries
from storage.collections import collections, deletion, keys
from storage.errors import AlreadyTaken, CollectionNotFound, InvalidInput, MicroNotFound
from storage.micros import micros, subdomains
from storage.models import DataKey, Micro
from tests.micros import ToldHost, make_micro

pytestmark = pytest.mark.usefixtures("host")


def key_id_of(micro: Micro) -> int:
    assert micro.data_key_id is not None
    return micro.data_key_id


def test_a_new_micro_has_a_name_an_address_and_a_key_that_works() -> None:
    micro = make_micro("Guest book", runtime="Python3.9")
    assert (micro.name, micro.runtime, micro.version, micro.deployment) == ("Guest book", "python3.9", 1, None)
    assert micro.has_sign_in
    assert not micro.is_recorded
    assert micro.subdomain.startswith("guest-book")
    assert micros.find_micro_by_host(f"{micro.subdomain}.{settings.MICROS_DOMAIN}") == micro
    key = micro.data_key
    assert key is not None
    assert key.name == "Micro Guest book"
    text = micros.read_data_key(micro)
    assert keys.read_key(text).key_digest == bytes(key.digest)
    assert text.encode() not in bytes(micro.sealed_data_key)


def test_of_two_micros_of_one_name_the_second_gets_an_address_with_something_random() -> None:
    first, second = make_micro("twice over"), make_micro("twice over")
    assert first.subdomain != second.subdomain
    assert second.subdomain.startswith("twice-over-")


@pytest.mark.parametrize("name", ["", "  ", "x" * (limits.MICRO_NAME_MAX_CHARACTERS + 1), "a\nb", "a\u202eb", "a\x00"])
def test_a_name_that_cannot_be_seen_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        make_micro(name)


def test_a_name_is_its_collections_alone() -> None:
    micro = make_micro()
    with pytest.raises(AlreadyTaken):
        make_micro(collection_id=micro.collection_id)
    other = make_micro("other", collection_id=micro.collection_id)
    with pytest.raises(AlreadyTaken):
        micros.change_micro(collection_id=micro.collection_id, micro_id=other.id, name="hello")
    assert [each.name for each in micros.list_micros(micro.collection_id)] == ["hello", "other"]


def test_a_collection_has_so_many_micros_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MICROS_PER_COLLECTION", 1)
    micro = make_micro()
    with pytest.raises(InvalidInput, match="at most 1"):
        make_micro("other", collection_id=micro.collection_id)


@pytest.mark.parametrize("collection_id", ["zzzzzzzzzz", "", "a\x00"])
def test_a_micro_needs_its_collection(collection_id: str) -> None:
    with pytest.raises(CollectionNotFound):
        micros.create_micro(collection_id=collection_id, name="hello")


@pytest.mark.parametrize("runtime", ["ruby", "python 3.9; rm", "nodejs14.x.y", "pythön", "node" + "1" * 100])
def test_another_runtime_is_refused(runtime: str) -> None:
    with pytest.raises(InvalidInput):
        make_micro(runtime=runtime)


@pytest.mark.parametrize(
    ("chosen", "becomes"),
    [
        ("abcd", "abcd"),
        ("My_App", "my-app"),
        ("a--b", "a--b"),
        ("1234", "1234"),
        ("x" * 32, "x" * 32),
        (" abcd ", "abcd"),
    ],
)
def test_a_subdomain_is_written_as_a_host_header_takes_it(chosen: str, becomes: str) -> None:
    assert subdomains.check_subdomain(chosen) == becomes


@pytest.mark.parametrize(
    "chosen",
    [
        "abc",
        "x" * 33,
        "-abc",
        "abc-",
        "_abc",
        "a.bc",
        "ab cd",
        "äbcd",
        "xn--abcd",
        "ab\x00cd",
        "console",
        "Homeport",
        "www1"[:3],
        "a%bc",
    ],
)
def test_what_is_no_subdomain_is_refused(chosen: str) -> None:
    with pytest.raises(InvalidInput):
        subdomains.check_subdomain(chosen)


def test_a_name_of_the_consoles_is_no_subdomain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MICROS_DOMAIN", "example.org")
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["Desk.example.org", ".example.net", "*"])
    with pytest.raises(InvalidInput, match="reserved"):
        subdomains.check_subdomain("desk")
    assert subdomains.check_subdomain("else") == "else"


def test_a_subdomain_is_chosen_once_and_can_be_changed(host: ToldHost) -> None:
    micro, other = make_micro(), make_micro("other")
    changed = micros.change_micro(collection_id=micro.collection_id, micro_id=micro.id, subdomain=f"New_{micro.id}")
    assert changed.subdomain == f"new-{micro.id}"
    assert changed.version == micro.version + 1
    assert ("changed", micro.id) in host.told
    with pytest.raises(AlreadyTaken):
        micros.change_micro(collection_id=other.collection_id, micro_id=other.id, subdomain=changed.subdomain)
    with pytest.raises(AlreadyTaken):
        make_micro("third", subdomain=changed.subdomain)
    assert micros.find_micro_by_host(micro_addresses.hostname(micro.subdomain)) is None


def test_a_micro_is_found_by_whatever_a_host_header_makes_of_its_name() -> None:
    micro = make_micro()
    name = micro_addresses.hostname(micro.subdomain)
    for host in (name, name.upper(), f"{name}:8000", f"{name}.", f" {name} "):
        assert micros.find_micro_by_host(host) == micro, host
    for host in (
        "",
        "localhost",
        f"x.{name}",
        name + "x",
        "[::1]:8000",
        "127.0.0.1",
        "\x00",
        "ä.localhost",
        f"{micro.subdomain}.",
    ):
        assert micros.find_micro_by_host(host) is None, host


def test_settings_change_one_by_one_and_are_written_down(host: ToldHost) -> None:
    micro = make_micro()
    at: dict[str, Any] = {"collection_id": micro.collection_id, "micro_id": micro.id}
    changed = micros.change_micro(**at, has_sign_in=False, is_recorded=True, is_kept_warm=True, idle_minutes=60)
    assert (changed.has_sign_in, changed.is_recorded, changed.is_kept_warm, changed.idle_minutes) == (
        False,
        True,
        True,
        60,
    )
    assert (changed.name, changed.subdomain) == (micro.name, micro.subdomain)
    entry = list_entries(Conditions(micro.collection_id))[0]
    assert (entry.verb, entry.about) == (Verb.MICRO_CHANGED, "hello")
    assert entry.details["idle_minutes"] == 60
    assert entry.details["has_sign_in_before"] is True
    host.told.clear()
    assert micros.change_micro(**at, idle_minutes=60).version == changed.version
    assert host.told == []
    for minutes in (0, -1, limits.MICRO_IDLE_MINUTES_MAX + 1):
        with pytest.raises(InvalidInput):
            micros.change_micro(**at, idle_minutes=minutes)


def test_a_rename_keeps_the_key_and_renames_it() -> None:
    micro = make_micro()
    text = micros.read_data_key(micro)
    renamed = micros.change_micro(collection_id=micro.collection_id, micro_id=micro.id, name="x" * 128)
    assert micros.read_data_key(renamed) == text
    assert renamed.data_key is not None
    assert renamed.data_key.name == "Micro " + "x" * 122


def test_a_renewed_key_is_another_and_the_old_one_ends() -> None:
    micro = make_micro()
    renewed = micros.renew_data_key(collection_id=micro.collection_id, micro_id=micro.id)
    assert micros.read_data_key(renewed) != micros.read_data_key(micro)
    assert DataKey.objects.get(id=key_id_of(micro)).revoked_at is not None
    assert renewed.data_key is not None
    assert renewed.data_key.revoked_at is None


@pytest.mark.parametrize("micro_id", ["abc", "", "a\x00", "zzzzzzzzzzzz"])
def test_what_is_not_there_is_not_found(micro_id: str) -> None:
    collection_id = collections.create_collection("Made by a test").id
    for operation in (micros.find_micro, micros.change_micro, micros.renew_data_key):
        with pytest.raises(MicroNotFound):
            operation(collection_id=collection_id, micro_id=micro_id)
    with pytest.raises(MicroNotFound):
        micros.delete_micro(collection_id=collection_id, micro_id=micro_id, typed_name="x")


def test_a_micro_of_another_collection_is_not_found() -> None:
    micro, other = make_micro(), make_micro()
    for operation in (micros.find_micro, micros.change_micro, micros.renew_data_key):
        with pytest.raises(MicroNotFound):
            operation(collection_id=other.collection_id, micro_id=micro.id)


def test_a_deleted_micro_ends_and_its_key_with_it(host: ToldHost) -> None:
    micro = make_micro()
    key = key_id_of(micro)
    with pytest.raises(InvalidInput):
        micros.delete_micro(collection_id=micro.collection_id, micro_id=micro.id, typed_name="hallo")
    micros.delete_micro(collection_id=micro.collection_id, micro_id=micro.id, typed_name="hello")
    assert host.told[-2:] == [("changed", micro.id), ("stop", micro.id)]
    assert DataKey.objects.get(id=key).revoked_at is not None
    assert micros.find_micro_by_host(micro_addresses.hostname(micro.subdomain)) is None
    entry = list_entries(Conditions(micro.collection_id))[1]
    assert (entry.verb, entry.about) == (Verb.MICRO_DELETED, "hello")


def test_micros_end_with_their_collection(host: ToldHost) -> None:
    micro = make_micro()
    other = make_micro("other", collection_id=micro.collection_id)
    deletion.delete_collection(collection_id=micro.collection_id, typed_name="Made by a test", asked_by=None)
    assert {("stop", micro.id), ("stop", other.id)} <= set(host.told)
    assert not Micro.objects.filter(id__in=[micro.id, other.id]).exists()
    assert not DataKey.objects.filter(id=key_id_of(micro)).exists()
