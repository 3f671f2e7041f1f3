"""A collection with the guides' Micros, one with an app that does what it is told, and one beside it that must not suffer."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.collections import keys
from tests.embedded.servers import making_servers
from tests.micros_e2e.neighbours import Neighbours
from tests.people import Cast, make_cast
from tests.running_micros import MicroClient, deploy_micro
from tests.serving import Server

OBEDIENT = (Path(__file__).parent / "obedient.py").read_text()


@pytest.fixture(scope="session")
def guides(server: Server) -> Cast:
    return make_cast("The guides")


@pytest.fixture(scope="session")
def data_key(guides: Cast) -> str:
    """As somebody who looks at the data from elsewhere has one."""
    return keys.create_key(collection_id=guides.collection.id, name="From elsewhere").text


@pytest.fixture(scope="session")
def obedient(server: Server, guides: Cast) -> MicroClient:
    """It runs what it is sent; deployed as the console sends it."""
    return deploy_micro(server.url, guides.collection.id, {"main.py": OBEDIENT}, name="obedient")


@pytest.fixture(scope="session")
def neighbours(server: Server, guides: Cast, data_key: str) -> Neighbours:
    """What else the server serves meanwhile."""
    beside = deploy_micro(server.url, guides.collection.id, {"main.py": OBEDIENT}, name="beside")
    return Neighbours(server, beside, guides.collection.id, data_key)


@pytest.fixture
def make_server() -> Iterator[Callable[..., Server]]:
    """Servers of their own, with other settings, or to be killed."""
    with making_servers() as make:
        yield make
