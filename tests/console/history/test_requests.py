"""From a version to the recorded request that wrote it, and back."""

import re
from typing import Any

import pytest

from storage.base import items
from storage.collections import keys
from storage.collections.keys import read_key
from storage.events import queries as event_queries
from storage.models import Base
from storage.postgres.caller import Access
from tests.console.conftest import Browser
from tests.people import Cast
from tests.visor import body, make_event


class Recorded:
    """Writes of a data key to the Base `things`, each with a recorded request."""

    def __init__(self, people: Cast) -> None:
        self.collection_id = people.collection.id
        made = keys.create_key(collection_id=self.collection_id, name="bot")
        self.bot, self.key_id = read_key(made.text), made.data_key.pk
        self.url = f"/collections/{self.collection_id}/base/things/history/"

    def keep(self, **more: Any) -> str:
        """The id of a request that was just answered."""
        event = make_event(self.collection_id, **{"key_id": self.key_id, "duration_us": 5_000, **more})
        event_queries.keep_event(event)
        return event.line.id

    def put(self, *some: dict[str, Any], tells_revisions: bool = True) -> str:
        done = items.put_items(access=self.bot, base="things", items=list(some)).processed
        told = (("Item-Revisions", ", ".join(str(item.revision) for item in done)),) if tells_revisions else ()
        answer = f'{{"processed": {{"items": [{",".join(item.json for item in done)}]}}}}'
        return self.keep(method="PUT", path="things/items", status=207, response=body(answer), response_headers=told)

    def delete(self, key: str) -> str:
        items.delete_item(access=self.bot, base="things", key=key)
        return self.keep(method="DELETE", path=f"things/items/{key}", status=200)


@pytest.fixture
def recorded(people: Cast) -> Recorded:
    return Recorded(people)


def test_version_leads_to_its_request_among_others(recorded: Recorded, people: Cast, browser: Browser) -> None:
    ids = [recorded.put({"key": "ada", "n": n}, {"key": "bob", "n": n}, tells_revisions=n != 1) for n in range(3)]
    recorded.keep(method="GET", path="things/items/ada")
    recorded.keep(method="PUT", path="others/items", status=207)
    ids.append(recorded.delete("ada"))
    page = browser(people.reader).get(f"{recorded.url}item/", {"of": "ada"}).content.decode()
    found = re.findall(r"/visor/([0-9a-f]{32})/", page)
    # Without revisions told, the key decides between requests of the same moment.
    assert [found[0], found[1], found[-1]] == [ids[3], ids[2], ids[0]]
    assert len(found) == 4


def test_request_leads_to_the_versions_that_it_wrote(recorded: Recorded, people: Cast, browser: Browser) -> None:
    recorded.put({"key": "ada", "n": 1}, {"key": "bob", "n": 1})
    event_id = recorded.put({"key": "ada", "n": 2}, {"key": "eve", "n": 2})
    recorded.put({"key": "ada", "n": 3})
    client = browser(people.reader)
    event = client.get(f"/collections/{recorded.collection_id}/visor/{event_id}/").content.decode()
    assert f'href="{recorded.url}?event={event_id}"' in event
    page = client.get(recorded.url, {"event": event_id}).content.decode()
    assert re.findall(r'<tr data-key="([^"]*)">', page) == ["eve", "ada"]
    assert "What one request changed" in page
    read = recorded.keep(method="GET", path="things/items/ada")
    assert "What it changed" not in client.get(f"/collections/{recorded.collection_id}/visor/{read}/").content.decode()
    for other in (read, "0" * 32):
        assert "not recorded any more" in client.get(recorded.url, {"event": other}).content.decode()


def test_request_of_another_collection_tells_nothing(recorded: Recorded, people: Cast, browser: Browser) -> None:
    event_id = recorded.put({"key": "ada"})
    Base.objects.get_or_create(collection=people.collection, name="others")
    client = browser(people.reader)
    page = client.get(recorded.url.replace("things", "others"), {"event": event_id}).content.decode()
    assert "<tr data-key" not in page
    elsewhere = Access(people.collection.id, person_id=people.member.pk)
    items.put_items(access=elsewhere, base="things", items=[{"key": "by hand"}])
    page = client.get(f"{recorded.url}item/", {"of": "by hand"}).content.decode()
    assert "Request in Visor" not in page
