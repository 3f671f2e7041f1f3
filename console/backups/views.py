"""The page with the server's backups: what can be brought back, how often they are made, and whether they are good."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from console import access
from console.backups.forms import PlanForm
from console.page import UNPROCESSABLE, PageRequest, go_to
from storage import jobs
from storage.backups import overview, plans, runs
from storage.backups.problems import find_problems
from storage.errors import InvalidInput


@require_safe
def index(request: PageRequest) -> HttpResponse:
    """The page asks for its live part again and again."""
    access.server_owner(request)
    if request.htmx.target == "backups-live":
        return render(request, "backups/_live.html", _live())
    return _page(request, PlanForm(plans.read_plan()))


@require_POST
def change(request: PageRequest) -> HttpResponse:
    access.server_owner(request)
    form = PlanForm(plans.read_plan(), request.POST)
    if form.is_valid():
        try:
            plans.change_plan(**form.cleaned_data)
        except InvalidInput as error:
            form.add_error("target", error.messages[0])
        else:
            jobs.start(jobs.continue_backups)
            return go_to(request, "backups", said="How the server is backed up is saved.")
    return _page(request, form)


@require_POST
def start(request: PageRequest) -> HttpResponse:
    """A backup, a whole one if it says so, or a drill."""
    access.server_owner(request)
    if not plans.read_plan().target:
        return go_to(request, "backups", said="Choose a target first.")
    is_drill = request.POST.get("what") == "drill"
    kind = runs.Kind.DRILL if is_drill else runs.Kind.BACKUP
    runs.ask_for(kind, asked_by=request.user.pk, is_full=True if request.POST.get("what") == "full" else None)
    jobs.start(jobs.continue_backups)
    return go_to(request, "backups", said="The drill begins soon." if is_drill else "The backup begins soon.")


def _page(request: PageRequest, form: PlanForm) -> HttpResponse:
    context = {"form": form, **_live()}
    return render(request, "backups/index.html", context, status=UNPROCESSABLE if form.errors else 200)


def _live() -> dict[str, object]:
    return {"server_part": "backups", "problems": find_problems(), "about": overview.describe()}
