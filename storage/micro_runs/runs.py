"""Runs: ask for one, cancel it, find and list them, and keep their history short. Making one is `calling.py`'s.

A run calls functions of a Micro: one that was named for an action, or all of its cron functions. Its id marks what the Micro
prints meanwhile, so the lines are found in its log by it.
"""

import time
from collections.abc import Sequence
from uuid import UUID

import msgspec
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from storage import disk_space, limits
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import InvalidInput, RunNotFound
from storage.events import ids as event_ids
from storage.micro_logs import logs
from storage.micro_logs.sql import LineRow
from storage.micro_runs import sql as runs_sql
from storage.micro_schedules.run_limits import check_limit
from storage.micros import hosts
from storage.micros.micros import find_micro
from storage.models import MicroRun
from storage.postgres.database import run_one

Kind = MicroRun.Kind
State = MicroRun.State
UNDER_WAY = (State.QUEUED, State.RUNNING)
_EMPTY = b"{}"


def ask_for_run(
    *,
    collection_id: str,
    micro_id: str,
    kind: Kind = Kind.RUN,
    action: str = "",
    input_json: bytes = _EMPTY,
    limit_seconds: int | None = None,
    asked_by: User | None = None,
) -> MicroRun:
    """Queue a run; `storage/jobs.py` starts it at once.

    `input_json` is what the function finds as `event.json`. `limit_seconds` is what it may take, 1 to `MICRO_RUN_SECONDS_MAX`;
    None is as long as a request.

    Raises MicroNotFound, DiskFull, and InvalidInput (an argument; nothing is deployed; too many runs are waiting; Micros are
    switched off).
    """
    disk_space.check_space_for_items()
    check_limit(limit_seconds)
    check_action(action)
    text = check_input(input_json)
    if not hosts.can_run():
        raise InvalidInput(hosts.the_host().why_off().rstrip("."))
    with transaction.atomic():
        micro = find_micro(collection_id=collection_id, micro_id=micro_id)
        if micro.deployment_id is None:
            raise InvalidInput("Nothing is deployed to this Micro yet")
        if MicroRun.objects.filter(micro=micro, state=State.QUEUED).count() >= limits.MICRO_RUNS_WAITING_MAX:
            raise InvalidInput("Too many runs of this Micro are waiting: wait until one is done")
        made = MicroRun.objects.create(
            id=UUID(event_ids.new_event_id(time.time_ns())),
            micro=micro,
            kind=kind,
            action=action,
            input=text,
            limit_seconds=limit_seconds,
            asked_by=asked_by,
        )
        details = {"micro": micro.id, "run": str(made.id), "kind": str(kind), "action": action}
        audit.record(Verb.MICRO_RUN, collection_id=collection_id, about=micro.name, details=details)
    return find_run(collection_id=collection_id, micro_id=micro_id, run_id=made.id)


def cancel_run(*, collection_id: str, micro_id: str, run_id: UUID, by: User) -> MicroRun:
    """End a run that waits or goes on; one that is over stays as it is. It is returned as it is then.

    Whoever makes it learns so within seconds, and has what was at it ended. Raises RunNotFound.
    """
    with transaction.atomic():
        found = find_run(collection_id=collection_id, micro_id=micro_id, run_id=run_id)
        under_way = MicroRun.objects.filter(id=run_id, state__in=UNDER_WAY)
        if under_way.update(state=State.CANCELLED, finished_at=Now(), reason=f"Cancelled by {by.username}."):
            details = {"micro": micro_id, "run": str(run_id), "kind": found.kind, "action": found.action}
            audit.record(Verb.MICRO_RUN_CANCELLED, collection_id=collection_id, about=found.micro.name, details=details)
    return find_run(collection_id=collection_id, micro_id=micro_id, run_id=run_id)


def find_run(*, collection_id: str, micro_id: str, run_id: UUID) -> MicroRun:
    """A run with who asked for it. Raises RunNotFound."""
    found = MicroRun.objects.select_related("asked_by", "micro").filter(
        micro__collection_id=collection_id, micro_id=micro_id, id=run_id
    )
    made = found.first() if "\x00" not in micro_id + collection_id else None
    if made is None:
        raise RunNotFound()
    return made


def list_runs(
    *, micro_id: str, kind: Kind | None = None, before: MicroRun | None = None, limit: int = limits.MICRO_RUNS_PER_LIST
) -> list[MicroRun]:
    """A Micro's runs, newest first, without their input and answer. Whether the reader may see the Micro is the caller's to know.

    Raises EngineUnreachable.
    """
    found = MicroRun.objects.select_related("asked_by").defer("input", "answer").filter(micro_id=micro_id)
    if kind is not None:
        found = found.filter(kind=kind)
    if before is not None:
        found = found.filter(Q(asked_at=before.asked_at, id__lt=before.id) | Q(asked_at__lt=before.asked_at))
    return list(found.order_by("-asked_at", "-id")[:limit])


def list_printed(run: MicroRun, *, after: int | None = None) -> Sequence[LineRow]:
    """What was printed for a run, oldest first, the first `MICRO_LINES_PER_LIST` after a line's id. Raises EngineUnreachable."""
    return logs.list_lines(micro_id=run.micro_id, request_id=run.id, after=after or 0)


def check_action(action: str) -> None:
    """Raises InvalidInput unless a function may be registered for it."""
    if len(action) > limits.MICRO_ACTION_MAX_CHARACTERS or not action.isprintable():
        most = limits.MICRO_ACTION_MAX_CHARACTERS
        raise InvalidInput(f"An action has at most {most} characters, all of them visible")


def check_input(sent: bytes) -> str:
    """The text of a run's input. Raises InvalidInput unless it is JSON, and not too large."""
    if len(sent) > limits.MICRO_RUN_INPUT_MAX_BYTES:
        raise InvalidInput(f"The input has at most {limits.MICRO_RUN_INPUT_MAX_BYTES:,} bytes")
    try:
        msgspec.json.decode(sent, type=msgspec.Raw)
        text = sent.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"The input is not JSON: {error}") from None
    return text


def sweep_runs() -> int:
    """Drop runs beyond what is kept, and the input and answer of all but the newest. Returns how many.

    Raises EngineUnreachable.
    """
    total = 0
    batch = limits.SWEEP_BATCH_ROWS
    while dropped := run_one(
        runs_sql.drop_runs_beyond(kept=limits.MICRO_RUNS_KEPT, days=limits.MICRO_RUNS_KEPT_DAYS, limit=batch)
    ).total:
        total += dropped
    while emptied := run_one(runs_sql.forget_bodies_beyond(kept=limits.MICRO_RUN_BODIES_KEPT, limit=batch)).total:
        total += emptied
    return total
