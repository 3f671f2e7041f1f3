"""Every figure of the server in one place: what its processes counted, and what its database, disk and engines say now.

`/metrics` tells them to Prometheus, and the page about the server to people. `DESCRIBED` is the whole list of their names.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from storage import disk_space
from storage.counting import counted
from storage.counting.counted import BUCKETS
from storage.counting.memory import Key
from storage.errors import StorageError
from storage.findings import Finding
from storage.monitoring import sql
from storage.postgres.database import run, run_one

Kind = Literal["counter", "gauge", "histogram"]


class Described(NamedTuple):
    """A name of `/metrics`: what kind of number it is, by which labels, and what it means. A counter's name ends with `_total`
    there."""

    kind: Kind
    labels: tuple[str, ...]
    text: str


DESCRIBED: dict[str, Described] = {
    "homeport_info": Described("gauge", ("version", "postgres"), "Which versions run; always 1."),
    "homeport_figures_complete": Described("gauge", (), "1 when the database could be asked for all figures, else 0."),
    "homeport_problems": Described("gauge", ("key", "level"), "What is wrong, as the page Server says it; always 1."),
    "homeport_http_requests": Described(
        "counter", ("surface", "operation", "status"), "Requests answered, by operation and status."
    ),
    "homeport_http_request_duration_seconds": Described(
        "histogram",
        ("surface", "operation", "status"),
        "From a request's head to its answer's, by operation and class of status.",
    ),
    "homeport_http_connections": Described("gauge", (), "Clients that are connected."),
    "homeport_http_requests_waiting": Described("gauge", ("threads",), "Requests that wait for a thread."),
    "homeport_web_worker_starts": Described(
        "counter", (), "Web processes started, the first ones and those in place of others."
    ),
    "homeport_process_up": Described("gauge", ("process",), "Whether a process that serve keeps running is up."),
    "homeport_process_start_time_seconds": Described("gauge", ("process",), "When it was started last, since 1970."),
    "homeport_process_restarts": Described("counter", ("process",), "How often it was started again."),
    "homeport_engine_up": Described("gauge", ("engine",), "Whether an engine answers a real question."),
    "homeport_engine_errors": Described("counter", ("engine", "kind"), "Errors of the engines, by kind."),
    "homeport_postgres_pool_connections": Described(
        "gauge", ("state",), "Connections of the web processes to PostgreSQL: in_use, idle, and the limit of both."
    ),
    "homeport_postgres_pool_waiting": Described("gauge", (), "Callers that wait for a connection to PostgreSQL."),
    "homeport_database_size_bytes": Described("gauge", (), "What the database takes on PostgreSQL's disk."),
    "homeport_database_connections": Described("gauge", ("state",), "Connections that PostgreSQL has: busy or idle."),
    "homeport_database_connections_limit": Described("gauge", (), "How many connections PostgreSQL lets in."),
    "homeport_database_start_time_seconds": Described("gauge", (), "When PostgreSQL was started, since 1970."),
    "homeport_database_clock_offset_seconds": Described("gauge", (), "PostgreSQL's clock less this machine's."),
    "homeport_feed_held_seconds": Described(
        "gauge", (), "How long a transaction that has written is open: so long the change feeds may be behind."
    ),
    "homeport_disk_free_bytes": Described("gauge", (), "What is free on the disk of the bundled engines."),
    "homeport_disk_size_bytes": Described("gauge", (), "How large that disk is."),
    "homeport_disk_reserve_bytes": Described("gauge", (), "With less free than this nothing new is stored."),
    "homeport_collections": Described("gauge", (), "Collections."),
    "homeport_people": Described("gauge", (), "People with an account."),
    "homeport_bases": Described("gauge", (), "Bases."),
    "homeport_items": Described("gauge", (), "Items, as last counted."),
    "homeport_items_size_bytes": Described("gauge", (), "The bytes of items, as last counted."),
    "homeport_drives": Described("gauge", (), "Drives."),
    "homeport_files": Described("gauge", (), "Files, as last counted."),
    "homeport_files_size_bytes": Described("gauge", (), "The bytes of files, as last counted."),
    "homeport_counted_timestamp_seconds": Described("gauge", (), "When items and files were counted last, since 1970."),
    "homeport_job_workers": Described("gauge", (), "Job workers that gave a sign of life within a minute."),
    "homeport_jobs": Described("gauge", ("job", "state"), "Jobs in the queue: todo, doing, failed."),
    "homeport_jobs_oldest_seconds": Described(
        "gauge", ("job", "state"), "How long the oldest of them has been in its state."
    ),
    "homeport_job_last_start_timestamp_seconds": Described(
        "gauge", ("job",), "The time for which a periodic job was queued last, since 1970."
    ),
    "homeport_job_last_success_timestamp_seconds": Described(
        "gauge", ("job",), "When a job last ended well in this machine's worker, since 1970."
    ),
    "homeport_job_runs": Described(
        "counter", ("job", "result"), "Jobs that ended in this machine's worker: done or failed."
    ),
    "homeport_job_seconds": Described("counter", ("job",), "How long they took together."),
    "homeport_recorder_stored": Described("counter", (), "Requests recorded for the Visor."),
    "homeport_recorder_lost": Described("counter", (), "Requests that could not be recorded."),
    "homeport_recorder_waiting": Described("gauge", (), "Recorded requests on their way to the database."),
    "homeport_micros_defined": Described("gauge", (), "Micros."),
    "homeport_micros": Described("gauge", ("state",), "Micros on this machine: asleep, starting, running, failed."),
    "homeport_micro_starts": Described("counter", (), "Instances of Micros started."),
    "homeport_micro_failures": Described("counter", ("kind",), "Instances of Micros that ended with a fault."),
}

# The classes of a status are enough to tell good times from bad ones.
_DURATIONS = "homeport_http_request_duration_seconds"


@dataclass
class Figures:
    """What was collected: `values` by name and labels, one number each, or of a histogram the sum and the buckets.

    What could not be read is missing; then `database` and its like are None.
    """

    values: dict[str, dict[Key, list[float]]] = field(default_factory=dict)
    database: sql.Database | None = None
    stored: sql.Stored | None = None
    queued: list[sql.QueuedJobs] | None = None
    last_starts: list[sql.LastStart] | None = None
    problems: list[Finding] = field(default_factory=list)

    def one(self, name: str, *labels: str) -> float | None:
        """A single number, None when it is not known."""
        found = self.values.get(name, {}).get(labels)
        return found[0] if found else None

    def of(self, name: str) -> Mapping[Key, list[float]]:
        """All numbers of a name, by labels."""
        return self.values.get(name, {})

    def set(self, name: str, value: float, *labels: str) -> None:
        self.values.setdefault(name, {})[labels] = [value]


def collect(*, version: str, engines: Mapping[str, bool], problems: list[Finding]) -> Figures:
    """Everything at this moment. While PostgreSQL does not answer, what it would say is left out."""
    found = Figures(problems=problems)
    found.values.update({name: dict(counts) for name, counts in counted.read().items() if name in DESCRIBED})
    _sum_requests(found)
    for name, is_up in engines.items():
        found.set("homeport_engine_up", is_up, name)
    for problem in problems:
        found.set("homeport_problems", 1, problem.key, problem.level)
    _add_disk(found)
    is_complete = True
    try:
        _add_database(found)
    except StorageError:
        is_complete = False
    found.set("homeport_figures_complete", is_complete)
    found.set("homeport_info", 1, version, found.database.version if found.database else "")
    return found


def quantile(buckets: list[float], share: float) -> float | None:
    """Below which time so great a share of requests was answered, by how many fell into each bucket; None of no request.

    Within a bucket they are taken to be spread evenly, as Prometheus does; of the last one only its start is known.
    """
    wanted, below, start = sum(buckets) * share, 0.0, 0.0
    if not wanted:
        return None
    for end, count in zip(BUCKETS, buckets, strict=False):
        if below + count >= wanted:
            return start + (end - start) * (wanted - below) / count
        below, start = below + count, end
    return BUCKETS[-1]


def _sum_requests(found: Figures) -> None:
    """Requests by exact status; how long they took by its class, which is a quarter of the series."""
    durations = found.values.pop(_DURATIONS, {})
    classes: dict[Key, list[float]] = {}
    for (surface, operation, status), numbers in durations.items():
        found.set("homeport_http_requests", sum(numbers[1:]), surface, operation, status)
        sums = classes.setdefault((surface, operation, f"{status[0]}xx"), [0.0] * len(numbers))
        for place, number in enumerate(numbers):
            sums[place] += number
    found.values[_DURATIONS] = classes


def _add_disk(found: Figures) -> None:
    disk = disk_space.find_disk()
    if disk is not None:
        found.set("homeport_disk_free_bytes", disk.free_bytes)
        found.set("homeport_disk_size_bytes", disk.size_bytes)
        found.set("homeport_disk_reserve_bytes", disk.needed_bytes)


def _add_database(found: Figures) -> None:
    """Raises EngineUnreachable, with what was read until then in place."""
    before = time.time()
    about = found.database = run_one(sql.read_database())
    ours = (before + time.time()) / 2
    found.set("homeport_database_size_bytes", about.size_bytes)
    found.set("homeport_database_connections", about.busy_connections, "busy")
    found.set("homeport_database_connections", about.connections - about.busy_connections, "idle")
    found.set("homeport_database_connections_limit", about.most_connections)
    found.set("homeport_database_start_time_seconds", about.started_at.timestamp())
    found.set("homeport_database_clock_offset_seconds", about.now - ours)
    found.set("homeport_feed_held_seconds", about.held_seconds)
    stored = found.stored = run_one(sql.sum_stored())
    for name, value in _of_stored(stored):
        found.set(f"homeport_{name}", value)
    found.set("homeport_job_workers", run_one(sql.count_workers()).alive)
    found.queued = run(sql.list_queued_jobs())
    for row in found.queued:
        found.set("homeport_jobs", row.jobs, row.name, row.state)
        found.set("homeport_jobs_oldest_seconds", row.oldest_seconds, row.name, row.state)
    found.last_starts = run(sql.list_last_starts())
    for start in found.last_starts:
        found.set("homeport_job_last_start_timestamp_seconds", start.at, start.name)


def _of_stored(stored: sql.Stored) -> Iterator[tuple[str, float]]:
    yield from (("collections", stored.collections), ("people", stored.people), ("bases", stored.bases))
    yield from (("items", stored.items), ("items_size_bytes", stored.item_bytes), ("drives", stored.drives))
    yield from (("files", stored.files), ("files_size_bytes", stored.file_bytes), ("micros_defined", stored.micros))
    if stored.counted_at is not None:
        yield "counted_timestamp_seconds", stored.counted_at.timestamp()
