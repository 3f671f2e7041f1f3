"""Repositories on their way to a Micro: asked for, fetched in the background, looked at by a person, then deployed.

What was fetched lies in the bucket as a bundle does, under the fetch's id, and that becomes the deployment's id: what is deployed
is the very thing that was looked at. What nobody deploys within a day is forgotten.
"""

import logging
import os
import shutil
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import msgspec
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.db.models import Q
from django.db.models.functions import Now

from storage import disk_space, limits
from storage.drive import files as drive_files
from storage.drive import parts
from storage.drive.files import Stored
from storage.drive.sql import uploads as uploads_sql
from storage.embedded.micros.clones import TAR, open_left
from storage.errors import (
    CollectionNotFound,
    EngineUnreachable,
    GitFetchNotFound,
    HostUnreachable,
    InvalidInput,
    StorageError,
)
from storage.git_sources.addresses import shown
from storage.micros import bundles, declared, deployments, hosts, micros, variables
from storage.micros.bundles import Bundle
from storage.micros.deployments import StoredBundle
from storage.micros.host import GitSource
from storage.micros.manifests.manifest import Manifest
from storage.models import Collection, Deployment, GitFetch, Micro
from storage.postgres import rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, one_connection, run
from storage.postgres.leases import Lease, Superseded, is_orphaned

logger = logging.getLogger(__name__)

State = GitFetch.State
_BEAT_SECONDS = 1.0
# Between the address and the commit, where a deployment says where its code is from.
_AT = " at "
_turns = threading.BoundedSemaphore(limits.MICRO_BUILDS_AT_ONCE)


class _Failed(Exception):
    """It can't be fetched, or not be deployed as it is; each argument is a sentence."""


def ask_for_fetch(*, collection_id: str, source: GitSource, part: str = "", asked_by: User) -> GitFetch:
    """Have a repository fetched for a collection; `storage/jobs.py` starts a worker. `part` names a Micro of its Spacefile.

    Of those that were fetched and not deployed the oldest give way. Raises CollectionNotFound, InvalidInput (too many are being
    fetched), Unauthorized or Forbidden when the person may not write here, DiskFull.
    """
    disk_space.check_space_for_items()
    with transaction.atomic():
        rights.ask_again(Access(collection_id, person_id=asked_by.pk))
        if not Collection.objects.select_for_update(no_key=True).filter(id=collection_id).exists():
            raise CollectionNotFound(f"No collection has the id {collection_id}")
        mine = GitFetch.objects.filter(collection_id=collection_id)
        resting = mine.filter(state__in=[State.DONE, State.FAILED])
        if mine.count() - resting.count() >= limits.GIT_FETCHES_KEPT:
            raise InvalidInput("Too many repositories are being fetched for this collection: wait until one is done")
        too_many = mine.count() - limits.GIT_FETCHES_KEPT + 1
        if too_many > 0:
            _drop(list(resting.order_by("asked_at", "id").values_list("id", flat=True)[:too_many]))
        return GitFetch.objects.create(
            collection_id=collection_id,
            address=source.address,
            branch=source.branch,
            folder=source.folder,
            part=part[: limits.MICRO_NAME_MAX_CHARACTERS],
            asked_by=asked_by,
        )


def find_fetch(*, collection_id: str, fetch_id: UUID) -> GitFetch:
    """Raises GitFetchNotFound, also when it was deployed or forgotten."""
    found = GitFetch.objects.filter(collection_id=collection_id, id=fetch_id) if "\x00" not in collection_id else None
    fetch = found.first() if found is not None else None
    if fetch is None:
        raise GitFetchNotFound()
    return fetch


def source_of(fetch: GitFetch) -> GitSource:
    return GitSource(fetch.address, fetch.branch, fetch.folder)


def manifest_of(fetch: GitFetch) -> Manifest:
    """What the repository declares, once it is fetched."""
    return msgspec.convert(fetch.manifest, Manifest)


def deploy_fetch(
    *,
    collection_id: str,
    fetch_id: UUID,
    name: str,
    subdomain: str,
    values: dict[str, str],
    cron: str,
    made_by: User,
) -> Deployment:
    """Make a Micro of what was fetched, with these variables and this schedule (empty for none), and have it deployed.

    All of it or nothing. Raises GitFetchNotFound (also when it is not fetched yet), AlreadyTaken, InvalidInput, BundleRefused,
    Unauthorized, Forbidden, DiskFull, EngineUnreachable.
    """
    disk_space.check_space_for_items()
    with engine_errors(), transaction.atomic():
        fetch = _hold_fetched(collection_id=collection_id, fetch_id=fetch_id, by=made_by)
        micro = micros.create_micro(collection_id=collection_id, name=name, subdomain=subdomain, made_by=made_by)
        if values:
            variables.set_variables(collection_id=collection_id, micro_id=micro.id, values=values)
        made = _queue(fetch, micro.id, replace(manifest_of(fetch), cron=cron.strip()), by=made_by)
    return deployments.find_deployment(collection_id=collection_id, micro_id=micro.id, deployment_id=made.id)


