"""The page about the whole server. Who may open it is in `test_routes.py`."""

import shutil
import time

import httpx
import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from console import health
from console.monitoring.overview import list_traffic
from storage.counting.counted import BUCKETS
from storage.monitoring.figures import quantile
from tests.console.conftest import Browser
from tests.html import squeezed
from tests.people import Cast, make_cast, make_session
from tests.serving import Server
from tests.waiting import PROMISED_SECONDS


def test_it_says_what_is_wrong_and_what_to_do(people: Cast, browser: Browser, settings: Settings) -> None:
    client = browser(people.server_owner)
    settings.DISK_RESERVE_MB = shutil.disk_usage(settings.DATA).free // 1_048_576 * 2
    page = client.get("/server/").content.decode()
    assert "The disk is too full:" in page
    assert "Delete what is not needed" in page
    assert 'href="/server/"' in page
    assert 'href="/server/"' not in browser(people.owner).get("/").content.decode()


def test_it_is_asked_for_again_as_a_part(people: Cast, browser: Browser) -> None:
    client = browser(people.server_owner)
    whole = client.get("/server/").content.decode()
    part = client.get("/server/", headers={"HX-Request": "true", "HX-Target": "server-live"}).content.decode()
    assert '<div class="stack" id="server-live" hx-get="/server/" hx-trigger="every 5s"' in part
    assert "<html" in whole
    assert "<html" not in part
    # What has the focus is found again by its id.
    assert part.count('tabindex="0"') == part.count('-frame" tabindex="0"')
    for title in ("Requests", "Engines and processes", "Disk and data", "Visor and Micros", "Background jobs"):
        assert f">{title}</h2>" in part
    assert "sweep expired items" in part


def test_it_opens_while_an_engine_is_away(people: Cast, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser(people.server_owner)
    monkeypatch.setattr(health, "_last", (float("inf"), {"postgres": "ok", "s3": "no answer within 3 s"}))
    page = client.get("/server/").content.decode()
    assert "S3 gives no answer within 3 s: files can neither be read nor stored." in page


@pytest.mark.slow
def test_it_opens_while_the_database_tells_only_a_part(server: Server) -> None:
    session = make_session(make_cast().server_owner)
    parameters = connection.get_connection_params()
    reached = {name: parameters[name] for name in ("host", "port", "user", "password", "dbname")}
    with psycopg.connect(**reached) as other:
        # Nobody can look at the queue until this transaction ends.
        other.execute("LOCK TABLE procrastinate_events IN ACCESS EXCLUSIVE MODE")
        answer = httpx.get(
            f"{server.url}/server/", cookies={"sessionid": session}, trust_env=False, timeout=PROMISED_SECONDS
        )
        other.rollback()
    page = squeezed(answer.text)
    assert answer.status_code == 200
    assert "Not everything could be looked at." in page
    assert "The database does not tell at the moment." in page
    # What stands elsewhere is told all the same.
    assert "PostgreSQL has" in page
    assert "up to date" in page


def test_traffic_is_that_of_the_minutes_that_are_over() -> None:
    now = time.time() // 60 * 60 + 30
    minute = int(now) // 60

    def counts(*, fast: int, slow: int = 0, failed: int = 0) -> list[float]:
        buckets = [0.0] * (len(BUCKETS) + 1)
        buckets[2], buckets[7] = fast, slow
        return [*buckets, failed]

    of_api = {
        minute: counts(fast=1_000, failed=2),  # is not over yet
        minute - 1: counts(fast=90, slow=10),
        minute - 5: counts(fast=95, slow=5, failed=3),
        minute - 6: counts(fast=1_000, failed=4),
        minute - 16: counts(fast=1_000, failed=100),  # the place of another minute
    }
    api, console, *_ = list_traffic({"api": of_api}, now=now)
    assert (api.per_minute, api.errors) == ("40", 9)
    assert api.median == "3.9 ms"
    assert api.slow == "150 ms"
    assert (console.per_minute, console.median, console.slow, console.errors) == ("0", "", "", 0)


def test_quantiles_are_prometheus_own() -> None:
    buckets = [0.0] * (len(BUCKETS) + 1)
    assert quantile(buckets, 0.5) is None
    buckets[0] = 10
    assert quantile(buckets, 0.5) == 0.0005
    buckets[-1] = 1_000
    assert quantile(buckets, 0.95) == BUCKETS[-1]
