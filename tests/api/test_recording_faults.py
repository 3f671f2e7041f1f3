"""Recording never holds up a request: with its table locked, requests go on, and what is lost is shown."""

import base64
import os
import time
from typing import Any

import httpx
import pytest

from storage import limits
from tests.factories import item_path
from tests.people import make_cast, make_session
from tests.storage.events.test_queue import lock
from tests.visor import make_recorded, recorded
from tests.waiting import PROMISED_SECONDS, eventually


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
            assert time.monotonic() - began < PROMISED_SECONDS
        other.rollback()

    recorded(client.collection_id, 121, limit=200)


@pytest.mark.slow
def test_loss_is_shown_on_the_page(server: Any, database: None) -> None:
    """What is kept of so many bodies, which do not compress well, is more than the queues of both processes may hold."""
    client = make_recorded(server)
    cast = make_cast()
    count = 3 * limits.EVENT_QUEUE_MAX_BYTES // limits.EVENT_BODY_MAX_BYTES
    with lock("storage_eventblock") as other:
        for number in range(count):
            text = base64.b64encode(os.urandom(limits.EVENT_BODY_MAX_BYTES)).decode()
            answer = client.put({"key": str(number % 3), "text": text})
            assert answer.status_code == 207
        other.rollback()

    with httpx.Client(base_url=server.url, cookies={"sessionid": make_session(cast.server_owner)}) as browser:
        url = f"/collections/{client.collection_id}/visor/"
        eventually(lambda: "could not be recorded" in browser.get(url).text)
