"""What stands behind an answer to a write: how often each system syncs to the disk for one, counted.

Writes come one after another, so that none shares a sync with another. With many at once PostgreSQL syncs several commits
together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.load.workload import Workload
from bench.measures.files import Store
from bench.meters.syncs import count_syncs
from bench.systems.system import System
from bench.tables import Table

WRITES = 50
CONTENT = bytes(1024)
PUT, FILE = "put", "file of 1 KB"


@dataclass(frozen=True)
class Writes:
    """What is counted of one system: puts of items, puts of files, or both."""

    system: System
    name: str
    put: bool = True
    store: Store | None = None


def measure_durability(
    counted: Sequence[Writes], workload: Workload, folder: Path, *, say: Callable[[str], None]
) -> tuple[Table, dict[tuple[str, str], float]]:
    """Syncs for a write, by the system's name and what is written; what could not be counted is missing."""
    found: dict[tuple[str, str], float] = {}
    for writes in counted:
        say(f"counting the syncs of {writes.name}")
        kinds: dict[str, Callable[[], None]] = {}
        if writes.put:
            kinds[PUT] = lambda system=writes.system: _put(system, workload)  # type: ignore[misc]
        if writes.store is not None:
            kinds[FILE] = lambda store=writes.store: _put_files(store)  # type: ignore[misc]
        for kind, run in kinds.items():
            calls = count_syncs(writes.system.tree(), run, folder / "syncs")
            if calls is not None:
                found[writes.name, kind] = calls / WRITES
    lines = [(each.name, *(_told(found, each.name, kind) for kind in (PUT, FILE))) for each in counted]
    systems = {each.system.name: each.system.durability for each in counted}
    notes = [f"{name}: {durability}." for name, durability in systems.items()]
    notes.append(f"Counted by strace over {WRITES} writes, one after another.")
    return Table("Syncs to the disk for a write", ("syncs for a write", PUT, FILE), lines, notes), found


def _told(found: dict[tuple[str, str], float], name: str, kind: str) -> str:
    return f"{found[name, kind]:.1f}" if (name, kind) in found else "-"


def _put(system: System, workload: Workload) -> None:
    with httpx.Client(base_url=system.origin, headers=system.headers, timeout=60) as client:
        for ask in workload.asks("put")[:WRITES]:
            request = system.request(ask)
            client.request(request.method, request.path, content=request.body).raise_for_status()


def _put_files(store: Store) -> None:
    for number in range(WRITES):
        store.put(number, CONTENT)
