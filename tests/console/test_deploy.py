"""The settings of a server in production."""

from tests.serving import Server


def test_check_deploy_finds_nothing(server: Server) -> None:
    server.environment["HOMEPORT_HTTPS_ONLY"] = "true"
    try:
        done = server.run("check", "--deploy", "--fail-level", "INFO")
    finally:
        del server.environment["HOMEPORT_HTTPS_ONLY"]
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_styleguide_exists_for_developers_alone(server: Server) -> None:
    import httpx

    assert httpx.get(f"{server.url}/styleguide/").status_code == 404
