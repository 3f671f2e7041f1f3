"""Saving from the table over HTTP: what is answered, what is refused, and who may."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from console.base import saves
from storage import limits
from storage.base import edits, items
from storage.collections import keys
from storage.collections.keys import read_key
from storage.errors import EngineUnreachable
from storage.models import SaveReceipt
from storage.postgres.caller import Access
from tests.console.conftest import Browser
from tests.people import Cast

DIGITS = {"big": "12345678901234567890", "fine": "0.1234567890123456789", "point": "1.0", "power": "1e21"}


class Table:
    """The Base `things` in the browser of one person."""

    def __init__(self, client: Client, people: Cast) -> None:
        self.client, self.collection_id = client, people.collection.id
        self.url = f"/collections/{self.collection_id}/base/things/"

    def save(self, *changes: Any, save_id: str | None = None, **more: Any) -> Any:
        body = {"save": save_id or str(uuid.uuid4()), "changes": list(changes), **more}
        return self.client.post(self.url + "save/", json.dumps(body), content_type="application/json")

    def results(self, *changes: Any) -> list[dict[str, Any]]:
        answer = self.save(*changes)
        assert answer.status_code == 200, answer.content
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    def put(self, *documents: Any, access: Access | None = None) -> None:
        items.put_items(access=access or Access(self.collection_id), base="things", items=list(documents))

    def load(self, key: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get(self.url + "item/", {"key": key}).json()
        return answer


@pytest.fixture
def table(people: Cast, browser: Browser) -> Table:
    made = Table(browser(people.member), people)
    made.put({"key": "ada", "age": 36, "town": "London"})
    return made


def edit(loaded: dict[str, Any], **set_to: str) -> dict[str, Any]:
    """A change of an item as `load` brought it: each attribute was what it says there."""
    members = json.loads(loaded["json"])
    return {
        "id": loaded["key"],
        "kind": "edit",
        "key": loaded["key"],
        "revision": loaded["revision"],
        "loaded": {name: json.dumps(members[name]) if name in members else None for name in set_to},
        "set": set_to,
    }


def test_edit_is_saved_and_answered_with_the_item_as_it_is(table: Table, people: Cast) -> None:
    [result] = table.results(edit(table.load("ada"), age="37"))
    assert (result["outcome"], result["id"], result["key"]) == ("saved", "ada", "ada")
    assert result["item"] == '{"key":"ada","age": 37, "town": "London"}'
    assert result["changed_by"] == people.member.username
    assert result["revision"] == result["item_revision"] == table.load("ada")["revision"]


def test_every_digit_survives_an_edit_of_another_cell(table: Table) -> None:
    [made] = table.results({"id": "1", "kind": "add", "key": "digits", "item": DIGITS})
    before = table.load("digits")
    [edited] = table.results(
        {
            "id": "1",
            "kind": "edit",
            "key": "digits",
            "revision": made["revision"],
            "loaded": {"x": None},
            "set": {"x": "true"},
        }
    )
    assert edited["outcome"] == "saved"
    for number in ("12345678901234567890", "0.1234567890123456789", "1.0", "1000000000000000000000"):
        assert f": {number}" in before["json"]
        assert f": {number}" in edited["item"]
        assert f": {number}" in table.load("digits")["json"]
    # And through every way in which the table reads the item.
    rows = table.client.get(table.url + "rows/", {"q": "{'key': 'digits'}"}).content.decode()
    answer: Any = table.client.get(table.url + "export/", {"q": "{'key': 'digits'}"})
    exported = b"".join(answer.streaming_content).decode()
    for number in ("12345678901234567890", "0.1234567890123456789", "1.0", "1000000000000000000000"):
        assert f'data-json="{number}"' in rows
        assert f": {number}" in exported


def test_two_people_and_a_data_key_meet_in_one_item(table: Table, people: Cast, browser: Browser) -> None:
    other = Table(browser(people.owner), people)
    data_key, text = keys.create_key(collection_id=people.collection.id, name="web")
    mine, theirs = table.load("ada"), other.load("ada")

    # Different attributes merge.
    assert other.results(edit(theirs, town='"Paris"'))[0]["outcome"] == "saved"
    [merged] = table.results(edit(mine, age="37"))
    assert merged["outcome"] == "merged"
    assert merged["item"] == '{"key":"ada","age": 37, "town": "Paris"}'

    # The same attribute clashes, with who and when.
    [clash] = table.results(edit(mine, town='"Rome"', age="40"))
    assert clash["outcome"] == "clash"
    assert clash["theirs"] == {"town": '"Paris"', "age": "37"}
    assert clash["changed_by"] == people.member.username
    assert clash["changed_at"]
    assert table.load("ada")["json"] == merged["item"]

    # A data key is as good a somebody.
    mine = table.load("ada")
    table.put({"key": "ada", "age": 99, "town": "Paris"}, access=read_key(text))
    [clash] = table.results(edit(mine, age="41"))
    assert clash["theirs"] == {"age": "99"}
    assert clash["changed_by"] == f"data key “web” ({data_key.secret_start}…{data_key.secret_end})"

    # Mine after all: sent again from what theirs is.
    again = edit(mine, age="41") | {"revision": clash["revision"], "loaded": clash["theirs"]}
    assert table.results(again)[0]["outcome"] == "saved"
    assert table.load("ada")["json"] == '{"key":"ada","age": 41, "town": "Paris"}'


def test_undo_after_a_save_never_overwrites_somebody(table: Table) -> None:
    before = table.load("ada")
    [saved] = table.results(edit(before, age="37"))
    undo = edit(before, age="36") | {"revision": saved["revision"], "loaded": {"age": "37"}}
    table.put({"key": "ada", "age": 50})
    assert table.results(undo)[0]["outcome"] == "clash"


def test_undo_of_a_deletion_brings_the_item_back_whole(table: Table) -> None:
    before = table.load("ada")
    [deleted] = table.results({"id": "1", "kind": "delete", "key": "ada", "revision": before["revision"]})
    assert (deleted["outcome"], deleted["item"]) == ("saved", None)
    [back] = table.results({"id": "1", "kind": "add", "key": "ada", "item": {"age": "36", "town": '"London"'}})
    assert back["item"] == before["json"]


def test_same_save_again_is_answered_as_before(table: Table) -> None:
    save_id = str(uuid.uuid4())
    changes = [{"id": str(n), "kind": "add", "key": None, "item": {"n": str(n)}} for n in range(30)]
    first, again = table.save(*changes, save_id=save_id).json(), table.save(*changes, save_id=save_id).json()
    assert first == again
    assert table.client.get(table.url + "count/").json()["total"] == 31
    reused = table.save(*changes[1:], save_id=save_id)
    assert (reused.status_code, reused.json()) == (
        409,
        {"errors": ["This save was already sent with other changes: reload the page"]},
    )
    assert table.client.get(table.url + "count/").json()["total"] == 31


@pytest.mark.parametrize(
    "body, error",
    [
        (b"", "The body is not JSON"),
        (b"[]", "The body is not a JSON object"),
        (b'{"save": 1, "changes": []}', "`save` is not a UUID"),
        (b'{"save": "x", "changes": []}', "`save` is not a UUID"),
        ({"changes": None}, "`changes` is not a list"),
        ({"changes": [1]}, "A change is not an object, at changes[0]"),
        ({"changes": [{"kind": "x", "id": "1"}]}, "A change's `kind` is one of edit, add, delete, at changes[0]"),
        ({"changes": [{"kind": "add"}]}, "A change's `id` is not a text or is too long, at changes[0]"),
        ({"changes": [{"kind": "add", "id": "1", "key": 1}]}, "`key` is not a text, at changes[0]"),
        ({"changes": [{"kind": "add", "id": "1", "item": []}]}, "`item` is not an object, at changes[0]"),
        ({"changes": [{"kind": "add", "id": "1", "item": {"a": 1}}]}, "`item` must hold only JSON texts, at changes[0]"),
        ({"changes": [{"kind": "add", "id": "1", "item": {"a": None}}]}, "`item` must hold only JSON texts, at changes[0]"),
        ({"changes": [{"kind": "delete", "id": "1", "key": "a"}]}, "`revision` is not a text, at changes[0]"),
        (
            {"changes": [{"kind": "delete", "id": "1", "key": "a", "revision": "1.5"}]},
            "`revision` is not a text with a number, at changes[0]",
        ),
        (
            {"changes": [{"kind": "edit", "id": "1", "key": "a", "revision": "1", "unset": "x"}]},
            "`unset` is not a list of attribute names, at changes[0]",
        ),
        ({"changes": [{"kind": "add", "id": "1"}] * 10_001}, "A save has at most 10,000 changes, this one has 10,001"),
    ],
)  # fmt: skip
def test_malformed_save_is_refused_whole(table: Table, body: Any, error: str) -> None:
    sent = body if isinstance(body, bytes) else json.dumps({"save": str(uuid.uuid4())} | body)
    answer = table.client.post(table.url + "save/", sent, content_type="application/json")
    assert (answer.status_code, answer.json()["errors"][0]) == (400, error)
    assert not SaveReceipt.objects.filter(person_id=table.client.session["_auth_user_id"]).exists()


def test_too_large_a_save_is_refused(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EDITS_BODY_MAX_BYTES", 1_048_576)
    answer = table.save({"id": "1", "kind": "add", "key": None, "item": {"a": '"' + "x" * 1_100_000 + '"'}})
    told = "The body has 1,100,125 bytes; at most 1,048,576 are accepted"
    assert (answer.status_code, answer.json()) == (413, {"errors": [told]})


def test_save_of_many_megabytes_is_read_whole(table: Table) -> None:
    text = '"' + "x" * 380_000 + '"'
    results = table.results(*({"id": str(n), "kind": "add", "key": f"big{n}", "item": {"a": text}} for n in range(12)))
    assert {result["outcome"] for result in results} == {"saved"}


def test_database_away_is_told_to_try_again(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: Any) -> None:
        raise EngineUnreachable()

    monkeypatch.setattr(saves.edits, "save_changes", away)
    answer = table.save()
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert answer.json() == {"errors": ["Storage is not reachable at the moment, please try again"]}


def test_readers_and_other_sites_save_nothing(table: Table, people: Cast, browser: Browser) -> None:
    reader = Table(browser(people.reader), people)
    assert reader.save(edit(table.load("ada"), age="1")).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people.member)
    assert Table(strict, people).save(edit(table.load("ada"), age="1")).status_code == 403
    assert table.load("ada")["json"] == '{"key":"ada","age": 36, "town": "London"}'


def test_save_in_another_collection_reaches_nothing_here(table: Table, people: Cast, browser: Browser) -> None:
    from tests.people import make_cast

    other = Table(browser(people.owner), make_cast())
    assert other.save({"id": "1", "kind": "delete", "key": "ada", "revision": "1"}).status_code == 404
    assert edits.get_state(access=Access(table.collection_id), base="things", key="ada").key == "ada"
