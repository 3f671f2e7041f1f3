"""Deployments: ask for one, list and find them, roll back. Making one is `deploying.py`'s, which the job worker runs.

A deployment's code is a zip in the bucket, as parts under its id; what was installed for it is another, under an id that
deployments of one Micro share when they ask for the same. Of each Micro the newest ten that started are kept, and the one that
serves; of others only the row is left.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from storage import disk_space, limits
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.drive import files as drive_files
from storage.drive import parts
from storage.drive.files import Stored, StoredFile, make_etag
from storage.drive.sql import files as files_sql
from storage.drive.sql import uploads as uploads_sql
from storage.errors import BundleRefused, DeploymentNotFound, InvalidInput, StorageError
from storage.micros import declared
from storage.micros.bundles import Bundle
from storage.micros.micros import find_micro, hold_micro, touch_micro
from storage.micros.runtimes import Kind, Runtime, read_runtime
from storage.models import Deployment, Micro
from storage.postgres import rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, run

State = Deployment.State
_CHUNK_BYTES = 262_144
_UNDER_WAY = (State.QUEUED, State.BUILDING, State.STARTING)


def ask_for_deployment(*, collection_id: str, micro_id: str, bundle: Bundle, asked_by: User | None) -> Deployment:
    """Store a bundle and have a worker make it the Micro's next version; `storage/jobs.py` starts one at once.

    Raises MicroNotFound, BundleRefused (the Micro's runtime can't run it, or a variable that it needs has no value), InvalidInput
    (too many are waiting), Unauthorized or Forbidden when the person may not write here any more, SecretsUnreadable, DiskFull,
    EngineUnreachable.
    """
    disk_space.check_space_for_items()
    found = find_micro(collection_id=collection_id, micro_id=micro_id)
    choose_runtime(found, bundle)
    declared.check_required(found, bundle.manifest)
    with stored_bundle(bundle, collection_id=collection_id) as stored, engine_errors(), transaction.atomic():
        if asked_by is not None:
            rights.ask_again(Access(collection_id, person_id=asked_by.pk))
        micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
        declared.take_up(micro, bundle.manifest, by=asked_by)
        deployment = queue_deployment(micro, bundle, stored, asked_by=asked_by)
    return find_deployment(collection_id=collection_id, micro_id=micro_id, deployment_id=deployment.id)


class StoredBundle(NamedTuple):
    """A bundle's bytes in the bucket, under the id of a deployment to be; nothing refers to them yet."""

    deployment_id: UUID
    parts: list[Stored]


@contextmanager
def stored_bundle(bundle: Bundle, *, collection_id: str) -> Iterator[StoredBundle]:
    """Put a bundle's bytes into the bucket. Within, `queue_deployment` takes them; after an error they are let go.

    Raises EngineUnreachable, DiskFull.
    """
    held: list[Stored] = []
    deployment_id = uuid4()
    bundle.zip.seek(0)
    try:
        with parts.PartWriter(
            lambda number: parts.archive_owner(collection_id, deployment_id, number),
            lambda _, part: held.append(part),
        ) as writer:
            while chunk := bundle.zip.read(_CHUNK_BYTES):
                writer.write(chunk)
            writer.finish()
        yield StoredBundle(deployment_id, held)
    except BaseException:
        with suppress(StorageError):
            run(files_sql.discard_blobs([part.id for part in held]))
        raise


def queue_deployment(
    micro: Micro, bundle: Bundle, stored: StoredBundle, *, asked_by: User | None, source: str = ""
) -> Deployment:
    """In the caller's transaction: have a bundle that is in the bucket deployed to a held Micro.

    `source` says where its code is from, for people. Parts that are under the deployment's id already are not among `stored`.
    What it declares is the caller's to take up (`declared.py`). Raises BundleRefused (its runtime can't run it), InvalidInput
    (too many are waiting), EngineUnreachable.
    """
    mine = Deployment.objects.filter(micro=micro)
    if mine.filter(state__in=_UNDER_WAY).count() >= limits.MICRO_DEPLOYMENTS_WAITING_MAX:
        raise InvalidInput("Too many deployments of this Micro are waiting: wait until one is done")
    deployment = Deployment.objects.create(
        id=stored.deployment_id,
        micro=micro,
        number=(mine.aggregate(last=Max("number"))["last"] or 0) + 1,
        runtime=str(choose_runtime(micro, bundle)),
        asked_by=asked_by,
        bundle_bytes=bundle.size_bytes,
        bundle_digest=bundle.digest,
        code_bytes=bundle.code_bytes,
        files=bundle.files,
        source=source,
    )
    for number, part in enumerate(stored.parts, start=1):
        drive_files.take(part)
        run(uploads_sql.put_part(deployment.id.hex, number, part.id))
    _record(Verb.MICRO_DEPLOYED, micro, deployment)
    return deployment


def choose_runtime(micro: Micro, bundle: Bundle) -> Runtime:
    """What is to run a bundle: what the Micro asks for, else what the bundle declares, else what it is for.

    Raises BundleRefused.
    """
    wanted = micro.runtime or bundle.manifest.runtime
    asked = read_runtime(wanted) if wanted else None
    if asked is None:
        kind: Kind = "python" if "python" in bundle.entries else "node"
        return Runtime(kind, "")
    if asked.kind not in bundle.entries:
        found = " and ".join(bundle.entries.values())
        needed = "a main.py" if asked.kind == "python" else "an index.js, or a `main` in its package.json"
        if not micro.runtime:
            says = f"{bundle.manifest.source} asks for {asked.label}, and the bundle has {found}"
            raise BundleRefused(says, f"Change it there, or add {needed}")
        raise BundleRefused(
            f"The Micro's runtime is {asked.label}, and the bundle has {found}",
            f"Change the Micro's runtime in its settings, or add {needed}",
        )
    return asked


