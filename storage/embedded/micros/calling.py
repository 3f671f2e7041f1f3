"""Calls a Micro's functions on its socket, as nobody from outside can, and waits for what they return."""

from collections.abc import Callable
from pathlib import Path

from storage.embedded.micros import waiting
from storage.embedded.micros.upstream import BadAnswer, Crowded, Ended, NotThere, Upstream, connect
from storage.micro_host import REQUEST_ID_HEADER, Answered, Call, Fault, FaultKind, MicroHost


def call(
    asked: Call, socket: Path, host: MicroHost, *, start_seconds: float, meanwhile: Callable[[], None]
) -> Answered:
    """What became of it. `meanwhile` is called about once a second; what it raises passes."""
    patience = waiting.Waiting(
        asked.micro_id, host, start_seconds=start_seconds, request_seconds=asked.seconds, meanwhile=meanwhile
    )
    try:
        upstream = connect(socket, patience)
    except NotThere:
        return Answered(fault=waiting.why_missing(asked.micro_id, host))
    except Crowded:
        return _faulted(FaultKind.CRASHED, "Too many callers are waiting for it")
    try:
        return _ask(upstream, asked, patience)
    except Ended:
        return Answered(fault=waiting.why_missing(asked.micro_id, host))
    except waiting.Faulted as error:
        return Answered(fault=error.fault)
    except BadAnswer as error:
        return _faulted(FaultKind.CRASHED, f"Its answer can't be read: {error}")
    except waiting.TooSlow:
        return _faulted(FaultKind.SLOW, f"It took longer than its {asked.seconds:g} seconds")
    finally:
        upstream.close()


def _ask(upstream: Upstream, asked: Call, patience: waiting.Waiting) -> Answered:
    headers = [
        ("host", asked.hostname),
        ("content-type", "application/json"),
        ("content-length", str(len(asked.body))),
        ("x-forwarded-proto", "https"),
        (REQUEST_ID_HEADER, str(asked.request_id)),
        ("connection", "close"),
    ]
    upstream.send("POST", asked.path, headers, asked.body)
    upstream.read_head()
    patience.answered()
    taken = bytearray()
    for chunk in upstream.body():
        taken += chunk
        if len(taken) > asked.answer_max_bytes:
            return Answered(upstream.status, bytes(taken[: asked.answer_max_bytes]), is_cut=True)
    return Answered(upstream.status, bytes(taken))


def _faulted(kind: FaultKind, message: str) -> Answered:
    return Answered(fault=Fault(kind, message))
