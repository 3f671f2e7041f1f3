"""What the web processes are started with."""

import socket

import pytest
from pytest_django import Settings

from console import serving
from storage.embedded import ports
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


def test_a_port_is_nobody_elses_from_when_it_was_taken(settings: Settings) -> None:
    """Also not that of a second server that starts at the same time; and a start soon after finds it free again."""
    settings.HOST = "127.0.0.1"
    (port,) = ports.free_ports(1)
    (taken,) = serving.open_sockets(port)
    with taken:
        assert not ports.is_free("127.0.0.1", port)
        with pytest.raises(OSError, match="in use"):
            serving.open_sockets(port)
        serving.answer_on([taken], backlog=1)
        with socket.create_connection(("127.0.0.1", port)):
            taken.accept()[0].close()  # whoever closes first has to linger
    (again,) = serving.open_sockets(port)
    again.close()