def update_from_fetch(*, collection_id: str, fetch_id: UUID, micro_id: str, by: User) -> Deployment:
    """Have what was fetched deployed to a Micro that there is. Its variables and its schedule stay as they are.

    Raises GitFetchNotFound (also when it is not fetched yet), MicroNotFound, InvalidInput (the very same serves already, or too
    many are waiting), BundleRefused, Unauthorized, Forbidden, DiskFull, EngineUnreachable.
    """
    disk_space.check_space_for_items()
    with engine_errors(), transaction.atomic():
        fetch = _hold_fetched(collection_id=collection_id, fetch_id=fetch_id, by=by)
        made = _queue(fetch, micro_id, manifest_of(fetch), by=by)
    return deployments.find_deployment(collection_id=collection_id, micro_id=micro_id, deployment_id=made.id)


def list_made_from(fetch: GitFetch) -> list[Micro]:
    """The Micros of its collection that were deployed from the same repository, branch and folder last, by name."""
    known = Deployment.objects.filter(micro__collection_id=fetch.collection_id).exclude(source="")
    last = dict(known.order_by("number").values_list("micro_id", "source"))
    wanted = shown(source_of(fetch))
    return [each for each in micros.list_micros(fetch.collection_id) if repository_in(last.get(each.id, "")) == wanted]


def repository_in(source: str) -> str:
    """The address of the repository in what a deployment says of where its code is from; empty for one that is from elsewhere."""
    return source.rpartition(_AT)[0]


def _hold_fetched(*, collection_id: str, fetch_id: UUID, by: User) -> GitFetch:
    """In the caller's transaction. Raises GitFetchNotFound, Unauthorized, Forbidden."""
    rights.ask_again(Access(collection_id, person_id=by.pk))
    found = GitFetch.objects.select_for_update().filter(collection_id=collection_id, id=fetch_id, state=State.DONE)
    fetch = found.first()
    if fetch is None:
        raise GitFetchNotFound()
    return fetch


def _queue(fetch: GitFetch, micro_id: str, manifest: Manifest, *, by: User) -> Deployment:
    """In the caller's transaction: what was fetched becomes a deployment, and is no fetch any more."""
    bundle = Bundle(
        BytesIO(),
        size_bytes=fetch.bundle_bytes,
        code_bytes=fetch.code_bytes,
        files=fetch.files,
        digest=fetch.bundle_digest,
        entries=fetch.entries,
        manifest=manifest,
    )
    source = f"{shown(source_of(fetch))}{_AT}{fetch.commit[:12]}"
    held = micros.hold_micro(collection_id=fetch.collection_id, micro_id=micro_id)
    if deployments.find_same(held, bundle) is not None:
        raise InvalidInput(f"“{held.name}” is up to date: this very code serves already")
    declared.take_up(held, bundle.manifest, by=by)
    made = deployments.queue_deployment(held, bundle, StoredBundle(fetch.id, []), asked_by=by, source=source)
    fetch.delete()
    return made


def forget_old() -> int:
    """Drop what was fetched a day ago and not deployed. Returns how many."""
    with transaction.atomic():
        old = GitFetch.objects.select_for_update(skip_locked=True).filter(
            state__in=[State.DONE, State.FAILED],
            finished_at__lt=Now() - timedelta(seconds=limits.GIT_FETCH_KEPT_SECONDS),
        )
        return _drop(list(old.values_list("id", flat=True)))


def _drop(ids: list[UUID]) -> int:
    """In the caller's transaction."""
    if ids:
        parts.drop_parts(*ids)
        GitFetch.objects.filter(id__in=ids).delete()
    return len(ids)


# What the worker does


def continue_fetches() -> None:
    """Fetch what waits, and what killed workers left; a few at once in one process. Raises EngineUnreachable."""
    if not _turns.acquire(blocking=False):
        return
    try:
        with engine_errors(), one_connection():
            forget_old()
            while (fetch := claim_fetch()) is not None:
                make_fetch(fetch)
    finally:
        _turns.release()


