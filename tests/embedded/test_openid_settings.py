"""What the settings say of the OpenID Connect provider is looked at before anything starts."""

from collections.abc import Callable

from tests.serving import Server


def test_issuer_without_encryption_is_refused(make_server: Callable[..., Server]) -> None:
    done = make_server(HOMEPORT_OIDC_ISSUER="http://sso.example.com").run("check")
    assert done.returncode != 0
    assert "HOMEPORT_OIDC_ISSUER" in done.stderr
    assert "begins with https://" in done.stderr


def test_issuer_without_a_client_is_refused(make_server: Callable[..., Server]) -> None:
    done = make_server(HOMEPORT_OIDC_ISSUER="https://sso.example.com").run("check")
    assert done.returncode != 0
    assert "HOMEPORT_OIDC_ISSUER is set, but HOMEPORT_OIDC_CLIENT_ID is not" in done.stderr
