"""Builders of Micros that run: on the real server, in the real sandbox."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3
from django.utils import timezone

from storage import jobs
from storage.errors import HostUnreachable
from storage.micro_logs import logs
from storage.micros import bundles, deployments, micros
from storage.micros.hosts import the_host, the_places
from storage.models import Deployment, Micro
from tests.waiting import LONG_SECONDS, MOMENT_SECONDS, eventually

_UNDER_WAY = (Deployment.State.QUEUED, Deployment.State.BUILDING, Deployment.State.STARTING)


@dataclass(frozen=True)
class MicroClient:
    """A Micro as its callers reach it, by the name in their Host header."""

    url: str
    micro: Micro

    @property
    def host(self) -> str:
        return f"{self.micro.subdomain}.localhost:{urlsplit(self.url).port}"

    def ask(self, path: str = "/", method: str = "GET", **options: Any) -> urllib3.BaseHTTPResponse:
        """A request, whose redirects are not followed."""
        headers = {"Host": self.host} | options.pop("headers", {})
        return urllib3.request(
            method,
            f"{self.url}{path}",
            headers=headers,
            retries=False,
            redirect=False,
            timeout=MOMENT_SECONDS,
            **options,
        )

    def connect(self) -> socket.socket:
        """A connection of one's own."""
        parts = urlsplit(self.url)
        return socket.create_connection((parts.hostname, parts.port), timeout=MOMENT_SECONDS)


def run_micro(
    url: str,
    collection_id: str,
    files: Mapping[str, str],
    *,
    name: str = "app",
    runtime: str = "python",
    **settings: Any,
) -> MicroClient:
    """A Micro with this code, which needs nothing installed, at the server of this address. It asks nobody to sign in."""
    micro = micros.create_micro(collection_id=collection_id, name=name)
    put_code(micro, files, runtime=runtime)
    micro = micros.change_micro(
        collection_id=collection_id, micro_id=micro.id, has_sign_in=settings.pop("has_sign_in", False)
    )
    return MicroClient(url, micro)


def put_code(micro: Micro, files: Mapping[str, str], *, runtime: str = "python") -> Deployment:
    """Another deployment of a Micro, which serves from now on."""
    number = Deployment.objects.filter(micro=micro).count() + 1
    deployment = Deployment.objects.create(micro=micro, number=number, state=Deployment.State.DONE, runtime=runtime)
    folder = the_places().code(deployment.id)
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(0o755)
    micros.touch_micro(micro, deployment=deployment, deployed_at=timezone.now())
    eventually(lambda: _is_told(micro))
    return deployment


def _is_told(micro: Micro) -> bool:
    """What runs Micros starts beside the web server, and may come later."""
    try:
        the_host().changed(micro.id)
    except HostUnreachable:
        return False
    return True


def deploy_micro(
    url: str, collection_id: str, files: Mapping[str, str | bytes], *, name: str = "app", **settings: Any
) -> MicroClient:
    """A Micro whose code came as the console sends it: installed, tried out, and serving. It asks nobody to sign in."""
    micro = micros.create_micro(collection_id=collection_id, name=name)
    client = MicroClient(
        url,
        micros.change_micro(collection_id=collection_id, micro_id=micro.id, **{"has_sign_in": False} | settings),
    )
    made = deploy(client, files)
    assert made.state == Deployment.State.DONE, f"{made.reason}\n{said(client)}"
    return client


def ask_to_deploy(client: MicroClient, files: Mapping[str, str | bytes]) -> Deployment:
    """Have the server make another deployment of these files, and don't wait for it."""
    contents = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    micro = client.micro
    with bundles.bundle_of(contents) as bundle:
        asked = deployments.ask_for_deployment(
            collection_id=micro.collection_id, micro_id=micro.id, bundle=bundle, asked_by=None
        )
    jobs.start(jobs.continue_deployments)
    return asked


def deploy(client: MicroClient, files: Mapping[str, str | bytes]) -> Deployment:
    """The same, and what became of it."""
    asked = ask_to_deploy(client, files)
    eventually(lambda: not Deployment.objects.filter(id=asked.id, state__in=_UNDER_WAY).exists(), seconds=LONG_SECONDS)
    return Deployment.objects.get(id=asked.id)


def said(client: MicroClient) -> list[str]:
    """The newest lines of its log."""
    return [row.text for row in logs.list_lines(micro_id=client.micro.id)]


def told(response: urllib3.BaseHTTPResponse) -> Any:
    """What a JSON answer says."""
    return json.loads(response.data)
