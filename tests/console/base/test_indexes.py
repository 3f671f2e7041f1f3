"""The page of a Base's indexes, dropping one, and what the bar says of them."""

from typing import Any

import pytest

from storage import limits
from storage.attribute_indexes import listing, ready
from storage.attribute_indexes.sql import tending as tending_sql
from storage.base import items
from storage.models import AttributeIndex, AuditEntry, Base
from storage.postgres.caller import Access
from storage.postgres.database import run
from tests.console.conftest import Browser
from tests.people import Cast

BUILDING = AttributeIndex.State.BUILDING


@pytest.fixture
def base(people: Cast) -> Base:
    """A Base of 20 items with `n` and `home.city`."""
    access = Access(people.collection.id)
    made = [{"key": f"{n:02}", "n": n, "home": {"city": f"c{n}"}} for n in range(20)]
    items.put_items(access=access, base="things", items=made)
    return Base.objects.get(collection=people.collection, name="things")


def build(base: Base, *path: str, rows: int = 100) -> AttributeIndex:
    index = AttributeIndex.objects.create(base_id=base.pk, path=list(path), state=BUILDING, expected=20)
    run(tending_sql.build(index.pk, rows))
    ready.forget(base.pk)
    return index


def test_page_lists_indexes_and_their_state(people: Cast, base: Base, browser: Browser) -> None:
    reader = browser(people.reader)
    url = f"/collections/{people.collection.id}/base/things/indexes/"
    assert "No indexes yet" in reader.get(url).content.decode()
    build(base, "n")
    build(base, "home", "city", rows=5)
    listed = {each.attribute: each for each in listing.list_indexes(base_id=base.pk)}
    assert [(name, each.is_ready, each.percent) for name, each in listed.items()] == [
        ("home.city", False, 25),
        ("n", True, 100),
    ]
    assert all(each.size_bytes > 0 for each in listed.values())
    page = reader.get(url).content.decode()
    assert "building, 25 %" in page
    assert "ready" in page
    assert f"at most {limits.ATTRIBUTE_INDEXES_PER_BASE}" in page
    assert "/drop/" not in page  # a reader cannot


def test_index_is_dropped_after_a_question(people: Cast, base: Base, browser: Browser) -> None:
    member = browser(people.member)
    index = build(base, "home", "city")
    url = f"/collections/{people.collection.id}/base/things/indexes/"
    question = member.get(f"{url}{index.pk}/drop/").content.decode()
    assert "No item changes" in question
    assert AttributeIndex.objects.get(pk=index.pk).base_id == base.pk
    answer = member.post(f"{url}{index.pk}/drop/")
    assert (answer.status_code, answer["Location"]) == (302, url)
    assert listing.list_indexes(base_id=base.pk) == []
    entry = AuditEntry.objects.get(collection_id=people.collection.id, verb="base.drop-index")
    assert (entry.about, entry.details["attribute"]) == ("things", "home.city")
    assert member.post(f"{url}{index.pk}/drop/").status_code == 404


@pytest.mark.parametrize(
    "query, said, wants",
    [
        ("{n?gt: 15}", "answered by the index of `n`", False),
        ("{n?gt: 15, 'home.city?pfx': 'c1'}", "answered by the index of `n`", False),
        ("[{n?gt: 15}, {a: 1}]", "answered by the indexes of `n` and equality", False),
        ("{a: 1}", "answered by the index of equality", False),
        ("{'home.city?pfx': 'c1'}", "", True),
        ("{'home.city?contains': 'c1'}", "", False),
        ("", "", False),
    ],
)
def test_count_says_which_index_answers(
    people: Cast, base: Base, browser: Browser, query: str, said: str, wants: bool
) -> None:
    build(base, "n")
    told: dict[str, Any] = (
        browser(people.reader).get(f"/collections/{people.collection.id}/base/things/count/", {"q": query}).json()
    )
    assert (told["index"], told["wants_index"]) == (said, wants)
    assert told["matched"] == {"{n?gt: 15}": 4, "[{n?gt: 15}, {a: 1}]": 4, "": 20}.get(query, told["matched"])


@pytest.mark.parametrize(
    "last",
    [
        '[2,"x","","",0]',
        '[2,"1","","",-1]',
        "[",
        "[2]",
        '[99,"1","","",0]',
        '[2,"1e999","","",0]',
        '[2,1,"","",0]',
        '[2,"1","\\u0000","",0]',
    ],
)
def test_rows_begin_anew_at_a_place_that_is_none(people: Cast, base: Base, browser: Browser, last: str) -> None:
    build(base, "n")
    url = f"/collections/{people.collection.id}/base/things/rows/"
    answer = browser(people.reader).get(url, {"sort": "n", "limit": "2", "last": last})
    assert answer.status_code == 200
    assert 'data-sorted-by="n"' in answer.content.decode()
    assert 'data-last="[2,&quot;1&quot;,&quot;&quot;,&quot;01&quot;,0]"' in answer.content.decode()