def claim_fetch() -> GitFetch | None:
    """The next one, taken by this attempt. Those that were tried too often fail."""
    with transaction.atomic():
        waiting = Q(state=State.QUEUED) | Q(is_orphaned(), state=State.RUNNING)
        found = GitFetch.objects.select_for_update(skip_locked=True).filter(waiting)
        fetch = found.order_by("asked_at", "id").first()
        if fetch is None:
            return None
        parts.drop_parts(fetch.id)
        if fetch.attempts >= limits.GIT_ATTEMPTS_MAX:
            reason = f"The server stopped while it was fetched, {fetch.attempts} times."
            GitFetch.objects.filter(id=fetch.id).update(state=State.FAILED, reason=reason, finished_at=Now())
            return claim_fetch()
        fetch.attempts += 1
        fetch.state = State.RUNNING
        GitFetch.objects.filter(id=fetch.id).update(state=fetch.state, attempts=fetch.attempts, heartbeat_at=Now())
        return fetch


def make_fetch(fetch: GitFetch) -> None:
    """Fetch one that `claim_fetch` returned. Raises EngineUnreachable; all else becomes the reason it failed for."""
    lease = Lease(fetch, state=State.RUNNING)
    try:
        with _Beat(lease):
            try:
                _fetch(fetch, lease)
            except (Superseded, EngineUnreachable):
                raise
            except HostUnreachable as error:
                # Trying again may help: the row stays as it is until its lease is over.
                if fetch.attempts >= limits.GIT_ATTEMPTS_MAX:
                    _fail(fetch, lease, *error.messages)
            except _Failed as error:
                _fail(fetch, lease, *map(str, error.args))
            except StorageError as error:
                _fail(fetch, lease, *error.messages)
            except Exception:
                logger.exception("The repository of %s could not be fetched", fetch.id)
                _fail(fetch, lease, "Something went wrong in Homeport. The server's log has the details.")
    except Superseded:
        logger.info("The fetch %s continues elsewhere, or was deleted", fetch.id)


def _fetch(fetch: GitFetch, lease: Lease) -> None:
    host, places = hosts.the_host(), hosts.the_places()
    if why := host.why_off():
        raise _Failed(why)
    # Of this attempt alone: an earlier one may still be at it.
    source_id = UUID(bytes=os.urandom(16), version=4)
    folder = places.source(source_id)
    try:
        cloned = host.clone(source_of(fetch), source_id)
        if not cloned.is_done:
            raise _Failed(cloned.reason)
        with (
            open_left(folder, TAR) as tar,
            bundles.open_bundle(tar, size_bytes=os.fstat(tar.fileno()).st_size, part=fetch.part) as bundle,
        ):
            _keep(fetch, bundle, lease, commit=cloned.commit)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _keep(fetch: GitFetch, bundle: Bundle, lease: Lease, *, commit: str) -> None:
    """Put the bundle into the bucket, and say that it is there."""
    bundle.zip.seek(0)

    def commit_part(number: int, stored: Stored) -> None:
        with engine_errors(), transaction.atomic():
            lease.save()
            drive_files.take(stored)
            run(uploads_sql.put_part(fetch.id.hex, number, stored.id))

    with parts.PartWriter(
        lambda number: parts.archive_owner(fetch.collection_id, fetch.id, number), commit_part
    ) as writer:
        while chunk := bundle.zip.read(262_144):
            writer.write(chunk)
        writer.finish()
    lease.save(
        state=State.DONE,
        finished_at=Now(),
        commit=commit,
        bundle_bytes=bundle.size_bytes,
        bundle_digest=bundle.digest,
        code_bytes=bundle.code_bytes,
        files=bundle.files,
        entries=bundle.entries,
        manifest=msgspec.to_builtins(bundle.manifest),
    )


def _fail(fetch: GitFetch, lease: Lease, *reasons: str) -> None:
    text = "\n".join(reasons).replace("\x00", "\ufffd").encode(errors="replace").decode()
    with engine_errors(), transaction.atomic():
        lease.save(state=State.FAILED, finished_at=Now(), reason=text[: limits.MICRO_REASON_MAX_CHARACTERS])
        parts.drop_parts(fetch.id)


class _Beat:
    """Renews a lease as long as it lasts, in a thread of its own."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_at_it, name="git-fetch", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _keep_at_it(self) -> None:
        while not self._over.wait(_BEAT_SECONDS):
            with suppress(StorageError, Superseded), one_connection():
                self._lease.save()
        connections.close_all()
