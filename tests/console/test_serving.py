"""What the web processes are started with."""

import pytest

from console import serving
from tests.serving import Server


def test_web_processes_get_our_settings_and_nothing_that_is_not_theirs(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:password@proxy.example")
    monkeypatch.setenv("GRANIAN_WORKERS_LIFETIME", "1")
    monkeypatch.setenv("HOMEPORT_CONNECTIONS", "3")
    given = serving.web_child(8000, marks={"A_MARK": "1"}).environment
    assert {"PATH", "HOMEPORT_DATA", "HOMEPORT_CONNECTIONS", "A_MARK"} <= given.keys()
    assert {"HTTP_PROXY", "GRANIAN_WORKERS_LIFETIME"}.isdisjoint(given)


def test_a_worker_has_no_secret_left_in_its_environment(server: Server) -> None:
    code = """if True:
        import os
        from console import wsgi
        names = {"DATABASE_URL", "HOMEPORT_SECRET_KEY", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"}
        os.environ.update(dict.fromkeys(names, "canary"))
        assert wsgi.make_application() is wsgi.application
        print(names & set(os.environ))
    """
    assert server.run_code(code) == "set()"
