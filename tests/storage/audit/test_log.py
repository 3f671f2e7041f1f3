"""The audit log by itself: in the transaction of what it tells, bounded against strangers, dropped in time, read by pages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from psycopg.errors import CheckViolation

from storage import limits
from storage.audit import actors
from storage.audit import log as audit
from storage.audit.actors import Actor
from storage.audit.log import Conditions, Kind, Verb
from storage.collections import collections, keys
from storage.errors import InvalidInput
from storage.models import AuditEntry, Collection, DataKey
from storage.postgres import clock

ADA = Actor("person", "Ada", 7, "192.0.2.7")


@pytest.fixture
def undone(database: None) -> Iterator[None]:
    """What the test does to the database is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def refuse_entries() -> None:
    """No entry can be written from now on, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE storage_auditentry ADD CONSTRAINT closed CHECK (false) NOT VALID")


def entries(collection_id: str | None = None, **chosen: Any) -> list[audit.Entry]:
    return audit.list_entries(Conditions(collection_id, **chosen))


def test_entry_says_who_what_and_from_where(undone: None) -> None:
    with actors.acting(lambda: ADA):
        made = collections.create_collection("Letters")

    (entry,) = entries(made.id)

    told = ("person", 7, "Ada", "192.0.2.7", "collection.create", made.id, "Letters", "Letters", 1, "{}")
    assert entry[2:] == told
    assert abs(datetime.now(UTC) - entry.at) < timedelta(minutes=5)


def test_nobody_named_is_the_server_itself(undone: None) -> None:
    assert entries(collections.create_collection("x").id)[0].actor == "server"


def test_act_without_its_entry_does_not_happen(undone: None) -> None:
    made = collections.create_collection("Before")
    refuse_entries()

    with pytest.raises(CheckViolation), transaction.atomic():
        collections.rename_collection(collection_id=made.id, name="After")
    with pytest.raises(CheckViolation), transaction.atomic():
        keys.create_key(collection_id=made.id, name="app")

    assert Collection.objects.get(id=made.id).name == "Before"
    assert not DataKey.objects.filter(collection_id=made.id).exists()


def test_act_that_is_undone_leaves_no_entry(undone: None) -> None:
    made = collections.create_collection("Before")
    with pytest.raises(InvalidInput):
        collections.rename_collection(collection_id=made.id, name=" ")
    with transaction.atomic():
        collections.rename_collection(collection_id=made.id, name="After")
        transaction.set_rollback(True)

    assert [entry.verb for entry in entries(made.id)] == [Verb.COLLECTION_CREATED]


def test_entry_outside_of_a_transaction_is_a_defect(database: None) -> None:
    with pytest.raises(RuntimeError, match="outside of the transaction"):
        audit.record(Verb.SWEPT)


def test_what_cannot_be_kept_as_it_is_is_kept_as_text(undone: None) -> None:
    odd = "a\x00b\nc\ud800" + "x" * 400
    audit.record(Verb.INVITED, about=odd, details={"note": odd, "list": [odd]}, by=Actor("person", odd))

    entry = entries(name="a\ufffdb\ufffdc\ufffd" + "x" * 293 + "…")[0]

    assert entry.about == entry.name == entry.details["note"] == entry.details["list"][0]
    assert len(entry.about) == limits.AUDIT_TEXT_MAX_CHARACTERS


def test_failed_sign_ins_are_one_entry_an_hour_for_each_address_and_account(undone: None) -> None:
    for address, account in (("192.0.2.1", "ada"), ("192.0.2.1", "ada"), ("192.0.2.1", ""), ("192.0.2.2", "ada")):
        audit.record_failed_sign_in(account=account, address=address)

    found = {
        (entry.address, entry.about): (entry.amount, "until" in entry.details)
        for entry in entries(kind=Kind.SIGN_INS)
        if entry.address in ("192.0.2.1", "192.0.2.2")
    }
    assert found == {
        ("192.0.2.1", "ada"): (2, True),
        ("192.0.2.1", ""): (1, False),
        ("192.0.2.2", "ada"): (1, False),
    }


def test_strangers_cannot_fill_the_log(undone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    failed = AuditEntry.objects.filter(verb=Verb.SIGN_IN_FAILED, at__gte=hour)
    before = failed.count()
    monkeypatch.setattr(limits, "AUDIT_FAILED_SIGN_INS_PER_HOUR", before + 3)

    for number in range(20):
        audit.record_failed_sign_in(account="", address=f"2001:db8::{number:x}")

    for number in range(5):
        audit.record_failed_sign_in(account="ada", address=f"2001:db8::{number:x}")

    found = entries(kind=Kind.SIGN_INS)[:2]
    assert failed.count() == before + 5
    assert [(entry.about, entry.address, entry.amount) for entry in found] == [("ada", "", 5), ("", "", 17)]


def test_entries_are_dropped_after_their_time(undone: None) -> None:
    made = collections.create_collection("Letters")
    for days, verb in ((settings.AUDIT_DAYS + 1, Verb.KEY_CREATED), (settings.AUDIT_DAYS - 1, Verb.KEY_REVOKED)):
        audit.record(verb, collection_id=made.id)
        AuditEntry.objects.filter(collection_id=made.id, verb=verb).update(at=datetime.now(UTC) - timedelta(days=days))

    assert audit.forget_old() >= 1

    assert [entry.verb for entry in entries(made.id)] == [Verb.COLLECTION_CREATED, Verb.KEY_REVOKED]


def test_filters_and_pages(undone: None) -> None:
    made = collections.create_collection("Letters")
    for number in range(7):
        audit.record(
            Verb.KEY_CREATED if number % 2 else Verb.INVITED,
            collection_id=made.id,
            about=str(number),
            by=Actor("person", "Ada" if number < 4 else "Bob"),
        )
    audit.record(Verb.SWEPT, by=Actor("command", "root"))

    def about(**chosen: Any) -> list[str]:
        return [entry.about for entry in entries(made.id, **chosen) if entry.verb != Verb.COLLECTION_CREATED]

    assert about(actor="person", name="Ada") == ["3", "2", "1", "0"]
    assert about(kind=Kind.KEYS) == ["5", "3", "1"]
    assert about(kind=Kind.PEOPLE, name="Bob") == ["6", "4"]
    assert about(until=datetime.now(UTC) - timedelta(days=1)) == []
    assert about(since=datetime.now(UTC) - timedelta(days=1)) == list("6543210")
    assert about(actor="command") == []
    assert audit.list_names(made.id) == ["Ada", "Bob"]
    assert {"Ada", "Bob"} <= set(audit.list_names(None))
    assert "root" not in audit.list_names(None)

    paged: list[str] = []
    before = None
    while page := audit.list_entries(Conditions(made.id), before=before, limit=3):
        paged += [entry.about for entry in page]
        before = page[-1].at, page[-1].id
    assert paged == [*"6543210", "Letters"]


def test_export_reads_all_in_batches(undone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    made = collections.create_collection("Letters")
    for number in range(7):
        audit.record(Verb.INVITED, collection_id=made.id, about=str(number))
    monkeypatch.setattr(limits, "AUDIT_EXPORT_BATCH", 2)

    assert [entry.about for entry in audit.all_entries(Conditions(made.id))] == [*"6543210", "Letters"]


def test_every_verb_has_one_kind_and_words() -> None:
    assert sorted(verb for kind in Kind for verb in kind.verbs) == sorted(Verb)
    assert all(verb.label for verb in Verb)
    assert all(kind.label for kind in Kind)
    assert max(map(len, Verb)) <= 40
