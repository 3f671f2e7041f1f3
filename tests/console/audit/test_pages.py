"""The pages of the audit log: who may read them, what they show, filters, pages and files. Rights are in `test_routes.py`."""

import csv
import html
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from console.audit.filters import read_cursor, read_filters, write_cursor
from storage import limits
from storage.audit import log as audit
from storage.audit.actors import Actor
from storage.audit.log import Verb
from storage.collections import collections
from storage.models import AuditEntry
from tests.console.conftest import Browser
from tests.people import Cast

HOSTILE = "<script>alert(1)</script>"


def url_of(people: Cast, more: str = "") -> str:
    return f"/collections/{people.collection.id}/audit/{more}"


def record(people: Cast, *names: str, verb: Verb = Verb.KEY_CREATED, by: str = "Ada") -> None:
    for name in names:
        audit.record(verb, collection_id=people.collection.id, about=name, by=Actor("person", by, 1, "192.0.2.1"))


def test_a_collection_shows_its_own_entries_alone(people: Cast, browser: Browser) -> None:
    other = collections.create_collection("Somebody else's")
    record(people, "mine")

    page = browser(people.owner).get(url_of(people)).content.decode()

    assert "created the data key <strong>mine</strong>" in page
    assert other.name not in html.unescape(page)
    # Sign-ins are the server's business.
    assert "signed in" not in page


def test_the_server_shows_everything_with_its_collection(people: Cast, browser: Browser) -> None:
    record(people, "mine")
    page = browser(people.server_owner).get("/audit/").content.decode()
    assert "created the data key <strong>mine</strong>" in page
    assert "signed in" in page
    assert people.collection.id in page
    assert 'href="/audit/"' in page


def test_links_lead_there_for_those_who_may(people: Cast, browser: Browser) -> None:
    assert (
        url_of(people) in browser(people.owner).get(f"/collections/{people.collection.id}/settings/").content.decode()
    )
    assert 'href="/audit/"' not in browser(people.owner).get("/").content.decode()


def test_hostile_names_are_text(people: Cast, browser: Browser) -> None:
    record(people, HOSTILE, by=HOSTILE)
    audit.record(Verb.KEY_CHANGED, collection_id=people.collection.id, details={HOSTILE: HOSTILE})
    page = browser(people.owner).get(url_of(people)).content.decode()
    assert HOSTILE not in page
    assert html.unescape(page).count(HOSTILE) >= 5


def test_empty_log_teaches(people: Cast, browser: Browser) -> None:
    AuditEntry.objects.all().delete()
    owner = browser(people.owner)
    assert "Nothing recorded yet" in owner.get(url_of(people)).content.decode()
    assert "No entry found" in owner.get(url_of(people, "?kind=keys")).content.decode()


def test_filter_is_in_the_address(people: Cast, browser: Browser) -> None:
    record(people, "first", by="Ada & Bob")
    record(people, "second", by="Eve")
    record(people, "third", by="Eve", verb=Verb.INVITED)
    owner = browser(people.owner)

    page = owner.get(url_of(people, "?who=person%3AEve&kind=keys")).content.decode()
    assert "second" in page
    assert "first" not in page
    assert "third" not in page
    assert '<option value="person:Eve" selected>' in page
    assert '<option value="keys" selected>' in page
    assert "first" in owner.get(url_of(people, "?who=person%3AAda+%26+Bob")).content.decode()

    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert "first" not in owner.get(url_of(people, f"?since={tomorrow}")).content.decode()
    assert "first" in owner.get(url_of(people, f"?until={tomorrow}")).content.decode()


def test_part_for_htmx_is_the_list_alone(people: Cast, browser: Browser) -> None:
    record(people, "mine")
    part = browser(people.owner).get(url_of(people), headers={"HX-Request": "true", "HX-Target": "audit-list"})
    assert part.content.decode().lstrip().startswith('<div class="stack" id="audit-list"')


def test_pages_go_on_where_the_last_one_ended(people: Cast, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "AUDIT_ENTRIES_PER_PAGE", 2)
    record(people, *"abcde")
    owner = browser(people.owner)
    seen, address = [], url_of(people, "?kind=keys")
    for _ in range(5):
        page = html.unescape(owner.get(address).content.decode())
        seen += [name for name in "abcde" if f"<strong>{name}</strong>" in page]
        if ">Older</a>" not in page:
            break
        address = page[: page.index(">Older</a>")].rpartition('href="')[2].partition('"')[0]
        record(people, "new")  # what comes meanwhile moves nothing
    assert seen == ["d", "e", "b", "c", "a"]
    assert ">Newest</a>" in page


@pytest.mark.parametrize(
    "cursor", ["", "x", "1", "1-", "-1-1", "1-99999999999999999999", "9" * 17 + "-1", "\u0661-\u0661"]
)
def test_odd_cursors_and_filters_show_the_beginning(people: Cast, browser: Browser, cursor: str) -> None:
    record(people, "mine")
    owner = browser(people.owner)
    for given in ({"before": cursor}, dict.fromkeys(("who", "kind", "since", "until"), cursor)):
        answer = owner.get(url_of(people), given)
        assert answer.status_code == 200
    assert read_filters(dict.fromkeys(("who", "kind", "since", "until"), cursor)).query == ""


def test_cursor_is_exact() -> None:
    at = datetime(2026, 11, 28, 14, 30, 1, 123457, tzinfo=UTC)
    assert read_cursor(write_cursor(at, 12)) == (at, 12)


@pytest.mark.parametrize("field", ["0001-01-01", "9999-12-31", "2026-02-30", "2026-11-28T00:00", "now"])
def test_days_that_postgres_cannot_know_are_ignored(people: Cast, browser: Browser, field: str) -> None:
    assert read_filters({"since": field, "until": field}).query == ""
    assert browser(people.owner).get(url_of(people), {"since": field, "until": field}).status_code == 200


def test_csv_has_a_line_for_each_entry(people: Cast, browser: Browser) -> None:
    record(people, "=1+1", "two\nlines", by="Ada")
    owner = browser(people.owner)

    answer = owner.get(url_of(people, "export/?format=csv&kind=keys"))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="made-by-a-test-audit-')
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [row["about"] for row in rows] == ["two\ufffdlines", "'=1+1"]
    assert rows[0]["name"] == "Ada"
    assert rows[0]["verb"] == "key.create"
    assert rows[0]["address"] == "192.0.2.1"
    assert datetime.fromisoformat(rows[0]["at"]).tzinfo is not None
    assert "downloaded the audit log" in owner.get(url_of(people)).content.decode()


def test_json_lines_are_objects(people: Cast, browser: Browser) -> None:
    record(people, "mine")
    audit.record(Verb.KEY_CHANGED, collection_id=people.collection.id, about="other", details={"bytes_per_day": 5})

    answer = browser(people.server_owner).get("/audit/export/?format=jsonl&kind=keys")

    lines = [json.loads(line) for line in b"".join(answer).splitlines()]
    assert [(line["about"], line["details"]) for line in lines][:2] == [("other", {"bytes_per_day": 5}), ("mine", {})]
    assert set(lines[0]) == {
        *("at", "actor", "person_id", "name", "address", "verb", "collection_id", "collection_name", "about"),
        *("amount", "details"),
    }


def test_export_in_another_format_is_not_there(people: Cast, browser: Browser) -> None:
    assert browser(people.owner).get(url_of(people, "export/?format=xml")).status_code == 404