def list_deployments(*, collection_id: str, micro_id: str) -> list[Deployment]:
    """A Micro's deployments, newest first, each with who asked for it; `is_kept` says whether its code is still there.

    Raises MicroNotFound.
    """
    micro = find_micro(collection_id=collection_id, micro_id=micro_id)
    return list(Deployment.objects.select_related("asked_by").filter(micro=micro).order_by("-number"))


def list_latest(collection_id: str, *, micro_id: str = "") -> dict[str, Deployment]:
    """The newest deployment of each Micro of a collection that has one, or of one Micro, by the Micro's id."""
    found = Deployment.objects.filter(micro__collection_id=collection_id)
    if micro_id:
        found = found.filter(micro_id=micro_id)
    newest = found.order_by("micro_id", "-number").distinct("micro_id")
    return {deployment.micro_id: deployment for deployment in newest}


def find_deployment(*, collection_id: str, micro_id: str, deployment_id: UUID) -> Deployment:
    """Raises DeploymentNotFound."""
    found = Deployment.objects.select_related("micro", "asked_by").filter(
        micro__collection_id=collection_id, micro_id=micro_id, id=deployment_id
    )
    deployment = found.first() if "\x00" not in micro_id + collection_id else None
    if deployment is None:
        raise DeploymentNotFound()
    return deployment


def find_same(micro: Micro, bundle: Bundle) -> Deployment | None:
    """The deployment that serves, if it was made of the very same files for the same runtime: nothing is to be deployed."""
    serving = micro.deployment
    if serving is None or serving.bundle_digest != bundle.digest:
        return None
    return serving if serving.runtime == str(choose_runtime(micro, bundle)) else None


def open_code(*, collection_id: str, micro_id: str, deployment_id: UUID | None = None) -> StoredFile:
    """The zip of a deployment, or (None) of the one that serves, for a download.

    Raises MicroNotFound, DeploymentNotFound, also when its code is no longer kept.
    """
    if deployment_id is None:
        deployment_id = find_micro(collection_id=collection_id, micro_id=micro_id).deployment_id
    if deployment_id is None:
        raise DeploymentNotFound()
    found = find_deployment(collection_id=collection_id, micro_id=micro_id, deployment_id=deployment_id)
    made_of = parts.get_parts(deployment_id)
    if not found.is_kept or not made_of:
        raise DeploymentNotFound()
    return StoredFile(
        sum(part.size_bytes for part in made_of),
        "application/zip",
        make_etag([part.md5 for part in made_of]),
        found.asked_at,
        [part.id for part in made_of],
        [part.size_bytes for part in made_of],
    )


def roll_back(*, collection_id: str, micro_id: str, deployment_id: UUID) -> Deployment:
    """Have an earlier deployment serve, which started once: at once, as nothing has to be made. Nothing else changes.

    Of a deployment that is being made meanwhile, whichever comes last serves. Raises MicroNotFound, DeploymentNotFound (also when
    it failed, or its code is no longer kept), DiskFull.
    """
    disk_space.check_space_for_items()
    with transaction.atomic():
        micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
        found = Deployment.objects.filter(micro=micro, id=deployment_id, state=State.DONE, is_kept=True)
        deployment = found.first()
        if deployment is None:
            raise DeploymentNotFound()
        if deployment.id != micro.deployment_id:
            _record(Verb.MICRO_ROLLED_BACK, micro, deployment)
            serve(micro, deployment)
            let_go_of_old(micro)
    return find_deployment(collection_id=collection_id, micro_id=micro_id, deployment_id=deployment_id)


def serve(micro: Micro, deployment: Deployment) -> None:
    """In the caller's transaction: have a held Micro served by this deployment from now on."""
    runtime = {} if micro.runtime else {"runtime": deployment.runtime}
    touch_micro(micro, deployment=deployment, deployed_at=Now(), **runtime)


def let_go(deployments: list[Deployment]) -> None:
    """In the caller's transaction: drop the code of deployments, and what was installed for them alone."""
    ids = [each.id for each in deployments]
    Deployment.objects.filter(id__in=ids).update(is_kept=False)
    drop_unshared({each.dependencies_id for each in deployments if each.dependencies_id is not None})
    parts.drop_parts(*ids)


def drop_unshared(dependencies_ids: set[UUID]) -> None:
    """In the caller's transaction: drop what was installed, but for what a deployment still asks for."""
    asked = Deployment.objects.filter(dependencies_id__in=dependencies_ids, is_kept=True)
    parts.drop_parts(*(dependencies_ids - set(asked.values_list("dependencies_id", flat=True))))


def let_go_of_old(micro: Micro) -> None:
    """In the caller's transaction: let go of a held Micro's oldest deployments, but for the one that serves."""
    mine = Deployment.objects.filter(micro=micro).order_by("-number")
    done = list(mine.filter(state=State.DONE, is_kept=True))
    let_go([each for each in done[limits.MICRO_DEPLOYMENTS_KEPT :] if each.id != micro.deployment_id])
    listed = list(mine.values_list("id", flat=True)[: limits.MICRO_DEPLOYMENTS_LISTED])
    at_rest = mine.filter(state__in=[State.DONE, State.FAILED], is_kept=False)
    at_rest.exclude(id__in=listed).order_by().delete()


def _record(verb: Verb, micro: Micro, deployment: Deployment) -> None:
    details: dict[str, object] = {
        "micro": micro.id,
        "deployment": str(deployment.id),
        "number": deployment.number,
        "files": deployment.files,
    }
    audit.record(verb, collection_id=micro.collection_id, about=micro.name, details=details)
