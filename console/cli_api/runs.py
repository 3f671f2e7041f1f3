"""Runs of a Micro's functions, for a terminal: ask for one, then ask what came of it.

A run has `id`, `kind` (`run` or `cron`), `action`, `state` (`queued`, `running`, `done`, `failed`, `skipped`, `cancelled`),
`asked_by`, `asked_at`, `due_at` (of a schedule's), `started_at`, `finished_at`, `took_ms`, `is_overlapping` and `reason`. One
that was asked for by its id has `input` and `answer` (JSON, each as a text) and `is_cut` as well.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase

from console import access
from console.cli_api.deployments import read_line_id
from console.cli_api.gate import TokenRequest
from console.cli_api.schedules import read_limit
from console.json_views import json_response, read_asked, read_list, read_text
from console.micros.run_arguments import read_words
from storage import jobs, limits
from storage.errors import InvalidInput
from storage.exact_json import dump
from storage.micro_runs import runs
from storage.micro_runs.runs import Kind
from storage.micros import micros
from storage.models import MicroRun, Role


def list_all(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponseBase:
    """`{"runs": [...]}`, the newest first."""
    access.by_person(request, collection_id)
    micros.find_micro(collection_id=collection_id, micro_id=micro_id)
    return json_response({"runs": [_describe(each) for each in runs.list_runs(micro_id=micro_id)]})


def create(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponseBase:
    """Asked for with `{"kind", "action", "input", "limit_seconds"}`, of which none is needed; 202 with `{"run": {...}}`.

    In place of `input`, `words` is a list of what a terminal was given: `["--name", "Jimmy", "-loud"]`.
    """
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    asked = read_asked(request, most_bytes=limits.MICRO_RUN_INPUT_MAX_BYTES + limits.BODY_MAX_BYTES)
    kind, action = asked.get("kind", Kind.RUN), asked.get("action", "")
    if kind not in Kind.values or not isinstance(action, str):
        raise InvalidInput("`kind` is run or cron, and `action` a text")
    made = runs.ask_for_run(
        collection_id=collection_id,
        micro_id=micro_id,
        kind=Kind(kind),
        action=action,
        input_json=dump(_read_words(asked) if "words" in asked else asked.get("input", {})),
        limit_seconds=read_limit(asked),
        asked_by=request.user,
    )
    jobs.start(jobs.continue_runs)
    return json_response({"run": _describe(made)}, status=202)


def show(request: TokenRequest, collection_id: str, micro_id: str, run_id: UUID) -> HttpResponseBase:
    """`{"run": {...}, "lines": [{"id", "at", "source", "text"}, ...]}`: what was printed for it, after the line `?after=`."""
    access.by_person(request, collection_id)
    run = runs.find_run(collection_id=collection_id, micro_id=micro_id, run_id=run_id)
    lines = runs.list_printed(run, after=read_line_id(request))
    whole = {"input": run.input, "answer": run.answer, "is_cut": run.is_cut}
    told = [{"id": line.id, "at": line.at.isoformat(), "source": line.source, "text": line.text} for line in lines]
    return json_response({"run": _describe(run) | whole, "lines": told})


def cancel(request: TokenRequest, collection_id: str, micro_id: str, run_id: UUID) -> HttpResponseBase:
    """`{"run": {...}}`: a run that waited or went on is cancelled then, any other is as it was."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    run = runs.cancel_run(collection_id=collection_id, micro_id=micro_id, run_id=run_id, by=request.user)
    return json_response({"run": _describe(run)})


def _read_words(asked: dict[str, Any]) -> dict[str, object]:
    """Raises InvalidInput."""
    return read_words([read_text(word, "words") for word in read_list(asked.get("words"), "words")])


def _describe(run: MicroRun) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "kind": run.kind,
        "action": run.action,
        "state": run.state,
        "asked_by": run.asked_by.username if run.asked_by else None,
        "asked_at": _say(run.asked_at),
        "due_at": _say(run.due_at),
        "started_at": _say(run.started_at),
        "finished_at": _say(run.finished_at),
        "took_ms": run.took_ms,
        "is_overlapping": run.is_overlapping,
        "reason": run.reason,
    }


def _say(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
