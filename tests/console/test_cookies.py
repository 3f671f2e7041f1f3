"""One server by http and by https: neither's cookies are the other's, and those of https are `Secure`."""

import ssl
from typing import Any

import httpx
import pytest
from django.test import Client

from tests.people import PASSWORD, make_person
from tests.waiting import MOMENT_SECONDS


@pytest.fixture
def trust(server: Any) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(server.ca_path))


def sign_in(http: httpx.Client, name: str, prefix: str = "") -> httpx.Response:
    http.get("/sign-in/")
    token = http.cookies[f"{prefix}csrftoken"]
    headers = {"Referer": f"{http.base_url}/sign-in/"}
    form = {"username": name, "password": PASSWORD, "csrfmiddlewaretoken": token}
    return http.post("/sign-in/", data=form, headers=headers)


def test_over_https_every_cookie_is_secure_and_named_so(server: Any, database: None, trust: ssl.SSLContext) -> None:
    person = make_person()
    with httpx.Client(base_url=server.tls_url, verify=trust, timeout=MOMENT_SECONDS) as https:
        answer = sign_in(https, person.username, "__Host-")
        assert answer.status_code == 302
        cookies = answer.headers.get_list("Set-Cookie")
        assert {cookie.partition("=")[0] for cookie in cookies} >= {"__Host-sessionid", "__Host-csrftoken"}
        for cookie in cookies:
            assert cookie.startswith("__Host-")
            assert "; Secure" in cookie
            assert "; Path=/" in cookie
            assert "Domain" not in cookie
        assert https.get("/").status_code == 200
        out = https.post(
            "/sign-out/",
            headers={"Referer": server.tls_url, "X-CSRFToken": https.cookies["__Host-csrftoken"]},
        )
        assert out.status_code == 302
        assert "__Host-sessionid" not in https.cookies


def test_over_http_none_is(server: Any, database: None, trust: ssl.SSLContext) -> None:
    person = make_person()
    with httpx.Client(base_url=server.url, timeout=MOMENT_SECONDS) as http:
        answer = sign_in(http, person.username)
        cookies = answer.headers.get_list("Set-Cookie")
        assert {cookie.partition("=")[0] for cookie in cookies} >= {"sessionid", "csrftoken"}
        assert not any("Secure" in cookie or cookie.startswith("__Host-") for cookie in cookies)
        assert http.get("/").status_code == 200
        session = http.cookies["sessionid"]
    # The one is not taken for the other: whoever can write into a plain connection puts no session into the encrypted one.
    for name, url in (("sessionid", server.tls_url), ("__Host-sessionid", server.url)):
        answer = httpx.get(f"{url}/", headers={"Cookie": f"{name}={session}"}, verify=trust)
        assert (answer.status_code, "/sign-in/" in answer.headers["Location"]) == (302, True), url


def test_the_scheme_of_a_trusted_proxy_counts(server: Any, database: None, client: Client) -> None:
    """The proxy's word for it becomes the request's scheme in `wsgi.py`, which is all that the cookies go by."""
    answer = client.get("/sign-in/", secure=True, headers={"Host": "localhost"})
    assert set(answer.cookies) == {"__Host-csrftoken"}
    assert answer.cookies["__Host-csrftoken"]["secure"]
