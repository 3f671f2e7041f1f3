"""What all instances on this machine share, and what the supervisor is given to work with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from storage import limits
from storage.embedded.micros.egress import Egress
from storage.embedded.micros.launching import Launcher
from storage.embedded.micros.places import Places
from storage.micro_host import Line, Wanted
from storage.micro_masking import Masking


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long things may take, and how much memory the processes of an instance may have.

    `finish_seconds` is what an instance that was told to finish gets beyond the time of a request.
    """

    request_seconds: float = 10.0
    finish_seconds: float = 3.0
    start_seconds: float = 30.0
    build_seconds: float = 300.0
    git_seconds: float = limits.GIT_SECONDS
    memory_bytes: int = 512 * 1_048_576


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`fetch` has a deployment's folders there, or raises with a sentence; `tell` takes a line for a Micro's log, and
    what takes that Micro's secrets out of it.

    `now` is the clock that all processes share, in seconds.
    """

    places: Places
    launcher: Launcher
    egress: Egress
    bounds: Bounds
    fetch: Callable[[Wanted], Awaitable[None]]
    tell: Callable[[Line, Masking], None]
    now: Callable[[], float]
