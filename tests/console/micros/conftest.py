"""Micros as pages show them, on a host that says what a test wants it to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from storage.micros import hosts
from storage.micros.host import Status
from storage.models import Deployment, Micro
from storage.postgres import clock
from tests.micros import ToldHost, hosted_by, make_micro
from tests.people import Cast


@dataclass
class ShownHost(ToldHost):
    """A host whose Micros are in the states that it was told."""

    off: str = ""
    states: dict[str, Status] = field(default_factory=dict)

    def why_off(self) -> str:
        return self.off

    def statuses(self, micro_ids: Sequence[str]) -> dict[str, Status]:
        return {micro_id: self.states.get(micro_id, Status()) for micro_id in micro_ids}


@pytest.fixture
def host(undone: None) -> Iterator[ShownHost]:
    told = ShownHost()
    with hosted_by(told, hosts.the_places()):
        yield told


@pytest.fixture
def micro(host: ShownHost, people: Cast) -> Micro:
    """A Micro of the people's collection, without code."""
    # No other test has this address, whose Micros may be there for good.
    return make_micro("hello", collection_id=people.collection.id, subdomain="quillwort")


@pytest.fixture
def url(micro: Micro) -> str:
    return f"/collections/{micro.collection_id}/micros/{micro.id}/"


def make_deployment(micro: Micro, state: str = "done", *, serves: bool = False, **more: object) -> Deployment:
    """A row alone: there is no code behind it."""
    number = Deployment.objects.filter(micro=micro).count() + 1
    made = Deployment.objects.create(micro=micro, number=number, runtime="python", state=state, **more)
    if serves:
        Micro.objects.filter(id=micro.id).update(deployment=made, deployed_at=clock.now())
    return made
