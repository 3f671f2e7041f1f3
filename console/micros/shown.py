"""What the pages of one Micro have in common: the gate, the Micro, and what it is doing."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest

from console import access
from console.micros.addresses import address_of
from storage.collections.roles import CollectionAccess
from storage.errors import HostUnreachable, MicroNotFound
from storage.micros import hosts, micros
from storage.micros.host import Fault, FaultKind, State, Status
from storage.models import Deployment, Micro, Role

UNDER_WAY = (Deployment.State.QUEUED, Deployment.State.BUILDING, Deployment.State.STARTING)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a Micro is doing, in a word, and how its dot looks. `fault` says why it gives no answer."""

    word: str
    dot: str = ""
    memory_bytes: int = 0
    status: Status | None = None
    fault: Fault | None = None

    @property
    def reason(self) -> str:
        """The first line of why it failed."""
        return self.fault.message.splitlines()[0] if self.fault and self.fault.message else ""


_CONDITIONS = {
    State.ASLEEP: ("asleep", ""),
    State.STARTING: ("starting", "dot-moving"),
    State.RUNNING: ("running", "dot-good"),
    State.FAILED: ("failed", "dot-bad"),
}


def find(
    request: HttpRequest, collection_id: str, micro_id: str, *, at_least: Role = Role.READER
) -> tuple[CollectionAccess, Micro]:
    """The gate of a Micro's pages, and the Micro. Raises Http404 and PermissionDenied."""
    granted = access.by_person(request, collection_id, at_least=at_least)
    try:
        return granted, micros.find_micro(collection_id=collection_id, micro_id=micro_id)
    except MicroNotFound as error:
        raise Http404(error.messages[0]) from None


def page_of(request: HttpRequest, granted: CollectionAccess, micro: Micro, part: str, **more: Any) -> dict[str, Any]:
    """What every page of a Micro shows, and what this one does; `part` is its sub-tab."""
    why_off = find_why_off()
    return {
        "granted": granted,
        "tab": "micros",
        "part": part,
        "micro": micro,
        "address": address_of(request, micro),
        "why_off": why_off,
        "condition": conditions_of([micro], why_off=why_off)[micro.id],
        **more,
    }


def find_why_off() -> str:
    """Why no Micro runs here; empty when they do."""
    try:
        return hosts.the_host().why_off()
    except HostUnreachable as error:
        return error.messages[0] + "."


def conditions_of(found: list[Micro], *, why_off: str) -> dict[str, Condition]:
    """What these are doing. Where none can run, nothing is asked."""
    statuses: dict[str, Status] = {}
    if found and not why_off:
        try:
            statuses = hosts.the_host().statuses([micro.id for micro in found])
        except HostUnreachable:
            why_off = HostUnreachable.default
    return {micro.id: _condition(micro, statuses.get(micro.id), why_off) for micro in found}


def _condition(micro: Micro, status: Status | None, why_off: str) -> Condition:
    if micro.deployment_id is None:
        return Condition("nothing deployed yet")
    if status is None or (status.fault is not None and status.fault.kind is FaultKind.OFF):
        return Condition("off", fault=Fault(FaultKind.OFF, why_off))
    word, dot = _CONDITIONS[status.state]
    return Condition(word, dot, status.memory_bytes, status, status.fault)
