"""`/healthz` and `/readyz`: for load balancers and people, without sign-in.

The answers name no address and no account; what an engine said in full goes to the log.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from storage import limits
from storage.embedded import postgres
from storage.s3 import blobs

logger = logging.getLogger(__name__)

_SECONDS = 3.0
# Anybody may ask, and each probe opens a connection and writes an object: they share an answer this long.
_ANSWER_LASTS_SECONDS = 0.5

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
    """Each engine by name: "ok" or what is wrong; 200 when all are ok, else 503."""
    report = probe_engines()
    ready = all(word == "ok" for word in report.values())
    headers = {} if ready else {"Retry-After": str(limits.RETRY_AFTER_SECONDS)}
    return JsonResponse(report, status=200 if ready else 503, headers=headers)


def probe_engines() -> dict[str, str]:
    """Ask both engines a real question at the same time; answers within three seconds."""
    global _last
    with _probing:
        at, report = _last
        if time.monotonic() - at > _ANSWER_LASTS_SECONDS:
            probes: dict[str, Callable[[], str | None]] = {"postgres": _postgres_fault, "s3": blobs.find_fault}
            running = {name: _threads.submit(probe) for name, probe in probes.items()}
            wait(running.values(), timeout=_SECONDS)
            report = {name: _word(name, future) for name, future in running.items()}
            _last = (time.monotonic(), report)
    return report


def _postgres_fault() -> str | None:
    return postgres.find_fault(connection.get_connection_params())


def _word(name: str, probe: Future[str | None]) -> str:
    if not probe.done():
        return f"no answer within {_SECONDS:.0f} s"
    fault = probe.result()
    if fault is None:
        return "ok"
    logger.warning("%s is not ready: %s", name, fault)
    if postgres.is_recovering(fault):
        return "starting"
    if fault.startswith("no answer"):
        return fault
    return "does not answer" if "connect" in fault.lower() else "answers with an error"
