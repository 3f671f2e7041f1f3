"""What is wrong with this server: every room is asked, and what all of them say is one list.

A room's `find_problems() -> list[Finding]` is cheap: one or two statements, and no wait for an engine of over a second.
"""

import logging
from collections.abc import Callable, Iterable

from storage import disk_space
from storage.archive import problems as archive
from storage.backups import problems as backups
from storage.errors import StorageError
from storage.events import problems as events
from storage.findings import Finding
from storage.monitoring import database, installation, job_queue, processes
from storage.s3 import durability
from storage.scrubbing import problems as scrubbing

logger = logging.getLogger(__name__)

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
    durability.find_problems,
)

UNCHECKED = Finding(
    "unchecked",
    "warn",
    "Not everything could be looked at.",
    "If an engine is down, bring it back first; else the log of “serve” says why. It is looked at again by itself.",
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
        except Exception:
            logger.exception("What is wrong could not be found out by %s", ask.__module__)
            is_whole = False
    if not is_whole:
        found.append(UNCHECKED)
    return sort(found)


def sort(found: Iterable[Finding]) -> list[Finding]:
    """The bad first."""
    return sorted(found, key=lambda finding: finding.level != "bad")
