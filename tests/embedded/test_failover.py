"""The database's leader is killed and its follower promoted: 503 for as long as nobody takes writes, then service again."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.errors import ReadOnlySqlTransaction

from storage.base.query import Predicate
from storage.embedded import postgres
from storage.history.sql import feed as feed_sql
from storage.history.sql import horizon as horizon_sql
from storage.postgres.caller import Access
from tests.faults.proxy import FaultProxy
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


def _put(url: str, key: str, item: str) -> None:
    answer = httpx.put(url, json={"items": [{"key": item}]}, headers={"X-API-Key": key}, timeout=PROMISED_SECONDS)
    assert answer.status_code == 207, answer.text


def _read_feed(url: str, key: str, since: str) -> httpx.Response:
    return httpx.get(url, params={"since": since}, headers={"X-API-Key": key}, timeout=PROMISED_SECONDS)


def _told(feed: Callable[[str], httpx.Response], since: str, keys: list[str]) -> str:
    """The cursor behind these changes, once they are all told in one answer; a moment may pass until a process does."""

    def find() -> str | None:
        page = feed(since).json()
        return page["cursor"] if [change["key"] for change in page["changes"]] == keys else None

    found = eventually(find)
    assert found
    return found


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


def test_feed_is_read_from_a_leader_alone(
    data_folder: Path, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    """What stands before the database may lead to a follower for a while, which may lack what the feed has passed by."""
    with (
        running_pair(data_folder) as pair,
        serve_second_s3(tmp_path / "s3") as s3,
        closing(FaultProxy(("127.0.0.1", pair.leader.about.port))) as way,
    ):
        server = make_server(DATABASE_URL=pair.leader_url(way.port), **s3).start()
        server.wait_ready(LONG_SECONDS)
        collection_id, key = server.make_key("things")
        put = partial(_put, f"{server.url}/v1/{collection_id}/things/items", key)
        feed = partial(_read_feed, f"{server.url}/v1/{collection_id}/things/changes", key)
        put("before")
        cursor = feed("now").json()["cursor"]
        eventually(lambda: len(_rows(pair, "SELECT FROM storage_item")) == 1, what="the follower did not follow")
        names = [f"k{number}" for number in range(50)]
        with pair.follower.behind():
            for name in names:
                put(name)
            last = _told(feed, cursor, names)
            way.lead_to(("127.0.0.1", pair.follower.about.port))
            eventually(lambda: httpx.get(f"{server.url}/readyz?for=reads").status_code == 200)
            for since in (cursor, last, "now", ""):
                assert feed(since).status_code == 503
            _check_that_followers_refuse(pair, Access(collection_id))

            way.lead_to(("127.0.0.1", pair.leader.about.port))
            server.wait_ready()
            put("after")
            _told(feed, cursor, [*names, "after"])
            _told(feed, last, ["after"])


def _check_that_followers_refuse(pair: Pair, access: Access) -> None:
    """Each of the feed's statements, as one process's connections may lead to different servers."""
    connection = psycopg.connect(**postgres.connection_parameters(pair.follower.about), autocommit=True)
    with connection, psycopg.RawCursor(connection) as cursor:
        for text, params, _ in (
            horizon_sql.draw_line(0),
            horizon_sql.read_progress(),
            feed_sql.find_changed([1], since=0, until=2**40, seconds=60),
            feed_sql.read_changes(access, "things", Predicate(), since=0, until=2**40, limit=9, max_bytes=9),
        ):
            with pytest.raises(ReadOnlySqlTransaction):
                cursor.execute(text.encode(), params)


_SIGN_UP = f"""
import django
django.setup()
from django.contrib.auth.models import User
User.objects.create_user("somebody", password={PASSWORD!r})
print("made")
"""
