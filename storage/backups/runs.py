"""Backups and drills as runs that are asked for, made, and remembered: by a command, by the owner in the console, or when due."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from storage.audit import log as audit
from storage.audit.log import Verb
from storage.backups import notices, plans
from storage.backups.faults import BackupFault
from storage.backups.restoring import drills
from storage.backups.restoring.drills import Drilled
from storage.backups.taking import backing_up, engine
from storage.backups.taking.backing_up import Made
from storage.models import BackupRun
from storage.postgres import clock
from storage.postgres.database import engine_errors
from storage.postgres.locks import Work, only_worker

logger = logging.getLogger(__name__)

Kind = BackupRun.Kind
_VERBS = {Kind.BACKUP: Verb.BACKED_UP, Kind.DRILL: Verb.DRILLED}

# What failed is tried again after so long, unless somebody asks for it before.
_AGAIN = timedelta(hours=1)
# A run that has begun takes its lock within this time.
_BEGINNING = timedelta(minutes=1)
# Of the runs so many are remembered, of each kind.
_REMEMBERED = 500
_NO_TIME = timedelta(0)


def back_up_now(
    target: str | None = None,
    *,
    is_full: bool | None = None,
    is_new: bool = False,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Made:
    """Make a backup and remember it. Raises BackupFault and EngineUnreachable."""
    audit.note_act(Verb.BACKED_UP)
    run = BackupRun.objects.create(kind=Kind.BACKUP, is_full=is_full, started_at=Now(), target=target or "")
    return _back_up(run, is_new=is_new, tell=tell)


def drill_now(
    target: str | None = None, *, backup_id: str | None = None, tell: Callable[[str], None] = lambda sentence: None
) -> Drilled:
    """Try a backup, the newest by default, and remember what came of it. Raises BackupFault and EngineUnreachable."""
    audit.note_act(Verb.DRILLED)
    run = BackupRun.objects.create(kind=Kind.DRILL, backup_id=backup_id or "", started_at=Now(), target=target or "")
    return _drill(run, tell=tell)


def ask_for(kind: BackupRun.Kind, *, asked_by: int, is_full: bool | None = None) -> None:
    """Have the job worker do it soon; once, however often it is asked for. Raises EngineUnreachable."""
    with engine_errors(), transaction.atomic():
        if not BackupRun.objects.filter(kind=kind, ended_at=None).exists():
            BackupRun.objects.create(kind=kind, is_full=is_full, asked_by_id=asked_by)
            audit.record(_VERBS[kind])


def continue_runs() -> None:
    """Do what was asked for and what is due; note what was interrupted. Raises EngineUnreachable."""
    _note_interrupted()
    row = plans.read_row()
    plan = plans.read_plan(row)
    if plan.target:
        # A gap in the log is to be short.
        _ask_for_due(Kind.BACKUP, _NO_TIME if row.gap_at else timedelta(hours=plan.every_hours))
        if plan.drill_every_days and _last_good(Kind.BACKUP):
            _ask_for_due(Kind.DRILL, timedelta(days=plan.drill_every_days))
    for kind, work in ((Kind.BACKUP, _back_up), (Kind.DRILL, _drill)):
        while run := _claim(kind):
            try:
                work(run)
            except BackupFault as error:
                logger.error("The %s failed: %s", kind.label.lower(), error)
    notices.tell()


def _back_up(run: BackupRun, *, is_new: bool = False, tell: Callable[[str], None] = lambda sentence: None) -> Made:
    def work() -> Made:
        return backing_up.make_backup(run.target or None, is_full=run.is_full, is_new=is_new, tell=tell)

    made: Made = _remember(run, work)
    run.is_full, run.backup_id, run.size_bytes = made.backup.is_full, made.backup.id, made.backup.size_bytes
    run.details = {
        "blobs": made.backup.blobs,
        "blob_bytes": made.backup.blob_bytes,
        "copied": made.blobs_copied,
        "copied_bytes": made.blob_bytes_copied,
        "unreadable": made.unreadable,
        "elsewhere": not made.is_own,
        "has_no_database": not made.backup.has_database,
        "spans": [[span.first.isoformat(), span.last.isoformat()] for span in made.spans],
    }
    _end(run)
    gone = BackupRun.objects.filter(kind=Kind.BACKUP, backup_id__in=made.removed)
    for each in gone:
        each.details = {**each.details, "removed": True}
        each.save(update_fields=["details"])
    return made


def _drill(run: BackupRun, *, tell: Callable[[str], None] = lambda sentence: None) -> Drilled:
    def work() -> Drilled:
        row = plans.read_row()
        expected = drills.Expected(
            ids=_expected_ids(), line=row.line, kept_until=row.kept_until, engine_user=settings.ENGINE_USER
        )
        return drills.drill(run.target or None, backup_id=run.backup_id or None, expected=expected, tell=tell)

    drilled: Drilled = _remember(run, work)
    run.backup_id, run.fault = drilled.backup_id, "\n".join(drilled.faults)[:4_000]
    run.details = drilled.details
    _end(run)
    return drilled


def _remember(run: BackupRun, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except BaseException as error:
        run.fault = str(error) or type(error).__name__
        _end(run)
        raise


def _end(run: BackupRun) -> None:
    run.ended_at = clock.now()
    run.save()
    last = BackupRun.objects.filter(kind=run.kind).order_by("-id").values_list("id", flat=True)[_REMEMBERED:]
    BackupRun.objects.filter(id__in=list(last)).delete()


def _claim(kind: BackupRun.Kind) -> BackupRun | None:
    """The next that waits; it is on its way then."""
    run = BackupRun.objects.filter(kind=kind, started_at=None, ended_at=None).order_by("id").first()
    if run is None or not BackupRun.objects.filter(id=run.id, started_at=None).update(started_at=Now()):
        return None
    run.refresh_from_db()
    return run


def _ask_for_due(kind: BackupRun.Kind, every: timedelta) -> None:
    runs = BackupRun.objects.filter(kind=kind)
    last = runs.order_by("-id").first()
    if last is None:
        BackupRun.objects.create(kind=kind)
        return
    if last.ended_at is None:
        return
    good = _last_good(kind)
    now = clock.now()
    is_due = good is None or (good.started_at or good.asked_at) + every <= now
    if is_due and last.ended_at + (_AGAIN if last.fault else _NO_TIME) <= now:
        BackupRun.objects.create(kind=kind)


def _last_good(kind: BackupRun.Kind) -> BackupRun | None:
    return BackupRun.objects.filter(kind=kind, fault="", ended_at__isnull=False).order_by("-id").first()


def _expected_ids() -> list[str]:
    """The backups that should be in the server's own target."""
    good = BackupRun.objects.filter(kind=Kind.BACKUP, fault="", ended_at__isnull=False)
    return [run.backup_id for run in good if not run.details.get("removed") and not run.details.get("elsewhere")]


def _note_interrupted() -> None:
    """Runs whose process was killed: nobody holds their lock."""
    locks: list[tuple[BackupRun.Kind, Work]] = [(Kind.BACKUP, "backup"), (Kind.DRILL, "drill")]
    for kind, lock in locks:
        old = BackupRun.objects.filter(Q(kind=kind), started_at__lt=clock.now() - _BEGINNING, ended_at=None)
        if old.exists():
            with only_worker(lock) as is_free:
                if is_free:
                    if kind == Kind.BACKUP and not settings.DATABASE_URL:
                        with engine.open_engine() as found:
                            found.drop_slot(engine.BASE_SLOT)
                    old.update(ended_at=Now(), fault="It was interrupted: the process that did it is gone.")
