"""What the web processes are started with."""

import pytest

from console import serving
from tests.serving import Server


def test_web_processes_get_our_settings_and_nothing_that_is_not_theirs(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:password@proxy.example")
    monkeypatch.setenv("UV_THREADPOOL_SIZE", "1")
    monkeypatch.setenv("HOMEPORT_CONNECTIONS", "3")
    given = serving.web_child([], [], marks={"A_MARK": "1"}).environment
    assert {"PATH", "HOMEPORT_DATA", "HOMEPORT_CONNECTIONS", "A_MARK"} <= given.keys()
    assert {"HTTP_PROXY", "UV_THREADPOOL_SIZE"}.isdisjoint(given)
