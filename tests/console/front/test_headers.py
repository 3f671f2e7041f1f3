"""No header of ours reaches an app, and none that an app may not set reaches a client."""

from typing import Any

import pytest

from console import host_names, own_address
from console.front import headers, paths
from storage import request_ids


def given(**variables: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "https",
        "HTTP_HOST": "app.localhost:8000",
        **variables,
    }


def shown(environ: dict[str, Any], *, takes_key: bool = False) -> dict[str, str]:
    token = request_ids.request_id.set("ours")
    try:
        return dict(headers.for_app(environ, event_id="the-id", body_bytes=None, takes_key=takes_key))
    finally:
        request_ids.request_id.reset(token)


def test_an_app_learns_who_asked_for_what() -> None:
    assert shown(given(HTTP_ACCEPT="*/*", CONTENT_TYPE="text/plain")) == {
        "host": "app.localhost:8000",
        "accept": "*/*",
        "content-type": "text/plain",
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "app.localhost:8000",
        "x-homeport-request": "the-id",
        "x-request-id": "ours",
        "connection": "close",
    }


@pytest.mark.parametrize(
    "variable",
    [
        "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_PROTO",
        "HTTP_X_FORWARDED_HOST",
        "HTTP_X_FORWARDED_PORT",
        "HTTP_FORWARDED",
        "HTTP_X_HOMEPORT_REQUEST",
        "HTTP_X_REQUEST_ID",
        "HTTP_CONNECTION",
        "HTTP_TRANSFER_ENCODING",
        "HTTP_UPGRADE",
        "HTTP_TE",
        "HTTP_PROXY_AUTHORIZATION",
        "HTTP_KEEP_ALIVE",
        "HTTP_EXPECT",
    ],
)
def test_what_a_caller_may_not_say_to_an_app_is_taken_out(variable: str) -> None:
    assert "made up" not in shown(given(**{variable: "made up"})).values()


def test_a_header_that_connection_names_stays_behind() -> None:
    assert "x-hop" not in shown(given(HTTP_CONNECTION="keep-alive, X-Hop", HTTP_X_HOP="1"))


def test_the_apps_own_key_passes_and_ours_does_not() -> None:
    environ = given(HTTP_X_API_KEY="a key")
    assert shown(environ)["x-api-key"] == "a key"
    assert "x-api-key" not in shown(environ, takes_key=True)


def test_our_cookies_stay_behind() -> None:
    environ = given(HTTP_COOKIE="a=1; homeport_visitor=x; __Host-homeport_visitor=y; homeport_state=z; session=own")
    assert shown(environ)["cookie"] == "a=1; session=own"
    assert "cookie" not in shown(given(HTTP_COOKIE="homeport_visitor=x"))


@pytest.mark.parametrize(
    "cookie, passes",
    [
        ("a=1", True),
        ("a=1; Path=/; HttpOnly", True),
        ("a=1; Domain=app.localhost", True),
        ("a=1; domain=.app.localhost", True),
        ("a=1; Domain=localhost", False),
        ("a=1; DOMAIN = .localhost", False),
        ("a=1; Domain=other.localhost", False),
        ('a=1; Domain="localhost"', False),
        ("a=1; Path=/; Domain=example.org; Secure", False),
        ("homeport_visitor=1", False),
        ("__Host-homeport_visitor=1; Path=/; Secure", False),
        ("homeport_state=1", False),
    ],
)
def test_an_app_sets_cookies_of_its_own_host_alone(cookie: str, passes: bool) -> None:
    assert (("Set-Cookie", cookie) in headers.for_client([("Set-Cookie", cookie)], host="app.localhost")) is passes


def test_headers_of_the_connection_to_the_app_stay_behind() -> None:
    answered = [("Connection", "close, X-Hop"), ("X-Hop", "1"), ("Transfer-Encoding", "chunked"), ("X-Own", "2")]
    assert headers.for_client(answered, host="app.localhost") == [("X-Own", "2")]


@pytest.mark.parametrize(
    "path, is_ours",
    [
        ("/", False),
        ("/run", False),
        ("/x/__homeport/run", False),
        ("/__homeport", True),
        ("/__homeport/run", True),
        ("//__homeport/run", True),
        ("/./__homeport/run", True),
        ("/x/../__homeport/cron", True),
        ("/__space/v0/actions", True),
        ("/__spaces", False),
    ],
)
def test_paths_of_ours(path: str, is_ours: bool) -> None:
    assert paths.is_reserved(path) is is_ours


@pytest.mark.parametrize(
    "path, kept",
    [
        ("/a?b=c", "/a?b=c"),
        ("", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
    ],
)
def test_only_a_path_of_the_same_host_is_gone_on_to(path: str, kept: str) -> None:
    assert paths.local_path(path) == kept


@pytest.mark.parametrize(
    "host, is_possible",
    [
        ("app.localhost", True),
        ("APP.localhost:8000", True),
        ("app.localhost.", True),
        ("localhost", False),
        ("localhost:8000", False),
        ("127.0.0.1:8000", False),
        ("[::1]:8000", False),
        ("192.0.2.7", False),
        ("shop.example.org", True),
        ("", False),
    ],
)
def test_which_names_may_be_a_micros(host: str, is_possible: bool) -> None:
    assert host_names.may_be_a_micros(host) is is_possible


def test_the_console_is_found_from_a_micros_address() -> None:
    assert host_names.console_host("app.localhost:8000") == f"{own_address.host()}:8000"
    assert host_names.console_host("shop.example.org") == own_address.host()


def test_a_console_with_a_name_is_found_by_it(settings: Any) -> None:
    settings.GIVEN_HOSTS = ["*", ".example.com", "console.example.org", "other.example.org"]
    assert host_names.console_host("shop.example.org:8443") == "console.example.org:8443"
