"""Deployments, for a terminal: send a new version, watch one being made, fetch the code that serves."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase

from console import streams
from console.cli_api.gate import TokenRequest
from console.downloads import describe_disposition, send_file
from console.json_views import json_response
from console.micros import shown
from console.micros.deployments import BODY_MAX_BYTES, deploy
from storage.errors import InvalidInput, Unauthorized
from storage.micro_logs import logs
from storage.micros import bundles, dependencies, deployments
from storage.micros.runtimes import read_runtime
from storage.models import Deployment, Micro, Role
from storage.numbers import BEYOND, read_number
from storage.postgres.database import release_connection


def list_all(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """`{"serving", "deployments"}`, newest first.

    `serving` is null, or has a `digest`: of a bundle with this digest nothing would be deployed. It is empty when even the same
    files would be, as another runtime was chosen since or another version is on its way.
    """
    _, micro = shown.find(request, collection_id, micro_id)
    found = deployments.list_deployments(collection_id=collection_id, micro_id=micro_id)
    serving = next((each for each in found if each.id == micro.deployment_id), None)
    told = [_describe(each) for each in found]
    if serving is None:
        return json_response({"serving": None, "deployments": told})
    is_settled = found[0].state not in shown.UNDER_WAY and serving.runtime == str(read_runtime(micro.runtime))
    digest = serving.bundle_digest if is_settled else ""
    return json_response({"serving": _describe(serving) | {"digest": digest}, "deployments": told})


def send_bundle(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """A zip or tar as the body, all of which is deployed: whoever sends it has chosen its files.

    202 with the deployment, and with `dependencies`: `{"added", "removed"}`, against the version that serves. 200 with that one
    when it is the very same, and `is_new` is false: nothing is deployed then.
    """
    _, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    body, size_bytes = streams.open_whole(request.META, most_bytes=BODY_MAX_BYTES, what="The bundle")
    if not size_bytes:
        raise InvalidInput("Nothing was sent")
    release_connection()
    with bundles.open_bundle(body, size_bytes=size_bytes, keeps_all=True, part=micro.name) as bundle:
        kind = deployments.choose_runtime(micro, bundle).kind
        changes = dependencies.find_changes(micro, bundle, kind)._asdict()
        same = _find_same(micro, bundle)
        try:
            made = same or deploy(micro, bundle, asked_by=request.user)
        except Unauthorized:
            # The person lost access while the bundle was looked through: to them there is no such Micro any more.
            raise Http404 from None
    told = _describe(made) | {"is_new": same is None, "dependencies": changes}
    return json_response(told, status=200 if same else 202)


def show(request: TokenRequest, collection_id: str, micro_id: str, deployment_id: UUID) -> HttpResponse:
    """The deployment, `reason` why it failed, and the `lines` of how it was made behind the one with the id `?after=`.

    At most 500 lines come at once. Once `is_over`, all lines are there.
    """
    shown.find(request, collection_id, micro_id)
    found = deployments.find_deployment(collection_id=collection_id, micro_id=micro_id, deployment_id=deployment_id)
    lines = logs.list_lines(
        micro_id=micro_id, deployment_id=deployment_id, sources=[logs.Source.BUILD], after=read_line_id(request) or 0
    )
    told = [{"id": line.id, "at": line.at.isoformat(), "text": line.text} for line in lines]
    return json_response(_describe(found) | {"reason": found.reason, "lines": told})


def download(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponseBase:
    """The code that serves as a zip, for who could have sent it."""
    _, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    file = deployments.open_code(collection_id=collection_id, micro_id=micro_id)
    named = describe_disposition(f"{micro.subdomain}.zip", stores=True)
    return send_file(request, file, headers={"Content-Disposition": named})


def read_line_id(request: TokenRequest) -> int | None:
    """The `?after=` of a list of lines."""
    number = read_number(request.GET.get("after", ""))
    return number if number is not None and number < BEYOND else None


def _find_same(micro: Micro, bundle: bundles.Bundle) -> Deployment | None:
    """What serves, if it is this and nothing else is on its way."""
    newest = deployments.list_latest(micro.collection_id, micro_id=micro.id).get(micro.id)
    if newest is None or newest.state in shown.UNDER_WAY:
        return None
    return deployments.find_same(micro, bundle)


def _describe(deployment: Deployment) -> dict[str, Any]:
    return {
        "id": str(deployment.id),
        "number": deployment.number,
        "state": deployment.state,
        "is_over": deployment.state not in shown.UNDER_WAY,
        "is_kept": deployment.is_kept,
        "runs_on": deployment.runs_on,
        "files": deployment.files,
        "asked_at": deployment.asked_at.isoformat(),
    }
