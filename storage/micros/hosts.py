"""Which host runs this server's Micros, and where this machine keeps them."""

from collections.abc import Callable, Sequence

from django.conf import settings

from storage.embedded.micros.client import EmbeddedHost
from storage.embedded.micros.places import Places, places
from storage.errors import HostUnreachable
from storage.micros.host import Built, Fault, FaultKind, MicroHost, State, Status, Tried, Wanted

SWITCHED_OFF = "Micros are switched off on this server (HOMEPORT_MICROS)."


def the_host() -> MicroHost:
    """What runs Micros here, as every process of the server reaches it."""
    if not settings.MICROS_ARE_ON:
        return _NoHost()
    return EmbeddedHost(
        the_places().control,
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
    """Runs nothing, and says so."""

    _fault = Fault(FaultKind.OFF, SWITCHED_OFF)

    def why_off(self) -> str:
        return SWITCHED_OFF

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

    def install(self, wanted: Wanted, *, tell: Callable[[str], None]) -> Built:
        return Built(is_done=False, reason=SWITCHED_OFF)

    def try_out(self, wanted: Wanted) -> Tried:
        return Tried(fault=self._fault)
