"""The state of the whole server at this moment, as `/metrics` and the page about the server tell it."""

from django.conf import settings

from console import health
from homeport import __version__
from storage import engine_waits
from storage.findings import Finding
from storage.monitoring import figures, problems
from storage.monitoring.figures import Figures

# For all rooms together, and for the figures.
_SECONDS, _SHORT_SECONDS = 2.0, 0.5
# A database that only reads is told by its own room.
_ANSWERS = ("ok", "only reads")
_NAMES = {"postgres": "PostgreSQL", "s3": "S3"}


def observe() -> Figures:
    """Ask the engines, every room and the database. An engine that hangs takes some seconds of it, and hides nothing else."""
    words = {engine: word for engine, word in health.probe_engines().items() if engine in _NAMES}
    # What makes the rooms wait must not take all of the request's time, and least of all while it is known to hang.
    seconds = _SECONDS if words["postgres"] in _ANSWERS else _SHORT_SECONDS
    with engine_waits.allowed(seconds):
        found = problems.find_problems()
    down = {finding.title for finding in found if finding.key == "process_down"}
    of_engines = [
        finding
        for engine, word in words.items()
        if (finding := _engine_problem(engine, word)) and not _is_said(engine, down)
    ]
    is_up = {engine: word in _ANSWERS for engine, word in words.items()}
    with engine_waits.allowed(seconds):
        return figures.collect(version=__version__, engines=is_up, problems=problems.sort([*of_engines, *found]))


def _engine_problem(engine: str, word: str) -> Finding | None:
    if word in _ANSWERS:
        return None
    is_ours = settings.S3_IS_BUNDLED if engine == "s3" else not settings.DATABASE_URL
    stores = "files" if engine == "s3" else "anything but files that are cached"
    name, hangs = _NAMES[engine], word.startswith("no answer")
    says = f"{name} is starting" if word == "starting" else f"{name} gives {word}" if hangs else f"{name} {word}"
    if is_ours:
        what_to_do = "It is started again by itself when it ends; the log of “serve” says what it does."
    else:
        setting = "S3_ENDPOINT_URL" if engine == "s3" else "DATABASE_URL"
        what_to_do = f"Look after it where it runs: it is not one of ours ({setting})."
    return Finding(f"{engine}_down", "bad", f"{says}: {stores} can neither be read nor stored.", what_to_do)


def _is_said(engine: str, titles: set[str]) -> bool:
    process = "SeaweedFS" if engine == "s3" else "PostgreSQL"
    return any(title.startswith(process) for title in titles)
