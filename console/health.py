"""`/healthz` and `/readyz`: for load balancers and people, without sign-in.

The answers name no address and no account; what an engine said in full goes to the log.
"""

import logging
import re
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from storage import disk_space, limits
from storage.embedded import postgres
from storage.postgres import addresses
from storage.s3 import blobs

logger = logging.getLogger(__name__)

_SECONDS = 3.0
# Anybody may ask, and each probe opens a connection and writes an object: they share an answer this long.
_ANSWER_LASTS_SECONDS = 0.5

# What the client library says of each of several addresses whose server is not the one that `DATABASE_URL` asks for.
_NO_LEADER = re.compile(r"session is read-only|server is in hot standby mode")
_ENGINES, _KINDS = ("postgres", "s3"), ("reads", "writes")
_ONLY_READS = "only reads"

_probing = threading.Lock()
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="readyz")
_last: tuple[float, dict[str, str]] = (float("-inf"), {})


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process lives; no engine is asked."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Each engine by name: "ok" or what is wrong, and what `reads` and `writes` there are. 200 when both engines are ok, else
    503.

    With `?for=reads` or `?for=writes` it is 200 when these are "ok".
    """
    report = probe_engines()
    asked = request.GET.get("for")
    ready = all(report[name] == "ok" for name in ([asked] if asked in _KINDS else _ENGINES))
    headers = {} if ready else {"Retry-After": str(limits.RETRY_AFTER_SECONDS)}
    return JsonResponse(report, status=200 if ready else 503, headers=headers)


def probe_engines() -> dict[str, str]:
    """Ask both engines a real question at the same time; answers within three seconds.

    `reads` and `writes` are "ok", "no files" or "nothing", and `writes` is "no room" while the disk is too full for anything new.
    """
    global _last
    with _probing:
        at, report = _last
        if time.monotonic() - at > _ANSWER_LASTS_SECONDS:
            database, files = _threads.submit(_probe_postgres), _threads.submit(blobs.probe)
            asked: list[Future[Any]] = [database, files]
            wait(asked, timeout=_SECONDS)
            report = {"postgres": _postgres_word(database), "s3": _word("s3", files)}
            reads_files = files.done() and files.result().reads
            report["reads"] = _kind(report["postgres"] in ("ok", _ONLY_READS), reads_files)
            report["writes"] = _kind(report["postgres"] == "ok", report["s3"] == "ok")
            if report["writes"] != "nothing" and (disk_space.is_short_for_items() or disk_space.is_short_for_files()):
                report["writes"] = "no room"
            _last = (time.monotonic(), report)
    return report


def _probe_postgres() -> postgres.Probe:
    return postgres.probe(addresses.in_order(connection.get_connection_params()))


def _kind(with_items: bool, with_files: bool) -> str:
    return "nothing" if not with_items else "ok" if with_files else "no files"


def _postgres_word(probe: Future[postgres.Probe]) -> str:
    return _ONLY_READS if probe.done() and probe.result().only_reads else _word("postgres", probe)


def _word(name: str, probe: Future[Any]) -> str:
    if not probe.done():
        return f"no answer within {_SECONDS:.0f} s"
    fault = probe.result().fault
    if fault is None:
        return "ok"
    logger.warning("%s is not ready: %s", name, fault)
    if postgres.is_recovering(fault):
        return "starting"
    if fault.startswith("no answer"):
        return fault
    if _NO_LEADER.search(fault):
        return "nobody takes writes"
    return "does not answer" if "connect" in fault.lower() else "answers with an error"
