"""Makes runs: claims one, calls the Micro, and notes what came of it.

Whoever makes one holds a lease (`storage/postgres/leases.py`). When they are killed, the run has failed, and says so: it is not
begun again, as what it did is done.
"""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from storage import limits, micro_addresses
from storage.errors import EngineUnreachable, HostUnreachable, StorageError
from storage.micro_host import Answered, Call
from storage.micro_masking import Masking
from storage.micro_runs import sql as runs_sql
from storage.micro_runs.runs import Kind, State
from storage.micros import hosts
from storage.micros.secret_texts import list_secret_texts
from storage.models import MicroRun, MicroSchedule
from storage.postgres.database import engine_errors, one_connection, run
from storage.postgres.leases import Lease, Superseded, is_orphaned

logger = logging.getLogger(__name__)

PATHS = {Kind.RUN: "/__homeport/run", Kind.CRON: "/__homeport/cron"}
# Where apps for the original's successor wait for what is due, if they have no cron function.
ACTIONS_PATH = "/__space/v0/actions"
ACTION_ID = "schedule"
_BEAT_SECONDS = 3.0
# For so long it is tried to note what came of a run.
_NOTE_SECONDS = 60.0
_NOTE_AGAIN_SECONDS = 1.0
_HTTP_OK, _HTTP_ERROR, _NOT_FOUND = 200, 400, 404
_NO_SUCH_ACTION = (404, 405, 501)
_STOPPED = "The server stopped during this run."


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a run, as the app said it: it has failed if there is a reason."""

    answer: bytes = b""
    is_cut: bool = False
    reason: str = ""


class _Returned(msgspec.Struct):
    """What a runtime answers."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    errors: list[str] = []


def claim_run(*, is_long: bool) -> MicroRun | None:
    """The next run to make, taken by this attempt, with its Micro; None when none waits whose Micro has room for one.

    Raises EngineUnreachable.
    """
    with engine_errors(), transaction.atomic():
        run(runs_sql.hold_claims())
        found = run(runs_sql.claim_run(is_long=is_long, of_one_at_once=limits.MICRO_RUNS_OF_ONE_AT_ONCE))
        return MicroRun.objects.select_related("micro").get(id=found[0].id) if found else None


def make_run(claimed: MicroRun) -> None:
    """Make a run that `claim_run` returned. No connection is held while the Micro is at it. Raises EngineUnreachable."""
    lease = Lease(claimed, state=State.RUNNING)
    try:
        try:
            outcome = _call(claimed, lease)
        except HostUnreachable as error:
            outcome = _Outcome(reason=f"{error.messages[0]}.")
        except Superseded:
            raise
        except Exception:
            logger.exception("Run %s failed", claimed.id)
            outcome = _Outcome(reason="Something went wrong in Homeport. The server's log has the details.")
        _note_end(claimed, lease, outcome)
    except Superseded:
        logger.info("Run %s was cancelled or given up meanwhile, or its Micro deleted", claimed.id)


def end_abandoned_runs() -> int:
    """Have the runs fail whose worker has given no sign of life for long; how many there were. Raises EngineUnreachable."""
    with engine_errors():
        abandoned = MicroRun.objects.filter(is_orphaned(), state=State.RUNNING)
        ended = 0
        for each in list(abandoned.only("id", "kind", "micro_id")):
            still = abandoned.filter(id=each.id)
            if still.update(state=State.FAILED, reason=_STOPPED, finished_at=Now()):
                ended += 1
                _count_failure(each, has_failed=True)
    return ended


def _call(claimed: MicroRun, lease: Lease) -> _Outcome:
    """Raises HostUnreachable and Superseded."""
    host = hosts.the_host()
    if why := host.why_off():
        return _Outcome(reason=why)
    if claimed.micro.deployment_id is None:
        return _Outcome(reason="Nothing is deployed to this Micro yet.")
    beat = _Beat(lease)
    answered = host.invoke(_make_call(claimed, PATHS[Kind(claimed.kind)], _body(claimed)), meanwhile=beat.beat)
    if claimed.kind == Kind.CRON and answered.status == _NOT_FOUND:
        body = msgspec.json.encode({"event": {"id": ACTION_ID, "trigger": "schedule"}})
        second = host.invoke(_make_call(claimed, ACTIONS_PATH, body), meanwhile=beat.beat)
        if second.status not in _NO_SUCH_ACTION:
            return _judge_action(second)
    return _judge(answered)


