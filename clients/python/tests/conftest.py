"""The client speaks to the run's own server, once over http and once over https, as its environment tells it to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from clients.python.tests.faulty import FaultyProxy
from tests.factories import make_client

from deta import Deta
from deta.deta import _deta_of

VARIABLES = ("DETA_PROJECT_KEY", "DETA_BASE_HOST", "DETA_DRIVE_HOST", "HOMEPORT_URL")


@dataclass(frozen=True)
class Place:
    """A new collection, and a data key of it."""

    server: Any
    collection_id: str
    key: str


@pytest.fixture
def place(server: Any, database: None) -> Place:
    made = make_client(server)
    return Place(server, made.collection_id, made.key_text)


@pytest.fixture(params=["http", "https"])
def environment(request: pytest.FixtureRequest, place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """What an app finds in its environment: over https just as the original client wants it, over http our own variable."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DETA_PROJECT_KEY", place.key)
    if request.param == "http":
        monkeypatch.setenv("HOMEPORT_URL", place.server.url)
    else:
        host = urlsplit(place.server.tls_url).netloc
        monkeypatch.setenv("DETA_BASE_HOST", host)
        monkeypatch.setenv("DETA_DRIVE_HOST", host)
        monkeypatch.setenv("SSL_CERT_FILE", str(place.server.ca_path))
    yield place
    _deta_of(place.key).close()


@pytest.fixture
def deta(environment: Place) -> Iterator[Deta]:
    with Deta() as made:
        yield made


@pytest.fixture
def plain(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deta]:
    """A client over http alone, for what has nothing to do with the connection."""
    monkeypatch.setenv("HOMEPORT_URL", place.server.url)
    for name in ("DETA_BASE_HOST", "DETA_DRIVE_HOST"):
        monkeypatch.delenv(name, raising=False)
    with Deta(place.key) as made:
        yield made


@pytest.fixture
def proxy(place: Place) -> Iterator[FaultyProxy]:
    """A way to the server on which things go wrong."""
    with FaultyProxy(place.server.url) as running:
        yield running


@pytest.fixture
def through_proxy(place: Place, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deta]:
    """A client that goes that way."""
    for name in ("DETA_BASE_HOST", "DETA_DRIVE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOMEPORT_URL", proxy.url)
    with Deta(place.key) as made:
        yield made
