"""What tests of Micros start from: a collection of their own, a Micro in it, bundles made by hand, a host that is told things."""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from storage.collections import collections
from storage.embedded.micros.places import Places
from storage.micros import bundles, deploying, deployments, hosts, micros
from storage.micros.host import Answered, Built, Call, Cloned, GitSource, MicroHost, Status, Tried, Wanted
from storage.models import Deployment, Micro
from storage.postgres import clock

HELLO = {"main.py": b"from flask import Flask\napp = Flask(__name__)\n", "requirements.txt": b"flask\n"}


@dataclass
class ToldHost:
    """A host on which nothing runs: it notes what it is told, and installs and tries out as it was set up to."""

    built: Built = field(default_factory=lambda: Built(is_done=True, runs_on="Python 3.11.7"))
    tried: Tried = field(default_factory=lambda: Tried(status=200))
    install_into: Callable[[Wanted, Callable[[str], None]], None] = lambda wanted, tell: None
    # Whatever is to serve does, once these were asked for as often.
    serves_late: int = 0
    clone_into: Callable[[GitSource, UUID], Cloned] = lambda source, source_id: Cloned(is_done=False, reason="Untold.")
    cloned: list[tuple[GitSource, UUID]] = field(default_factory=list)
    answers: Callable[[Call], Answered] = lambda call: Answered(200, b'{"result":null}')
    calls: list[Call] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    installed: list[Wanted] = field(default_factory=list)
    tried_out: list[Wanted] = field(default_factory=list)

    def why_off(self) -> str:
        return ""

    def runtimes(self) -> Sequence[str]:
        return ["Python 3.11.7", "Node.js 24.1.0"]

    def statuses(self, micro_ids: Sequence[str]) -> dict[str, Status]:
        if self.serves_late:
            self.serves_late -= 1
            return {}
        found = dict(Micro.objects.filter(id__in=micro_ids).values_list("id", "deployment_id"))
        return {micro_id: Status(deployment_id=found.get(micro_id)) for micro_id in micro_ids}

    def changed(self, micro_id: str) -> None:
        self.told.append(("changed", micro_id))

    def install(self, wanted: Wanted, *, tell: Callable[[str], None]) -> Built:
        self.installed.append(wanted)
        self.install_into(wanted, tell)
        return self.built

    def clone(self, source: GitSource, source_id: UUID) -> Cloned:
        self.cloned.append((source, source_id))
        return self.clone_into(source, source_id)

    def try_out(self, wanted: Wanted) -> Tried:
        self.tried_out.append(wanted)
        return self.tried

    def invoke(self, call: Call, *, meanwhile: Callable[[], None]) -> Answered:
        self.calls.append(call)
        return self.answers(call)

    def stop(self, micro_id: str) -> None:
        self.told.append(("stop", micro_id))

    def replace(self, micro_id: str) -> None:
        self.told.append(("replace", micro_id))


@contextmanager
def hosted_by(host: MicroHost, places: Places) -> Iterator[None]:
    """Within it, this process's operations ask this host, and keep copies here; the server of the tests goes its own way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hosts, "the_host", lambda: host)
        patch.setattr(hosts, "the_places", lambda: places)
        yield


def make_micro(name: str = "hello", **chosen: Any) -> Micro:
    """A Micro without code, in a collection of its own unless told which."""
    collection_id = chosen.pop("collection_id", "") or collections.create_collection("Made by a test").id
    return micros.create_micro(collection_id=collection_id, name=name, **chosen)


def zip_of(files: Mapping[str, bytes], *, folder: str = "") -> bytes:
    """A bundle of these files, all within a folder if one is named."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{folder}{name}", content)
    return made.getvalue()


def deploy_now(micro: Micro, files: Mapping[str, bytes], *, asked_by: User | None = None) -> Deployment:
    """Deploy these files here and now, by the host that operations ask: before the server's worker sees that it waits."""
    with bundles.bundle_of(files) as bundle, transaction.atomic():
        asked = deployments.ask_for_deployment(
            collection_id=micro.collection_id, micro_id=micro.id, bundle=bundle, asked_by=asked_by
        )
        Deployment.objects.filter(id=asked.id).update(
            state=Deployment.State.BUILDING, attempts=1, heartbeat_at=clock.now()
        )
    taken = Deployment.objects.select_related("micro").get(id=asked.id)
    deploying.make_deployment(taken)
    return Deployment.objects.get(id=asked.id)
