"""From the address of a public git repository to a Micro: `/deploy?repo=...` is where a README's button leads.

Following a link changes nothing: the repository is fetched when a person who is signed in says so, by a POST, and for a
collection in which they may write. It is fetched in the background; the next page shows how that goes, then what is declared.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from console import access
from console.micros.creating import chosen_subdomain
from console.micros.forms import put_error
from console.micros.from_git.forms import AddressForm, FetchedForm
from console.micros.shown import find_why_off
from console.page import UNPROCESSABLE, PageRequest, go_to
from storage import jobs, limits
from storage.collections import usage
from storage.errors import AlreadyTaken, GitFetchNotFound, InvalidInput, MicroNotFound
from storage.git_sources import addresses, fetches
from storage.micros.manifests.manifest import Manifest
from storage.micros.runtimes import read_runtime
from storage.models import Deployment, GitFetch, Role

_FORM_METHODS = ["GET", "HEAD", "POST"]
_UNDER_WAY = (GitFetch.State.QUEUED, GitFetch.State.RUNNING)
_WRITERS = {Role.OWNER, Role.MEMBER}


@require_http_methods(_FORM_METHODS)
def begin(request: PageRequest) -> HttpResponse:
    """The address, and for which collection it is to be fetched; `?repo=` and `?collection=` fill the form in."""
    choices = _list_writable(request)
    given = {name: request.GET.get(name, "") for name in ("repo", "collection")}
    form = AddressForm(request.POST or None, collections=choices, initial=given)
    if request.method == "POST" and form.is_valid() and (made := _ask(request, form)):
        return go_to(request, "git-fetch", made.collection_id, made.id)
    context = {"form": form, "choices": choices, "why_off": find_why_off(), "fault": _fault_in(given["repo"])}
    return render(request, "micros/from_git/begin.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_http_methods(_FORM_METHODS)
def fetched(request: PageRequest, collection_id: str, fetch_id: UUID) -> HttpResponse:
    """How fetching goes; then what the app declares, and the form that makes a Micro of it."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    try:
        fetch = fetches.find_fetch(collection_id=collection_id, fetch_id=fetch_id)
    except GitFetchNotFound as error:
        raise Http404(error.messages[0]) from None
    source = fetches.source_of(fetch)
    context: dict[str, Any] = {
        "granted": granted,
        "tab": "micros",
        "fetch": fetch,
        "shown": addresses.shown(source),
        "reasons": fetch.reason.splitlines(),
        "is_moving": fetch.state in _UNDER_WAY,
        "why_off": find_why_off(),
        "seconds": limits.GIT_SECONDS,
    }
    if fetch.state != GitFetch.State.DONE:
        if context["is_moving"] and request.htmx.target == "fetch" and request.GET.get("seen") == fetch.state:
            return HttpResponse(status=204)
        return render(request, "micros/from_git/fetched.html", context)
    manifest = fetches.manifest_of(fetch)
    initial = {"name": manifest.name or addresses.name_of(source)}
    form = FetchedForm(request.POST or None, manifest=manifest, initial=initial)
    if request.method == "POST" and form.is_valid() and (made := _deploy(request, fetch, form)):
        return go_to(request, "micro-deployment", collection_id, made.micro_id, made.id)
    context |= {
        "form": form,
        "manifest": manifest,
        "runs_on": _runs_on(fetch, manifest),
        "made_from_it": fetches.list_made_from(fetch),
    }
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "micros/from_git/fetched.html", context, status=status)


@require_POST
def update(request: PageRequest, collection_id: str, fetch_id: UUID, micro_id: str) -> HttpResponse:
    """Deploy what was fetched to a Micro that there is, and show how it goes; why it can't be is said on the page before."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    try:
        made = fetches.update_from_fetch(
            collection_id=collection_id, fetch_id=fetch_id, micro_id=micro_id, by=request.user
        )
    except InvalidInput as error:
        messages.error(request, " ".join(f"{each}." for each in error.messages))
        return go_to(request, "git-fetch", collection_id, fetch_id)
    except (GitFetchNotFound, MicroNotFound) as error:
        raise Http404(error.messages[0]) from None
    jobs.start(jobs.continue_deployments)
    return go_to(request, "micro-deployment", collection_id, micro_id, made.id)


def _ask(request: PageRequest, form: AddressForm) -> GitFetch | None:
    """The fetch; None when the form now says why there is none. Raises Http404 and PermissionDenied as the gate does."""
    said = form.cleaned_data
    access.by_person(request, said["collection"], at_least=Role.MEMBER)
    try:
        source = addresses.read_address(said["repo"])
        made = fetches.ask_for_fetch(
            collection_id=said["collection"], source=source, part=said["part"], asked_by=request.user
        )
    except InvalidInput as error:
        put_error(form, error, repo="")
        return None
    jobs.start(jobs.continue_git_fetches)
    return made


def _deploy(request: PageRequest, fetch: GitFetch, form: FetchedForm) -> Deployment | None:
    """The deployment; None when the form now says why there is none."""
    said = form.cleaned_data
    try:
        made = fetches.deploy_fetch(
            collection_id=fetch.collection_id,
            fetch_id=fetch.id,
            name=said["name"],
            subdomain=chosen_subdomain(request, form),
            values=form.values(),
            cron=said.get("cron", ""),
            made_by=request.user,
        )
    except (AlreadyTaken, InvalidInput) as error:
        named = "" if isinstance(error, AlreadyTaken) else "Micro's name"
        put_error(form, error, cron="`cron`", subdomain="sub-domain", name=named)
        return None
    except GitFetchNotFound as error:
        raise Http404(error.messages[0]) from None
    jobs.start(jobs.continue_deployments)
    return made


def _list_writable(request: PageRequest) -> list[tuple[str, str]]:
    """The collections in which the person may make a Micro: ids and names."""
    found = usage.list_holdings(person=request.user, limit=limits.CLI_COLLECTIONS_MAX).collections
    return [(each.id, each.name) for each in found if each.role in _WRITERS]


def _fault_in(repo: str) -> str:
    """What is wrong with the address that a link brought; empty for none, and for what is right."""
    try:
        if repo:
            addresses.read_address(repo)
    except InvalidInput as error:
        return f"{error.messages[0]}."
    return ""


def _runs_on(fetch: GitFetch, manifest: Manifest) -> str:
    """What it asks to be run by, for people."""
    kind = "python" if "python" in fetch.entries else "node"
    return read_runtime(manifest.runtime or kind).label
