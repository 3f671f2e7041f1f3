"""`/healthz` and `/readyz`: open to anybody, exact in what they say."""

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from console import health
from storage.s3 import blobs
from tests.serving import Server


def test_healthz_says_that_the_process_lives(server: Server) -> None:
    answer = httpx.get(f"{server.url}/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_readyz_names_each_engine(server: Server) -> None:
    answer = httpx.get(f"{server.url}/readyz")
    assert (answer.status_code, answer.json()) == (200, {"postgres": "ok", "s3": "ok", "reads": "ok", "writes": "ok"})


NO_ANSWER, NOTHING = "does not answer", "nothing"


@pytest.mark.parametrize(
    "fault, report, statuses",
    [
        ("no database", (NO_ANSWER, "ok", NOTHING, NOTHING), (503, 503, 503)),
        ("a database that only reads", ("only reads", "ok", "ok", NOTHING), (503, 200, 503)),
        ("no S3", ("ok", NO_ANSWER, "no files", "no files"), (503, 503, 503)),
        ("an S3 that takes nothing", ("ok", "answers with an error", "ok", "no files"), (503, 200, 503)),
        ("a full disk", ("ok", "ok", "ok", "no room"), (200, 200, 503)),
        ("", ("ok", "ok", "ok", "ok"), (200, 200, 200)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_readyz_tells_reads_from_writes_and_says_when_to_ask_again(
    database: None,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    report: tuple[str, ...],
    statuses: tuple[int, ...],
) -> None:
    monkeypatch.setattr(health, "_last", (float("-inf"), dict[str, str]()))
    options = connection.settings_dict["OPTIONS"]
    match fault:
        case "no database":
            monkeypatch.setitem(connection.settings_dict, "HOST", "/nonexistent")
        case "a database that only reads":
            # As a follower says it, and a leader that was told to.
            monkeypatch.setitem(options, "options", "-c default_transaction_read_only=on")
        case "no S3":
            monkeypatch.setattr(settings, "S3_SOCKET", "/nowhere")
            monkeypatch.setattr(blobs, "_pool", blobs._pool.__wrapped__)  # without those that are open
        case "an S3 that takes nothing":
            ask = blobs._ask_for_probe
            # Nobody knows this method: what S3 says then is as true of a PUT that it refuses.
            monkeypatch.setattr(
                blobs, "_ask_for_probe", lambda method, *rest: ask("PATCH" if method == "PUT" else method, *rest)
            )
        case "a full disk":
            monkeypatch.setattr(settings, "DISK_RESERVE_MB", 10**9)
    answers = [Client().get(f"/readyz{query}") for query in ("", "?for=reads", "?for=writes")]
    assert tuple(answer.status_code for answer in answers) == statuses
    for answer in answers:
        assert tuple(answer.json().values()) == report
        assert (answer.status_code == 200) != ("Retry-After" in answer)


@pytest.mark.parametrize("path", ["healthz", "readyz"])
def test_health_is_read_only(server: Server, path: str) -> None:
    assert httpx.options(f"{server.url}/{path}").status_code == 405
    assert httpx.head(f"{server.url}/{path}").status_code == 200
