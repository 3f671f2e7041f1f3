"""Builders of Micros that run: on the real server, in the real sandbox."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3
from django.utils import timezone

from storage.errors import HostUnreachable
from storage.micros import micros
from storage.micros.hosts import the_host, the_places
from storage.models import Deployment, Micro
from tests.waiting import MOMENT_SECONDS, eventually


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


def told(response: urllib3.BaseHTTPResponse) -> Any:
    """What a JSON answer says."""
    return json.loads(response.data)
