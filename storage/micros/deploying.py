"""Makes deployments: installs what one asks for, starts it once beside the one that serves, and then has it serve.

Whoever makes one holds a lease (`storage/postgres/leases.py`). When they are killed another begins anew, a few times; whatever
becomes of it, a deployment ends as done, or failed with words. One that failed never serves. One that is to serve is done once it
does: what runs Micros has taken it over, and the next request is its.
"""

import logging
import threading
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from storage import limits
from storage.drive import files as drive_files
from storage.drive import parts
from storage.drive.failpoints import reach
from storage.drive.files import Stored
from storage.drive.sql import uploads as uploads_sql
from storage.embedded import accounts
from storage.embedded.micros import installing
from storage.embedded.micros.commands import INSIDE
from storage.embedded.micros.places import Places
from storage.errors import EngineUnreachable, HostUnreachable, MicroNotFound, StorageError
from storage.micro_logs import logs
from storage.micro_masking import Masking
from storage.micros import copies, deployments, hosts, packing
from storage.micros.host import Fault, FaultKind, Line, MicroHost, Source, Status
from storage.micros.micros import hold_micro
from storage.micros.runtimes import read_runtime
from storage.micros.secret_texts import list_secret_texts
from storage.micros.wanted import find_wanted
from storage.models import Deployment, Micro
from storage.postgres.database import engine_errors, one_connection, run
from storage.postgres.leases import Lease, Superseded, is_orphaned
from storage.s3.blobs import Owner

logger = logging.getLogger(__name__)

State = Deployment.State
_RUNNING = (State.BUILDING, State.STARTING)
_BEAT_SECONDS = 1.0
_FLUSH_SECONDS = 0.3
_LINES_HELD_MAX = 10_000
_LOOK_SECONDS = 0.05

_turns = threading.BoundedSemaphore(limits.MICRO_BUILDS_AT_ONCE)


class _Failed(Exception):
    """The deployment does not start; the message says why."""


def continue_deployments() -> None:
    """Make what waits, and take over what killed workers left. A few at once in one process. Raises EngineUnreachable."""
    if not _turns.acquire(blocking=False):
        return
    try:
        with engine_errors(), one_connection():
            while (deployment := claim_deployment()) is not None:
                make_deployment(deployment)
    finally:
        _turns.release()


def claim_deployment() -> Deployment | None:
    """The next deployment to make, taken by this attempt: one of each Micro at a time, in the order they were asked for.

    Those that were tried too often fail.
    """
    with transaction.atomic():
        others = Deployment.objects.filter(micro=OuterRef("micro"), number__lt=OuterRef("number"))
        earlier = others.filter(state__in=[State.QUEUED, *_RUNNING])
        waiting = Q(state=State.QUEUED) | Q(is_orphaned(), state__in=_RUNNING)
        found = Deployment.objects.select_for_update(skip_locked=True, of=("self",)).filter(waiting)
        deployment = found.exclude(Exists(earlier)).select_related("micro").order_by("asked_at", "id").first()
        if deployment is None:
            return None
        if not _is_to_serve(deployment):
            _forget_attempt(deployment)
            if deployment.attempts >= limits.MICRO_ATTEMPTS_MAX:
                _end_failed(deployment, f"The server stopped during this deployment, {deployment.attempts} times.")
                return claim_deployment()
            deployment.state = State.BUILDING
        deployment.attempts += 1
        Deployment.objects.filter(id=deployment.id).update(
            state=deployment.state, attempts=deployment.attempts, heartbeat_at=Now()
        )
        return deployment


def make_deployment(deployment: Deployment) -> None:
    """Make a deployment that `claim_deployment` returned. Raises EngineUnreachable; all else becomes the reason it failed for."""
    lease = Lease(deployment, state__in=_RUNNING)
    try:
        with _Diary(deployment, lease) as diary:
            try:
                _Making(deployment, lease, diary).make()
            except (Superseded, EngineUnreachable):
                raise
            except HostUnreachable as error:
                # A retry may help: the row stays as it is until its lease is over.
                if deployment.attempts >= limits.MICRO_ATTEMPTS_MAX:
                    _fail(deployment, lease, ". ".join(error.messages), diary)
            except (_Failed, StorageError) as error:
                _fail(deployment, lease, ". ".join(map(str, error.args)), diary)
            except Exception:
                logger.exception("Deployment %s failed", deployment.id)
                why = "Something went wrong in Homeport. The server's log has the details."
                _fail(deployment, lease, why, diary)
    except Superseded:
        logger.info("Deployment %s continues elsewhere, or was deleted", deployment.id)