def _make_call(claimed: MicroRun, path: str, body: bytes) -> Call:
    return Call(
        micro_id=claimed.micro_id,
        hostname=micro_addresses.hostname(claimed.micro.subdomain),
        request_id=claimed.id,
        path=path,
        body=body,
        seconds=claimed.limit_seconds or settings.MICRO_REQUEST_SECONDS,
        answer_max_bytes=limits.MICRO_BODY_MAX_BYTES,
    )


def _body(claimed: MicroRun) -> bytes:
    if claimed.kind == Kind.CRON:
        return b"{}"
    sent = claimed.input or "{}"
    return msgspec.json.encode({"action": claimed.action, "json": msgspec.Raw(sent.encode()), "body": sent})


def _judge(answered: Answered) -> _Outcome:
    """What a runtime says of the functions that it called."""
    if answered.fault is not None:
        return _Outcome(reason=answered.fault.message)
    try:
        returned = msgspec.json.decode(answered.body, type=_Returned)
        text = bytes(returned.result)
    except msgspec.DecodeError:
        # It was too long to be read whole, or holds what Python takes for JSON alone, such as NaN.
        returned, text = _Returned(), answered.body
    if answered.status != _HTTP_OK:
        return _Outcome(reason="\n".join(returned.errors) or f"The app answered {answered.status}.")
    return _Outcome(text, is_cut=answered.is_cut)


def _judge_action(answered: Answered) -> _Outcome:
    """What an app says that has a path of its own for this."""
    if answered.fault is not None:
        return _Outcome(reason=answered.fault.message)
    failed = answered.status is None or answered.status >= _HTTP_ERROR
    return _Outcome(answered.body, answered.is_cut, f"The app answered {answered.status}." if failed else "")


def _note_end(claimed: MicroRun, lease: Lease, outcome: _Outcome) -> None:
    """A database that is away for a moment must not make a failure of a run that came to its end. Raises Superseded."""
    gives_up_at = time.monotonic() + _NOTE_SECONDS
    masking = Masking(list_secret_texts(claimed.micro))
    # It may be a traceback of the app's.
    reason = _storable(masking.text(outcome.reason))[: limits.MICRO_REASON_MAX_CHARACTERS]
    answer, is_longer = masking.answer(outcome.answer, most_bytes=limits.MICRO_RUN_ANSWER_MAX_BYTES)
    while True:
        try:
            with one_connection():
                lease.save(
                    state=State.FAILED if reason else State.DONE,
                    finished_at=Now(),
                    answer=_storable(answer),
                    is_cut=outcome.is_cut or is_longer,
                    reason=reason,
                )
                _count_failure(claimed, has_failed=bool(reason))
            return
        except EngineUnreachable:
            if time.monotonic() > gives_up_at:
                raise
            time.sleep(_NOTE_AGAIN_SECONDS)


def _count_failure(ended: MicroRun, *, has_failed: bool) -> None:
    """Of a schedule's runs: how many failed one after the other."""
    if ended.kind == Kind.CRON:
        MicroSchedule.objects.filter(micro_id=ended.micro_id).update(
            failures_in_row=F("failures_in_row") + 1 if has_failed else 0
        )


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()


class _Beat:
    """Renews a lease every few seconds, on a connection that is held for that moment."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._beat_at = time.monotonic()

    def beat(self) -> None:
        """Raises Superseded."""
        if time.monotonic() - self._beat_at >= _BEAT_SECONDS:
            self._beat_at = time.monotonic()
            with suppress(StorageError), one_connection():
                self._lease.save()
