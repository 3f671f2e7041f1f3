"""Who a trusted proxy says is asking, and that nobody else is believed."""

import pytest

from console.server.proxies import TrustedProxies


def corrected(trusted: list[str], client: str, **told: str) -> tuple[str, str]:
    environ = {"REMOTE_ADDR": client, "wsgi.url_scheme": "http", **told}
    TrustedProxies(trusted).correct(environ)
    return environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]


@pytest.mark.parametrize(
    "trusted, client, forwarded, found",
    [
        ([], "10.0.0.1", "192.0.2.9", "10.0.0.1"),
        (["10.0.0.1"], "10.0.0.2", "192.0.2.9", "10.0.0.2"),
        (["10.0.0.1"], "10.0.0.1", "192.0.2.9", "192.0.2.9"),
        (["10.0.0.0/8"], "10.9.9.9", "192.0.2.9", "192.0.2.9"),
        (["10.0.0.0/8"], "10.0.0.1", "1.1.1.1, 192.0.2.9, 10.0.0.7", "192.0.2.9"),
        (["10.0.0.0/8"], "10.0.0.1", "10.0.0.8, 10.0.0.7", "10.0.0.8"),
        (["10.0.0.0/8"], "::ffff:10.0.0.1", "192.0.2.9", "192.0.2.9"),
        (["fd00::/8"], "fd00::1", "2001:db8::1", "2001:db8::1"),
        (["10.0.0.1"], "10.0.0.1", "", "10.0.0.1"),
        (["10.0.0.1"], "not an address", "192.0.2.9", "not an address"),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy(trusted: list[str], client: str, forwarded: str, found: str) -> None:
    assert corrected(trusted, client, HTTP_X_FORWARDED_FOR=forwarded)[0] == found


@pytest.mark.parametrize(
    "told, scheme", [("https", "https"), ("http, https", "https"), ("HTTPS", "https"), ("ftp", "http"), ("", "http")]
)
def test_the_scheme_is_what_the_nearest_proxy_says(told: str, scheme: str) -> None:
    assert corrected(["10.0.0.1"], "10.0.0.1", HTTP_X_FORWARDED_PROTO=told)[1] == scheme
    assert corrected(["10.0.0.1"], "10.0.0.2", HTTP_X_FORWARDED_PROTO=told)[1] == "http"