class _Making:
    """One attempt at a deployment, step by step."""

    def __init__(self, deployment: Deployment, lease: Lease, diary: "_Diary") -> None:
        self._deployment, self._lease, self._diary = deployment, lease, diary
        self._host: MicroHost = hosts.the_host()
        self._places: Places = hosts.the_places()
        account = accounts.micro_account()
        self._group = account.gid if account else None

    def make(self) -> None:
        """Raises _Failed, Superseded and StorageError."""
        if not _is_to_serve(self._deployment):
            self._build()
        self._await_take_over()
        self._finish()

    def _build(self) -> None:
        if why := self._host.why_off():
            raise _Failed(why)
        copies.fetch_code(self._deployment.id, self._places, group=self._group)
        self._install()
        self._try_out()
        self._serve()

    def _install(self) -> None:
        digest = self._digest()
        shared = self._find_shared(digest)
        if shared is not None:
            self._diary.tell(f"What it asks for is installed already, for deployment {shared.number}.")
            self._note(
                dependencies_id=shared.dependencies_id,
                dependencies_bytes=shared.dependencies_bytes,
                dependencies_digest=digest,
                runs_on=shared.runs_on,
            )
            return
        installed_id = uuid.uuid4()
        self._note(dependencies_id=installed_id, dependencies_digest=digest)
        try:
            built = self._host.install(find_wanted(self._deployment.id), tell=self._diary.tell)
            if not built.is_done:
                raise _Failed(built.reason or "Its dependencies could not be installed.")
            self._note(runs_on=built.runs_on, dependencies_bytes=self._keep(installed_id))
        finally:
            # What runs is what is stored, on every machine: this one fetches it from there, too.
            copies.drop_dependencies(installed_id, self._places)

    def _digest(self) -> str:
        """Of what is asked for, and of all that could run it here: empty when nothing is asked for."""
        runtime = read_runtime(self._deployment.runtime)
        series = "|".join([runtime.version, *self._host.runtimes()])
        plan = installing.plan(self._places.code(self._deployment.id), runtime.kind, series, paths=INSIDE)
        return plan.digest

    def _find_shared(self, digest: str) -> Deployment | None:
        """An earlier deployment of this Micro that asked for the same. Other Micros' may hold what strangers made of it."""
        done = Deployment.objects.filter(micro_id=self._deployment.micro_id, state=State.DONE, is_kept=True)
        found = done.filter(dependencies_digest=digest, runtime=self._deployment.runtime).order_by("-number").first()
        if found is None or not digest:
            return None
        is_there = found.dependencies_id is None or bool(parts.get_parts(found.dependencies_id))
        return found if is_there else None

    def _keep(self, installed_id: UUID) -> int:
        """Pack what was installed into the bucket; how many bytes it has. Of nothing, nothing is kept."""
        folder = self._places.dependencies(installed_id)
        if not folder.is_dir() or not any(folder.iterdir()):
            self._note(dependencies_id=None)
            return 0

        def owner(number: int) -> Owner:
            return parts.archive_owner(self._deployment.micro.collection_id, installed_id, number)

        def commit(number: int, stored: Stored) -> None:
            with engine_errors(), transaction.atomic():
                self._lease.save()
                drive_files.take(stored)
                run(uploads_sql.put_part(installed_id.hex, number, stored.id))
                reach("deployment-part-before-commit")

        with parts.PartWriter(owner, commit) as writer:
            packed = packing.pack_tree(folder, writer.write)
            writer.finish()
        return packed.size_bytes

    def _try_out(self) -> None:
        self._note(state=State.STARTING)
        wanted = find_wanted(self._deployment.id)
        copies.fetch(wanted, self._places, group=self._group)
        tried = self._host.try_out(wanted)
        if tried.fault is not None and tried.fault.kind is not FaultKind.NO_SERVER:
            raise _Failed(_say(tried.fault))
        answered = f"answered GET / with {tried.status}" if tried.status else "has `run` and `cron` functions alone"
        self._diary.tell(f"It starts, and {answered}.")

    def _serve(self) -> None:
        # Whoever sees that it is done finds all lines of how it was made.
        self._diary.flush()
        reach("deployment-before-done")
        with engine_errors(), transaction.atomic():
            micro_id, collection_id = self._deployment.micro_id, self._deployment.micro.collection_id
            try:
                micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
            except MicroNotFound:
                raise Superseded from None
            self._lease.save()
            deployments.serve(micro, self._deployment)

    def _await_take_over(self) -> None:
        """Wait until what runs Micros serves it; or something else is to serve, or it will not start after all."""
        ends_at = time.monotonic() + settings.MICRO_START_SECONDS
        micro_id, number = self._deployment.micro_id, self._deployment.number
        while time.monotonic() < ends_at:
            with suppress(HostUnreachable):
                if self._host.statuses([micro_id]).get(micro_id, Status()).deployment_id == self._deployment.id:
                    self._diary.tell(f"Deployment {number} serves.")
                    return
            with engine_errors():
                if not Micro.objects.filter(id=micro_id, deployment_id=self._deployment.id).exists():
                    return
            time.sleep(_LOOK_SECONDS)
        self._diary.tell(f"Deployment {number} is to serve, and did not start in time: it is tried again and again.")

    def _finish(self) -> None:
        with engine_errors(), transaction.atomic():
            try:
                micro = hold_micro(
                    collection_id=self._deployment.micro.collection_id, micro_id=self._deployment.micro_id
                )
            except MicroNotFound:
                raise Superseded from None
            self._lease.save(state=State.DONE, finished_at=Now(), reason="")
            deployments.let_go_of_old(micro)

    def _note(self, **values: object) -> None:
        self._lease.save(**values)
        for name, value in values.items():
            setattr(self._deployment, name, value)


