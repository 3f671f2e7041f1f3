"""Recording never holds up a request: with its table locked, requests go on, and what is lost is shown."""

import time
from typing import Any

import httpx

from tests.factories import item_path
from tests.people import make_cast, make_session
from tests.storage.test_event_queue import lock
from tests.visor import eventually, make_recorded, recorded


def test_requests_go_on_while_the_table_is_locked(server: Any, database: None) -> None:
    client = make_recorded(server)
    client.put({"key": "a"})
    recorded(client.collection_id, 1)
    with lock("storage_eventblock, storage_eventminute") as other:
        for number in range(60):
            began = time.monotonic()
            assert client.put({"key": str(number)}).status_code == 207
            assert client.send("GET", item_path("a")).status_code == 200
            # The database's own limit on a statement is longer: none of these waited for the lock.
            assert time.monotonic() - began < 4
        other.rollback()

    recorded(client.collection_id, 121, limit=200)


def test_loss_is_shown_on_the_page(server: Any, database: None) -> None:
    """Bodies of 64 KB fill the queues of all processes while the table is locked."""
    client = make_recorded(server)
    cast = make_cast()
    text = "x" * 70_000
    with lock("storage_eventblock") as other:
        for number in range(1_400):
            answer = client.put({"key": str(number % 3), "text": text})
            assert answer.status_code == 207
        other.rollback()

    with httpx.Client(base_url=server.url, cookies={"sessionid": make_session(cast.server_owner)}) as browser:
        url = f"/collections/{client.collection_id}/visor/"
        eventually(lambda: "could not be recorded" in browser.get(url).text, seconds=30)
