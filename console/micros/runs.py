"""Runs of a Micro's functions: a form to ask for one, and of each run its answer and what was printed for it."""

from typing import Any
from uuid import UUID
from zlib import crc32

import msgspec
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.micros import shown
from console.micros.forms import RunForm, put_error
from console.micros.run_arguments import read_input
from console.page import UNPROCESSABLE, PageRequest, go_to
from storage import jobs
from storage.errors import InvalidInput, RunNotFound
from storage.micro_runs import runs
from storage.micro_runs.runs import Kind
from storage.models import MicroRun, Role

_FORM_METHODS = ["GET", "HEAD", "POST"]
_ROWS = 20


@require_http_methods(_FORM_METHODS)
def index(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """The form; `?again=` fills in what another run had. `?before=` turns pages of the history."""
    at_least = Role.MEMBER if request.method == "POST" else Role.READER
    granted, micro = shown.find(request, collection_id, micro_id, at_least=at_least)
    form = RunForm(request.POST or None, initial=_initial(request, collection_id, micro_id))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = runs.ask_for_run(
                collection_id=collection_id,
                micro_id=micro_id,
                action=said["action"].strip(),
                input_json=read_input(said["input"]),
                limit_seconds=said["minutes"] and said["minutes"] * 60,
                asked_by=request.user,
            )
            jobs.start(jobs.continue_runs)
            return go_to(request, "micro-run-shown", collection_id, micro_id, made.id)
        except InvalidInput as error:
            put_error(form, error, action="action", input="", minutes="seconds")
    found = runs.list_runs(
        micro_id=micro_id, kind=Kind.RUN, before=find_before(request, collection_id, micro_id), limit=_ROWS + 1
    )
    context = shown.page_of(request, granted, micro, "runs", form=form, **history(found, _ROWS))
    return render(request, "micros/runs.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_safe
def show(request: PageRequest, collection_id: str, micro_id: str, run_id: UUID) -> HttpResponse:
    """One run. It is asked for again while it goes on; `?seen=` is what the page shows already."""
    granted, micro = shown.find(request, collection_id, micro_id)
    run = _run(collection_id, micro_id, run_id)
    lines = runs.list_printed(run)
    is_moving = run.state in runs.UNDER_WAY
    seen = f"{crc32(f'{run.state}{lines}'.encode()):08x}"
    if request.htmx.target == "run" and is_moving and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    more: dict[str, Any] = {
        "run": run,
        "lines": lines,
        "is_moving": is_moving,
        "seen": seen,
        "input": _indent(run.input),
        "answer": _indent(run.answer),
    }
    part = "schedule" if run.kind == Kind.CRON else "runs"
    return render(request, "micros/run.html", shown.page_of(request, granted, micro, part, **more))


@require_POST
def cancel(request: PageRequest, collection_id: str, micro_id: str, run_id: UUID) -> HttpResponse:
    """End a run that waits or goes on, and show what has become of it."""
    shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    try:
        runs.cancel_run(collection_id=collection_id, micro_id=micro_id, run_id=run_id, by=request.user)
    except RunNotFound as error:
        raise Http404(error.messages[0]) from None
    return go_to(request, "micro-run-shown", collection_id, micro_id, run_id)


def begin(request: PageRequest, collection_id: str, micro_id: str, *, otherwise: str, **asked: Any) -> HttpResponse:
    """Ask for a run and go to its page; when it can't be had, go to the page `otherwise` and say why."""
    try:
        made = runs.ask_for_run(collection_id=collection_id, micro_id=micro_id, asked_by=request.user, **asked)
    except InvalidInput as error:
        messages.error(request, f"{error.messages[0]}.")
        return go_to(request, otherwise, collection_id, micro_id)
    jobs.start(jobs.continue_runs)
    return go_to(request, "micro-run-shown", collection_id, micro_id, made.id)


def find_before(request: PageRequest, collection_id: str, micro_id: str) -> MicroRun | None:
    """The run after which a page of the history begins; None for the first page."""
    text = request.GET.get("before", "")
    try:
        return runs.find_run(collection_id=collection_id, micro_id=micro_id, run_id=UUID(text)) if text else None
    except (ValueError, RunNotFound):
        return None


def history(found: list[MicroRun], rows: int) -> dict[str, Any]:
    """A page of the history, of one run more than it shows."""
    listed = found[:rows]
    return {
        "runs": listed,
        "older": listed[-1].id if len(found) > rows else None,
        "is_moving": any(each.state in runs.UNDER_WAY for each in listed),
    }


def _initial(request: PageRequest, collection_id: str, micro_id: str) -> dict[str, object]:
    try:
        run = _run(collection_id, micro_id, UUID(request.GET.get("again", "")))
    except (ValueError, Http404):
        return {}
    minutes = -(-run.limit_seconds // 60) if run.limit_seconds else None
    return {"action": run.action, "input": "" if run.input == "{}" else _indent(run.input), "minutes": minutes}


def _indent(text: str) -> str:
    """JSON to be read; what is none, or was cut, as it is."""
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return text


def _run(collection_id: str, micro_id: str, run_id: UUID) -> MicroRun:
    try:
        return runs.find_run(collection_id=collection_id, micro_id=micro_id, run_id=run_id)
    except RunNotFound as error:
        raise Http404(error.messages[0]) from None
