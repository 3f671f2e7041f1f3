"""A Micro's schedule: when its cron functions run, the times that come next, and what became of those before."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.micros import runs, shown
from console.micros.forms import ScheduleForm, put_error
from console.page import UNPROCESSABLE, PageRequest, go_to
from storage import limits
from storage.errors import InvalidInput
from storage.micro_runs.runs import Kind, list_runs
from storage.micros import schedules
from storage.models import MicroSchedule, Role

_FORM_METHODS = ["GET", "HEAD", "POST"]
_ROWS = 20
_EXAMPLES = [
    ("5 minutes", "every five minutes, from now on"),
    ("1 day", "every day, from now on"),
    ("0 10 * * ? *", "at 10:00 every day"),
    ("0 18 ? * MON-FRI *", "at 18:00 from Monday to Friday"),
    ("0/10 8-17 ? * MON-FRI *", "every ten minutes from 8:00 to 17:50 on working days"),
    ("0 8 L * ? *", "at 8:00 on the last day of the month"),
    ("0 9 ? * MON#1 *", "at 9:00 on the first Monday of the month"),
]


@require_http_methods(_FORM_METHODS)
def index(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """Set it, or look at it. It is asked for again while a run is under way; `?before=` turns pages of the history."""
    at_least = Role.MEMBER if request.method == "POST" else Role.READER
    granted, micro = shown.find(request, collection_id, micro_id, at_least=at_least)
    schedule = schedules.find_schedule(micro_id)
    form = ScheduleForm(request.POST or None, initial=_initial(schedule))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = schedules.set_schedule(
                collection_id=collection_id,
                micro_id=micro_id,
                expression=said["expression"],
                limit_seconds=said["minutes"] and said["minutes"] * 60,
                set_by=request.user,
            )
            return go_to(request, "micro-schedule", collection_id, micro_id, said=f"Scheduled for “{made.expression}”.")
        except InvalidInput as error:
            put_error(form, error, minutes="seconds", expression="")
    found = list_runs(
        micro_id=micro_id, kind=Kind.CRON, before=runs.find_before(request, collection_id, micro_id), limit=_ROWS + 1
    )
    more: dict[str, Any] = {
        "form": form,
        "schedule": schedule,
        "next_times": schedules.list_next_times(schedule) if schedule else [],
        "examples": _EXAMPLES,
        "kept": limits.MICRO_RUNS_KEPT,
        "kept_days": limits.MICRO_RUNS_KEPT_DAYS,
        **runs.history(found, _ROWS),
    }
    context = shown.page_of(request, granted, micro, "schedule", **more)
    return render(request, "micros/schedule.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_safe
def check(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """For a form: the next times of what is typed, or what is wrong with it."""
    shown.find(request, collection_id, micro_id)
    expression = request.GET.get("expression", "")
    context: dict[str, Any] = {}
    if expression.strip():
        try:
            context["text"], context["next_times"] = schedules.preview(expression)
        except InvalidInput as error:
            context["wrong"] = error.messages[0]
    return render(request, "micros/_schedule_check.html", context)


@require_POST
def remove(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    schedules.remove_schedule(collection_id=collection_id, micro_id=micro_id)
    return go_to(request, "micro-schedule", collection_id, micro_id, said="Schedule removed.")


@require_POST
def run_now(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """Call the cron functions at once, whatever the schedule says."""
    shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    schedule = schedules.find_schedule(micro_id)
    limit = schedule.limit_seconds if schedule else None
    return runs.begin(request, collection_id, micro_id, otherwise="micro-schedule", kind=Kind.CRON, limit_seconds=limit)


def _initial(schedule: MicroSchedule | None) -> dict[str, object]:
    if schedule is None:
        return {}
    minutes = -(-schedule.limit_seconds // 60) if schedule.limit_seconds else None
    return {"expression": schedule.expression, "minutes": minutes}
