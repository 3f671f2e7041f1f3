"""Which host runs this server's Micros, and where this machine keeps them."""

import sys
from collections.abc import Callable, Sequence
from uuid import UUID

from django.conf import settings

from storage.embedded.micros.client import EmbeddedHost
from storage.embedded.micros.places import Places, places
from storage.errors import HostUnreachable
from storage.micros.host import (
    Answered,
    Built,
    Call,
    Cloned,
    Fault,
    FaultKind,
    GitSource,
    MicroHost,
    State,
    Status,
    Tried,
    Wanted,
)

SWITCHED_OFF = "Micros are switched off on this server (HOMEPORT_MICROS)."
NEEDS_LINUX = "Micros need Linux: no other system has what walls them off."


def can_run() -> bool:
    """Whether this server tries to run any. What it finds then, `MicroHost.why_off` tells."""
    return settings.MICROS_ARE_ON and sys.platform == "linux"


def the_host() -> MicroHost:
    """What runs Micros here, as every process of the server reaches it."""
    if not can_run():
        return _NoHost(NEEDS_LINUX if settings.MICROS_ARE_ON else SWITCHED_OFF)
    return EmbeddedHost(
        the_places(),
        build_seconds=settings.MICRO_BUILD_SECONDS,
        start_seconds=settings.MICRO_START_SECONDS,
        request_seconds=settings.MICRO_REQUEST_SECONDS,
    )


def the_places() -> Places:
    """Where this machine keeps what Micros run with. Raises HostUnreachable when `serve` never ran here."""
    state = settings.LOCAL_STATE
    if state is None:
        raise HostUnreachable
    return places(state.home(settings.DATA))


class _NoHost:
    """Runs nothing, and says why."""

    def __init__(self, why: str) -> None:
        self._fault = Fault(FaultKind.OFF, why)

    def why_off(self) -> str:
        return self._fault.message

    def runtimes(self) -> Sequence[str]:
        return []

    def statuses(self, micro_ids: Sequence[str]) -> dict[str, Status]:
        return {micro_id: Status(State.FAILED, fault=self._fault) for micro_id in micro_ids}

    def changed(self, micro_id: str) -> None:
        pass

    def replace(self, micro_id: str) -> None:
        pass

    def stop(self, micro_id: str) -> None:
        pass

    def invoke(self, call: Call, *, meanwhile: Callable[[], None]) -> Answered:
        return Answered(fault=self._fault)

    def install(self, wanted: Wanted, *, tell: Callable[[str], None]) -> Built:
        return Built(is_done=False, reason=self._fault.message)

    def clone(self, source: GitSource, source_id: UUID) -> Cloned:
        return Cloned(is_done=False, reason=self._fault.message)

    def try_out(self, wanted: Wanted) -> Tried:
        return Tried(fault=self._fault)
