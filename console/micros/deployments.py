"""A Micro's deployments: send a new version, watch one being made, roll back to an earlier one."""

from typing import Any
from uuid import UUID
from zlib import crc32

from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from console import streams
from console.downloads import describe_disposition, send_file
from console.json_views import answers_json, json_response
from console.micros import shown
from console.page import PageRequest, go_to
from storage import jobs, limits
from storage.errors import DeploymentNotFound, InvalidInput
from storage.git_sources.fetches import repository_in
from storage.micro_logs import logs
from storage.micros import bundles, deployments
from storage.micros.bundles import Bundle
from storage.models import Deployment, Micro, Role
from storage.postgres.database import release_connection


@require_safe
def index(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """The list. It is asked for again while one of them is being made."""
    granted, micro = shown.find(request, collection_id, micro_id)
    found = deployments.list_deployments(collection_id=collection_id, micro_id=micro_id)
    more: dict[str, Any] = {
        "deployments": found,
        "is_moving": any(each.state in shown.UNDER_WAY for each in found),
        "repository": next((repository_in(each.source) for each in found if each.source), ""),
        "most_mb": limits.MICRO_BUNDLE_MAX_BYTES // 1_048_576,
        "most_files": limits.MICRO_BUNDLE_MAX_FILES,
    }
    return render(request, "micros/deployments.html", shown.page_of(request, granted, micro, "deployments", **more))


@require_safe
def show(request: PageRequest, collection_id: str, micro_id: str, deployment_id: UUID) -> HttpResponse:
    """One deployment with the end of the log of how it was made; `?seen=` is what the page shows already."""
    granted, micro = shown.find(request, collection_id, micro_id)
    found = _deployment(collection_id, micro_id, deployment_id)
    lines = logs.list_lines(micro_id=micro_id, deployment_id=deployment_id, sources=[logs.Source.BUILD])
    is_moving = found.state in shown.UNDER_WAY
    seen = f"{crc32(f'{found.state}{lines}'.encode()):08x}"
    more = {
        "deployment": found,
        "lines": lines,
        "is_moving": is_moving,
        "is_serving": micro.deployment_id == found.id and not is_moving,
        "seen": seen,
    }
    if request.htmx.target == "deployment" and is_moving and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    return render(request, "micros/deployment.html", shown.page_of(request, granted, micro, "deployments", **more))


@require_POST
@answers_json
def send_bundle(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """A zip or tar as the body, to be deployed. The answer says which page shows how it goes."""
    _, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    body, size_bytes = streams.open_whole(request.META, most_bytes=BODY_MAX_BYTES, what="The bundle")
    if not size_bytes:
        raise InvalidInput("Nothing was sent")
    release_connection()
    with bundles.open_bundle(body, size_bytes=size_bytes, part=micro.name) as bundle:
        made = deploy(micro, bundle, asked_by=request.user)
    return json_response({"page": reverse("micro-deployment", args=[collection_id, micro_id, made.id])})


@require_POST
def roll_back(request: PageRequest, collection_id: str, micro_id: str, deployment_id: UUID) -> HttpResponse:
    shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    try:
        made = deployments.roll_back(collection_id=collection_id, micro_id=micro_id, deployment_id=deployment_id)
    except DeploymentNotFound as error:
        raise Http404(error.messages[0]) from None
    said = f"Deployment {made.number} serves now."
    return go_to(request, "micro-deployments", collection_id, micro_id, said=said)


@require_safe
def download(request: PageRequest, collection_id: str, micro_id: str, deployment_id: UUID) -> HttpResponseBase:
    """A deployment's code as a zip, for who could have sent it."""
    _, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    found = _deployment(collection_id, micro_id, deployment_id)
    try:
        file = deployments.open_code(collection_id=collection_id, micro_id=micro_id, deployment_id=deployment_id)
    except DeploymentNotFound as error:
        raise Http404(error.messages[0]) from None
    named = describe_disposition(f"{micro.subdomain}-{found.number}.zip", stores=True)
    return send_file(request, file, headers={"Content-Disposition": named})


# With what a tar has beside the bytes of its files: a head for each, and what fills the last block of each.
BODY_MAX_BYTES = limits.MICRO_BUNDLE_MAX_BYTES + 2_048 * limits.MICRO_BUNDLE_MAX_FILES


def deploy(micro: Micro, bundle: Bundle, *, asked_by: User) -> Deployment:
    """Ask for a deployment, and have it begun at once. Raises as `ask_for_deployment` does."""
    made = deployments.ask_for_deployment(
        collection_id=micro.collection_id, micro_id=micro.id, bundle=bundle, asked_by=asked_by
    )
    jobs.start(jobs.continue_deployments)
    return made


def _deployment(collection_id: str, micro_id: str, deployment_id: UUID) -> Deployment:
    try:
        return deployments.find_deployment(collection_id=collection_id, micro_id=micro_id, deployment_id=deployment_id)
    except DeploymentNotFound as error:
        raise Http404(error.messages[0]) from None
