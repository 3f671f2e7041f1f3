"""Who a trusted proxy says is asking, for which host and over what, and that nobody else is believed."""

import pytest

from console.server.forwarded import Forwarded, read_forwarded
from console.server.proxies import IS_BELIEVED, REQUEST_ID, TrustedProxies, correct_behind_caddy

NAME = "home.example.org"


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
        (["10.0.0.1"], "10.0.0.1", "192.0.2.9:4711", "192.0.2.9"),
        (["10.0.0.1"], "10.0.0.1", "[2001:db8::1]:4711, 10.0.0.1", "2001:db8::1"),
        (["10.0.0.1"], "10.0.0.1", "192.0.2.9, unknown", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy(trusted: list[str], client: str, forwarded: str, found: str) -> None:
    assert corrected(trusted, client, HTTP_X_FORWARDED_FOR=forwarded)[0] == found


@pytest.mark.parametrize(
    "told, taken",
    [
        ("a", True),
        ("A.b_c-9" * 18, True),
        ("a" * 129, False),
        ("", False),
        ("a b", False),
        ("a,b", False),
        ("é", False),
        ("a\n", False),
        ("(request x)", False),
    ],
    ids=["short", "long", "too long", "empty", "space", "two", "not ASCII", "line", "forged"],
)
def test_an_id_is_taken_from_a_trusted_proxy_alone(told: str, taken: bool) -> None:
    for client, expected in (("10.0.0.1", told if taken else "ours"), ("10.0.0.2", "ours")):
        environ = {"REMOTE_ADDR": client, "wsgi.url_scheme": "http", REQUEST_ID: "ours", "HTTP_X_REQUEST_ID": told}
        TrustedProxies(["10.0.0.1"]).correct(environ)
        assert environ[REQUEST_ID] == expected
    environ = {"wsgi.url_scheme": "http", REQUEST_ID: "ours", "HTTP_X_REQUEST_ID": told}
    correct_behind_caddy(environ)
    assert environ[REQUEST_ID] == (told if taken else "ours")


@pytest.mark.parametrize(
    "told, scheme", [("https", "https"), ("http, https", "https"), ("HTTPS", "https"), ("ftp", "http"), ("", "http")]
)
def test_the_scheme_is_what_the_nearest_proxy_says(told: str, scheme: str) -> None:
    assert corrected(["10.0.0.1"], "10.0.0.1", HTTP_X_FORWARDED_PROTO=told)[1] == scheme
    assert corrected(["10.0.0.1"], "10.0.0.2", HTTP_X_FORWARDED_PROTO=told)[1] == "http"


@pytest.mark.parametrize(
    "told, clients, scheme",
    [
        ("https, http", "192.0.2.9, 10.0.0.7", "https"),
        ("http, https", "192.0.2.9, 10.0.0.7", "http"),
        # The client has made up the first of each.
        ("https, http", "198.51.100.1, 192.0.2.9", "http"),
        ("https, http", "192.0.2.9", "https"),
        ("https, http", "", "https"),
        ("https,https", "192.0.2.9", "https"),
        ("http, http", "", "http"),
    ],
)
def test_of_two_schemes_the_outermost_proxys_counts(told: str, clients: str, scheme: str) -> None:
    found = corrected(["10.0.0.0/8"], "10.0.0.1", HTTP_X_FORWARDED_PROTO=told, HTTP_X_FORWARDED_FOR=clients)
    assert found[1] == scheme


def is_ours(host: str) -> bool:
    return host.partition(":")[0] in (NAME, "localhost")


def is_given(host: str) -> bool:
    return host.partition(":")[0] == NAME


def host_of(client: str = "10.0.0.1", **told: str) -> str:
    environ = {"REMOTE_ADDR": client, "wsgi.url_scheme": "http", "HTTP_HOST": "127.0.0.1:8000", **told}
    TrustedProxies(["10.0.0.1"], is_ours=is_ours, is_given=is_given).correct(environ)
    return environ["HTTP_HOST"]


@pytest.mark.parametrize(
    "told, host",
    [
        ({"HTTP_X_FORWARDED_HOST": NAME}, NAME),
        ({"HTTP_X_FORWARDED_HOST": f"{NAME}:8443"}, f"{NAME}:8443"),
        ({"HTTP_X_FORWARDED_HOST": f"{NAME}, inner.example"}, NAME),
        # A client's own word, which the proxy passed on or added to.
        ({"HTTP_X_FORWARDED_HOST": f"evil.example, {NAME}"}, NAME),
        ({"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_HOST": NAME}, NAME),
        # It may be a Micro's own domain.
        ({"HTTP_X_FORWARDED_HOST": "www.example.com"}, "www.example.com"),
        ({"HTTP_FORWARDED": f'for=192.0.2.9;host="{NAME}:8443";proto=https'}, f"{NAME}:8443"),
        ({"HTTP_FORWARDED": f"host={NAME}, for=10.0.0.7;host=inner.example"}, NAME),
        # The usual port is none, and one that the proxy left out is the page's.
        ({"HTTP_HOST": f"{NAME}:443", "HTTP_X_FORWARDED_PROTO": "https"}, NAME),
        ({"HTTP_HOST": f"{NAME}:80"}, NAME),
        ({"HTTP_HOST": f"{NAME}:8443", "HTTP_X_FORWARDED_PROTO": "https"}, f"{NAME}:8443"),
        ({"HTTP_HOST": NAME, "HTTP_ORIGIN": f"http://{NAME}:8080"}, f"{NAME}:8080"),
        ({"HTTP_HOST": NAME, "HTTP_REFERER": f"http://{NAME}:8080/sign-in/"}, f"{NAME}:8080"),
        (
            {"HTTP_HOST": NAME, "HTTP_ORIGIN": f"http://{NAME}:8080", "HTTP_SEC_FETCH_SITE": "same-origin"},
            f"{NAME}:8080",
        ),
        # Another service of the same machine.
        ({"HTTP_HOST": NAME, "HTTP_ORIGIN": f"http://{NAME}:8080", "HTTP_SEC_FETCH_SITE": "same-site"}, NAME),
        ({"HTTP_HOST": NAME, "HTTP_ORIGIN": "http://evil.example:8080"}, NAME),
        ({"HTTP_HOST": NAME, "HTTP_ORIGIN": f"https://{NAME}:8080"}, NAME),
        ({"HTTP_HOST": NAME, "HTTP_ORIGIN": "http://[::1"}, NAME),
        ({"HTTP_HOST": f"{NAME}:8080", "HTTP_ORIGIN": f"http://{NAME}:9090"}, f"{NAME}:8080"),
        ({"HTTP_X_FORWARDED_HOST": NAME, "HTTP_X_FORWARDED_PORT": "8080"}, f"{NAME}:8080"),
        ({"HTTP_X_FORWARDED_HOST": NAME, "HTTP_X_FORWARDED_PORT": "80"}, NAME),
    ],
)
def test_the_host_is_what_the_browser_asked_for(told: dict[str, str], host: str) -> None:
    assert host_of(**told) == host
    kept = told.get("HTTP_HOST", "127.0.0.1:8000")
    assert host_of("10.0.0.2", **told) == kept


@pytest.mark.parametrize(
    "header, found",
    [
        ("", None),
        ("for=192.0.2.9;proto=https", Forwarded(["192.0.2.9"], ["https"], [""])),
        ('For="[2001:db8::17]:4711" ; host="a\\"b"', Forwarded(["[2001:db8::17]:4711"], [""], ['a"b'])),
        ("for=192.0.2.9, for=10.0.0.7;proto=http;by=_x", Forwarded(["192.0.2.9", "10.0.0.7"], ["", "http"], ["", ""])),
        ("nonsense", None),
        ('for="192.0.2.9', None),
        ("for=a b", None),
    ],
)
def test_the_header_of_rfc_7239_is_read(header: str, found: Forwarded | None) -> None:
    assert read_forwarded({"HTTP_FORWARDED": header}) == found


def test_the_header_of_rfc_7239_tells_who_asks() -> None:
    told = 'for=198.51.100.1;proto=http, for="192.0.2.9:4711";proto=https, for=10.0.0.7;proto=http'
    assert corrected(["10.0.0.0/8"], "10.0.0.1", HTTP_FORWARDED=told) == ("192.0.2.9", "https")
    assert corrected(["10.0.0.0/8"], "192.0.2.1", HTTP_FORWARDED=told) == ("192.0.2.1", "http")
    # What a proxy does not write itself may be its client's.
    assert corrected(["10.0.0.1"], "10.0.0.1", HTTP_FORWARDED=told, HTTP_X_FORWARDED_PROTO="http")[1] == "http"


@pytest.mark.parametrize(
    "client, told, is_believed",
    [
        ("10.0.0.1", {}, True),
        ("10.0.0.1", {"HTTP_X_FORWARDED_PROTO": "https"}, True),
        ("10.0.0.2", {"HTTP_X_FORWARDED_PROTO": "https"}, False),
        ("10.0.0.2", {}, None),
    ],
)
def test_it_is_known_whether_somebody_was_believed(client: str, told: dict[str, str], is_believed: bool | None) -> None:
    environ = {"REMOTE_ADDR": client, "wsgi.url_scheme": "http", **told}
    TrustedProxies(["10.0.0.1"]).correct(environ)
    assert environ.get(IS_BELIEVED) is is_believed