def _is_to_serve(deployment: Deployment) -> bool:
    """Whether its Micro was told to have it serve: nothing of it is to be made again."""
    return deployment.micro.deployment_id == deployment.id


class _Diary:
    """While it lasts, lines go into the Micro's log as they come, and the lease is renewed; both in a thread of its own."""

    def __init__(self, deployment: Deployment, lease: Lease) -> None:
        self._deployment, self._lease = deployment, lease
        self._lines: list[Line] = []
        self._masking = Masking(list_secret_texts(deployment.micro))
        self._holding = threading.Lock()
        self._writing = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_at_it, name="deployment", daemon=True)

    def __enter__(self) -> "_Diary":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.flush()

    def tell(self, text: str) -> None:
        """A line, of the installer or of ours."""
        line = Line(
            micro_id=self._deployment.micro_id,
            at=datetime.now(UTC),
            text=text,
            source=Source.BUILD,
            deployment_id=self._deployment.id,
        )
        with self._holding:
            if len(self._lines) < _LINES_HELD_MAX:
                self._lines.append(line)

    def mask(self, text: str) -> str:
        """What was printed, without the Micro's secrets."""
        return self._masking.text(text)

    def _keep_at_it(self) -> None:
        beat_at = time.monotonic()
        while not self._over.wait(_FLUSH_SECONDS):
            self.flush()
            if time.monotonic() - beat_at >= _BEAT_SECONDS:
                beat_at = time.monotonic()
                with suppress(StorageError, Superseded), one_connection():
                    self._lease.save()
        connections.close_all()

    def flush(self) -> None:
        """Have all that was told until now in the log."""
        with self._writing:
            with self._holding:
                taken, self._lines = self._lines, []
            # The log of a build is worth less than the build.
            with suppress(StorageError):
                logs.add_lines([self._masking.line(line) for line in taken])


def _fail(deployment: Deployment, lease: Lease, reason: str, diary: _Diary) -> None:
    reason = diary.mask(reason)
    diary.tell(f"Deployment {deployment.number} failed, and does not serve: {reason.splitlines()[0] if reason else ''}")
    diary.flush()
    with engine_errors(), transaction.atomic():
        lease.save()
        _end_failed(deployment, reason)


def _end_failed(deployment: Deployment, reason: str) -> None:
    """In the caller's transaction: it failed for this reason, and nothing of it is kept."""
    kept = reason.replace("\x00", "\ufffd").encode(errors="replace").decode()[-limits.MICRO_REASON_MAX_CHARACTERS :]
    Deployment.objects.filter(id=deployment.id).update(state=State.FAILED, reason=kept, finished_at=Now())
    deployments.let_go([Deployment.objects.get(id=deployment.id)])


def _forget_attempt(deployment: Deployment) -> None:
    """In the caller's transaction: let go of what an earlier attempt had installed."""
    if deployment.dependencies_id is not None:
        left = {deployment.dependencies_id}
        Deployment.objects.filter(id=deployment.id).update(dependencies_id=None, dependencies_digest="", runs_on="")
        deployment.dependencies_id = None
        deployments.drop_unshared(left)


def _say(fault: Fault) -> str:
    return f"{fault.message}\n\n{fault.output}".strip()
