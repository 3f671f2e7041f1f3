"""What the web processes are started with."""

import os
from typing import Any

import pytest

from console import serving, wsgi


def test_web_processes_get_our_settings_and_nothing_that_is_not_theirs(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:password@proxy.example")
    monkeypatch.setenv("GRANIAN_WORKERS_LIFETIME", "1")
    monkeypatch.setenv("HOMEPORT_CONNECTIONS", "3")
    given = serving.web_child(8000, marks={"A_MARK": "1"}).environment
    assert {"PATH", "HOMEPORT_DATA", "HOMEPORT_CONNECTIONS", "A_MARK"} <= given.keys()
    assert {"HTTP_PROXY", "GRANIAN_WORKERS_LIFETIME"}.isdisjoint(given)


def test_a_worker_has_no_secret_left_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("DATABASE_URL", "HOMEPORT_SECRET_KEY", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
    for name in secrets:
        monkeypatch.setenv(name, "canary")
    assert wsgi.make_application() is wsgi.application
    assert set(secrets).isdisjoint(os.environ)
