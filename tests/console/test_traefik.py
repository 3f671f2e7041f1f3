"""Traefik's configuration says what nginx's and Caddy's say, and what the server is like.

Those two are tried in front of a server (`test_reverse_proxies.py`). Traefik is in no registry that the tests install from: PyPI,
Debian and npm do not have it. So its file is read as the YAML it is, and what Traefik makes of it no test tries.
"""

import re
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.urls import reverse
from environs import Env

from console.environment import read_ports
from console.server.limits import KEEP_ALIVE_SECONDS
from storage import limits
from tests.serving import ROOT

HTTP: dict[str, Any] = yaml.safe_load((ROOT / "deploy/traefik.yaml").read_text())["http"]
NGINX = (ROOT / "deploy/nginx.conf").read_text()
CADDY = (ROOT / "deploy/Caddyfile").read_text()
ROUTERS: dict[str, Any] = HTTP["routers"]
MB = 1_048_576


def found(pattern: str, text: str) -> list[str]:
    """What the pattern's group is, everywhere; fails where it is nowhere."""
    values: list[str] = re.findall(pattern, text, re.MULTILINE)
    assert values, pattern
    return values


def body_bytes(router: str) -> int:
    """How large a body may be that comes by this router."""
    (most,) = [
        HTTP["middlewares"][name]["buffering"]["maxRequestBodyBytes"]
        for name in ROUTERS[router]["middlewares"]
        if "buffering" in HTTP["middlewares"][name]
    ]
    return int(most)


def test_what_it_names_is_there_and_used() -> None:
    named = {name for router in ROUTERS.values() for name in router["middlewares"]}
    assert named == HTTP["middlewares"].keys()
    assert {router["service"] for router in ROUTERS.values()} == HTTP["services"].keys()
    assert {service["loadBalancer"]["serversTransport"] for service in HTTP["services"].values()} == HTTP[
        "serversTransports"
    ].keys()
    assert all({"entryPoints", "tls"} <= router.keys() for router in ROUTERS.values())


def test_it_goes_to_the_same_place_for_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOMEPORT_PORT", raising=False)
    balancer = HTTP["services"]["homeport"]["loadBalancer"]
    (server,) = balancer["servers"]
    place = urlsplit(server["url"])
    assert place.scheme == "http"
    assert {place.netloc} == set(found(r"^ +server ([\d.:]+);", NGINX)) == set(found(r"reverse_proxy (\S+) \{", CADDY))
    assert place.port == read_ports(Env())[0]
    names = {name for router in ROUTERS.values() for name in found(r"Host\(`(.+?)`\)", router["rule"])}
    assert names == set(found(r"server_name (\S+);", NGINX)) == set(found(r"^(\S+) \{$", CADDY))


def test_headers_come_as_from_the_others() -> None:
    """The host as the browser said it, and nothing that a client says in Forwarded; the rest they set by themselves."""
    assert HTTP["services"]["homeport"]["loadBalancer"]["passHostHeader"] is True
    assert found(r"proxy_set_header Host (\S+);", NGINX) == ["$http_host"]
    taken_away = found(r'proxy_set_header (Forwarded) "";', NGINX)
    assert taken_away == found(r"header_up -(Forwarded)$", CADDY)
    for router in ROUTERS.values():
        custom = HTTP["middlewares"][router["middlewares"][0]]["headers"]["customRequestHeaders"]
        # It makes no ids of requests, as the others do.
        assert custom == dict.fromkeys([*taken_away, "X-Request-ID"], "")
    assert found(r"proxy_set_header X-Request-ID (\S+);", NGINX) == ["$request_id"]
    assert found(r"header_up X-Request-ID (\S+)$", CADDY) == ["{http.request.uuid}"]


def test_bodies_may_be_as_large() -> None:
    usual, bundles = body_bytes("homeport"), body_bytes("homeport-bundles")
    assert [usual, bundles] == [int(size) * MB for size in found(r"client_max_body_size (\d+)m;", NGINX)]
    assert {usual, bundles} == {int(size) * MB for size in found(r"max_size (\d+)MiB", CADDY)}
    assert usual > limits.BODY_MAX_BYTES
    assert usual > limits.ARCHIVE_PART_BYTES
    assert bundles > limits.MICRO_BUNDLE_MAX_BYTES


def test_bundles_are_those_of_the_others_and_of_the_server() -> None:
    (pattern,) = found(r"PathRegexp\(`(.+?)`\)", ROUTERS["homeport-bundles"]["rule"])
    assert [pattern] == found(r"location ~ (\S+) \{", NGINX)
    (globs,) = set(found(r"path (.+)$", CADDY))
    own = reverse("micro-bundle", args=["abcdefghij", "my-app"])
    for path in (own, "/cli/collections/abcdefghij/micros/my-app/bundle"):
        assert re.search(pattern, path), path
        assert any(fnmatchcase(path, each) for each in globs.split()), path
    for path in ("/collections/abcdefghij/micros/my-app/", "/v1/abcdefghij/bundle/items", f"/x{own}", f"{own}more"):
        assert not re.search(pattern, path), path


@pytest.mark.parametrize(
    "text, pattern",
    [
        (HTTP["serversTransports"]["homeport"]["forwardingTimeouts"]["idleConnTimeout"], r"^(\d+)s$"),
        (NGINX, r"keepalive_timeout (\d+)s;"),
        (CADDY, r"keepalive (\d+)s$"),
    ],
    ids=["traefik", "nginx", "caddy"],
)
def test_idle_connections_are_closed_before_the_server_closes_them(text: str, pattern: str) -> None:
    """A request on one that is just being closed would be lost."""
    assert all(int(seconds) < KEEP_ALIVE_SECONDS for seconds in found(pattern, text))
    told = "".join((ROOT / f"deploy/{name}").read_text() for name in ("traefik.yaml", "nginx.conf", "Caddyfile"))
    assert set(found(r"Less than the (\d+) seconds", told)) == {str(KEEP_ALIVE_SECONDS)}
