"""What runs Micros, as the rest of the code sees it: `storage/embedded/micros/` on this machine, or a cluster in its place.

Pure: the words that both sides use, so it stands beside their rooms. A Micro is known by its id, a version of it by its
deployment's id.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Protocol

# By this header a Micro learns which request it prints for; it never sees it itself.
REQUEST_ID_HEADER = "x-homeport-request"


class State(StrEnum):
    """What a Micro is doing."""

    ASLEEP = "asleep"
    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"  # its last start did not come to an end; the next request tries again


class FaultKind(StrEnum):
    """Why a Micro gives no answer."""

    OFF = "off"  # this machine has no sandbox, or Micros are switched off
    UNDEPLOYED = "undeployed"  # there is no code yet
    CRASHED = "crashed"  # it ended while it started, or soon after
    SLOW_START = "slow_start"
    NO_SERVER = "no_server"  # it only has `run` and `cron` functions
    MEMORY = "memory"  # it was ended for using too much
    SLOW = "slow"  # it was there, and took longer than it may


class Source(IntEnum):
    """Who printed a line; the numbers are those of `storage.models.MicroLine`."""

    OUTPUT = 0
    ERROR = 1
    SERVER = 2  # what we have to say: started, stopped, killed and why
    BUILD = 3


@dataclass(frozen=True, slots=True)
class Line:
    """A line that a Micro or its installer printed, without its end; `at` is in UTC.

    `request_id` is the event of the request it was printed for. Of a longer one than `MICRO_LINE_MAX_CHARACTERS` the rest is left
    out.
    """

    micro_id: str
    at: datetime
    text: str
    source: Source = Source.OUTPUT
    deployment_id: uuid.UUID | None = None
    request_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why it gives no answer, in words for people; `output` is the end of what it printed, its traceback among it."""

    kind: FaultKind
    message: str
    output: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """One Micro on this machine. `deployment_id` is the one that the next request gets.

    `ready_at` is on the clock of `time.monotonic()`, which all processes share. `fault` is why it failed, or, while it is
    starting, why the one before ended, if that was for a reason.
    """

    state: State = State.ASLEEP
    deployment_id: uuid.UUID | None = None
    started_at: datetime | None = None
    ready_at: float | None = None
    memory_bytes: int = 0
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What should run for a Micro: everything that starting it takes.

    `runtime` is `python` or `node`, `version` what was asked for (`3.9`), or empty. `variables` are the person's own;
    `data_key` is the key to its collection. `version_number` changes with every change that needs a new instance.
    """

    micro_id: str
    collection_id: str
    deployment_id: uuid.UUID
    dependencies_id: uuid.UUID | None
    runtime: str
    version: str
    version_number: int
    hostname: str
    data_key: str
    variables: Mapping[str, str] = field(default_factory=dict)
    idle_seconds: float = 300.0
    is_kept_warm: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """What became of an installation: `runs_on` says what will run it (`Python 3.11.7`), `reason` why it failed."""

    is_done: bool
    runs_on: str = ""
    reason: str = ""
    dependencies_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a first start: the status of the first answer to `GET /`, or the fault."""

    status: int | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class GitSource:
    """A public git repository: `https://host/path`, a branch or tag (empty for the usual one), and a folder in it (or empty)."""

    address: str
    branch: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Cloned:
    """What became of fetching a repository: the commit that was fetched, or `reason`, why none was."""

    is_done: bool
    commit: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One `POST` of ours to a Micro: JSON to a path that nobody can reach from outside.

    What is printed for it is marked with `request_id`. It may take `seconds` from when the app is there, and of its answer
    `answer_max_bytes` are kept.
    """

    micro_id: str
    hostname: str
    request_id: uuid.UUID
    path: str
    body: bytes
    seconds: float
    answer_max_bytes: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a call: the app's answer, of whose body the rest was left out if `is_cut`; or the fault."""

    status: int | None = None
    body: bytes = b""
    is_cut: bool = False
    fault: Fault | None = None


class MicroHost(Protocol):
    """Runs Micros. Every method raises errors.HostUnreachable when what runs them does not answer."""

    def why_off(self) -> str:
        """Why no Micro can run here, in a sentence for people; empty when they can."""
        ...

    def runtimes(self) -> Sequence[str]:
        """What can run here, such as `Python 3.11.7` and `Node.js 24.1.0`."""
        ...

    def statuses(self, micro_ids: Sequence[str]) -> dict[str, Status]:
        """What these Micros are doing."""
        ...

    def changed(self, micro_id: str) -> None:
        """Learn at once what should run for it; without being told it takes a second or two."""
        ...

    def replace(self, micro_id: str) -> None:
        """It kept a request for too long: start a fresh one beside it, and end this one when it had time to finish others."""
        ...

    def install(self, wanted: Wanted, *, tell: Callable[[str], None]) -> Built:
        """Install the dependencies of a deployment whose code is in its folder; `tell` gets each line as it is printed."""
        ...

    def clone(self, source: GitSource, source_id: uuid.UUID) -> Cloned:
        """Fetch a repository, without its history, and leave its files as a tar in the folder of that id."""
        ...

    def try_out(self, wanted: Wanted) -> Tried:
        """Start a deployment beside the one that serves, ask it for a first answer, and end it."""
        ...

    def invoke(self, call: Call, *, meanwhile: Callable[[], None]) -> Answered:
        """Wake a Micro and call it. As long as it is at that, neither sleep nor another deployment ends the instance.

        `meanwhile` is called about once a second; what it raises ends the waiting, and passes. What was at the call is then ended
        once others had time to finish, and a fresh instance takes its place.
        """
        ...

    def stop(self, micro_id: str) -> None:
        """End it now, whatever it is doing. Its next request starts it again, if it still exists."""
        ...
