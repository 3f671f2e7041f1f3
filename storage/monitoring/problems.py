"""What is wrong with this server: every room is asked, and what all of them say is one list.

A room's `find_problems() -> list[Finding]` is cheap: one or two statements, and no wait for an engine of over a second.
"""

from collections.abc import Callable, Iterable

from storage import disk_space
from storage.archive import problems as archive
from storage.backups import problems as backups
from storage.errors import StorageError
from storage.events import problems as events
from storage.findings import Finding
from storage.monitoring import database, installation, job_queue, processes
from storage.scrubbing import problems as scrubbing

# Every room that can be ill.
ROOMS: tuple[Callable[[], list[Finding]], ...] = (
    disk_space.find_problems,
    processes.find_problems,
    database.find_problems,
    job_queue.find_problems,
    archive.find_problems,
    backups.find_problems,
    events.find_problems,
    scrubbing.find_problems,
    installation.find_problems,
)

UNCHECKED = Finding(
    "unchecked",
    "warn",
    "Not everything could be looked at, because an engine does not answer.",
    "Bring the engine back first: the rest is looked at again by itself.",
)


def find_problems(rooms: Iterable[Callable[[], list[Finding]]] = ROOMS) -> list[Finding]:
    """What is wrong, the bad first, else in the rooms' order. A room that cannot be asked is a finding too."""
    found: list[Finding] = []
    is_whole = True
    for ask in rooms:
        try:
            found += ask()
        except StorageError:
            is_whole = False
    if not is_whole:
        found.append(UNCHECKED)
    return sort(found)


def sort(found: Iterable[Finding]) -> list[Finding]:
    """The bad first."""
    return sorted(found, key=lambda finding: finding.level != "bad")
