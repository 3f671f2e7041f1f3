"""The database's leader is killed and its follower promoted: 503 for as long as nobody takes writes, then service again."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import psycopg
import pytest

from storage.embedded import postgres
from tests.people import PASSWORD
from tests.postgres_pair import Pair, running_pair
from tests.second_s3 import serve_second_s3
from tests.serving import Server
from tests.waiting import LONG_SECONDS, PROMISED_SECONDS, eventually

pytestmark = pytest.mark.slow

_NOBODY_LEADS_SECONDS = 3.0
_JOBS_DONE = "SELECT coalesce(max(defer_timestamp), 0) FROM procrastinate_periodic_defers"


class Writer(threading.Thread):
    """Puts one item after the other; what it was told."""

    def __init__(self, url: str, key: str) -> None:
        super().__init__(daemon=True)
        self.url, self.key = url, key
        self.acknowledged: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.longest = 0.0
        self.is_over = threading.Event()

    def run(self) -> None:
        with httpx.Client(headers={"X-API-Key": self.key}, timeout=PROMISED_SECONDS) as http:
            number = 0
            while not self.is_over.is_set():
                number += 1
                began = time.monotonic()
                answer = http.put(self.url, json={"items": [{"key": f"k{number}"}]})
                self.longest = max(self.longest, time.monotonic() - began)
                self.statuses[answer.status_code] += 1
                if answer.status_code == 503:
                    assert int(answer.headers["Retry-After"]) > 0
                    time.sleep(0.05)
                else:
                    self.acknowledged.append(f"k{number}")


def _rows(pair: Pair, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(**postgres.connection_parameters(pair.follower.about), autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


def _read_feed(url: str, key: str, since: str) -> httpx.Response:
    return httpx.get(url, params={"since": since}, headers={"X-API-Key": key}, timeout=PROMISED_SECONDS)


def test_service_goes_on_at_the_promoted_follower(
    data_folder: Path, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    with running_pair(data_folder) as pair, serve_second_s3(tmp_path / "s3") as s3:
        server = make_server(DATABASE_URL=pair.url(options="sslmode=disable"), **s3).start()
        server.wait_ready(LONG_SECONDS)  # with all migrations
        collection_id, key = server.make_key("things")
        writers = [Writer(f"{server.url}/v1/{collection_id}/things/items", key) for _ in range(3)]
        for writer in writers:
            writer.start()
        eventually(lambda: all(len(writer.acknowledged) > 20 for writer in writers))
        feed = partial(_read_feed, f"{server.url}/v1/{collection_id}/things/changes", key)
        cursor = feed("now").json()["cursor"]

        pair.leader.kill()
        time.sleep(_NOBODY_LEADS_SECONDS)
        ready = httpx.get(f"{server.url}/readyz", timeout=PROMISED_SECONDS)
        assert (ready.status_code, ready.json()["postgres"]) == (503, "nobody takes writes")
        # A follower may lack what the feed has passed by, and be behind a cursor.
        assert feed(cursor).status_code == 503
        pair.promote()
        told = [len(writer.acknowledged) for writer in writers]
        eventually(
            lambda: all(len(writer.acknowledged) > count + 20 for writer, count in zip(writers, told, strict=True))
        )
        for writer in writers:
            writer.is_over.set()
            writer.join()

        assert {status for writer in writers for status in writer.statuses} == {207, 503}
        assert max(writer.longest for writer in writers) < PROMISED_SECONDS
        assert eventually(lambda: feed(cursor).json()["changes"])
        server.wait_ready()
        assert server.run_code(_SIGN_UP).splitlines()[-1] == "made"
        # The queue's own connections, and its worker, are over there as well.
        done = _rows(pair, _JOBS_DONE)
        eventually(lambda: _rows(pair, _JOBS_DONE) > done)
        assert "Traceback" not in "".join(line for line in server.log.splitlines() if "procrastinate" not in line)


_SIGN_UP = f"""
import django
django.setup()
from django.contrib.auth.models import User
User.objects.create_user("somebody", password={PASSWORD!r})
print("made")
"""
