"""Passes a request on to an app, and its answer back."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.conf import settings

from console.front import headers, refusals
from console.front.refusals import Refusal
from console.front.slots import slots
from console.recording.request_log import note
from console.server.answers import Answer
from storage import micro_addresses
from storage.embedded.micros import waiting
from storage.embedded.micros.upstream import BadAnswer, Crowded, Ended, NotThere, Upstream, connect
from storage.errors import HostUnreachable
from storage.micros.hosts import the_host
from storage.models import Micro

logger = logging.getLogger(__name__)

# Most apps write head and body one after the other. What is whole within that time goes out in one piece, without a thread that
# reads it bit by bit; a stream begins so much later.
_WHOLE_WITHIN_SECONDS = 0.003


def relay(environ: dict[str, Any], micro: Micro, socket: Path, sent: list[tuple[str, str]], body: bytes) -> Answer:
    """The app's answer. Raises Refusal when there is none."""
    if not slots.take(micro.id):
        raise refusals.busy("As many requests as it may have at once are on their way. Try again in a moment.")
    patience = waiting.Waiting(
        micro.id,
        the_host(),
        start_seconds=settings.MICRO_START_SECONDS,
        request_seconds=settings.MICRO_REQUEST_SECONDS,
    )
    upstream: Upstream | None = None
    try:
        upstream = connect(socket, patience)
        upstream.send(environ["REQUEST_METHOD"], _target(environ), sent, body)
        upstream.read_head()
        patience.answered()
        upstream.read_rest(_WHOLE_WITHIN_SECONDS)
    except BaseException as error:
        slots.give_back(micro.id)
        if upstream is not None:
            upstream.close()
        if (refusal := _refusal_for(error, micro)) is not None:
            raise refusal from None
        raise
    host = micro_addresses.normalise_host(environ.get("HTTP_HOST", ""))
    shown = headers.for_client(upstream.headers, host=host)
    answer = _Relayed(upstream, patience, micro.id)
    status = f"{upstream.status} {upstream.reason or _phrase(upstream.status)}"
    if upstream.is_whole():
        return status, shown, list(answer)
    return status, shown, answer


class _Relayed:
    """The body of an app's answer, as it comes."""

    def __init__(self, upstream: Upstream, patience: waiting.Waiting, micro_id: str) -> None:
        self._upstream, self._patience, self._micro_id = upstream, patience, micro_id
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._upstream.body():
                self._patience.pause()
                yield chunk
        except waiting.TooSlow:
            _give_up_on(self._micro_id)
            note("ERROR", "front", "The app took too long: its answer was broken off")
            raise TimeoutError("the app took too long") from None
        except (Ended, BadAnswer, waiting.Faulted) as error:
            note("ERROR", "front", f"The app broke off its answer: {_why(error)}")
            raise ConnectionError(f"the app broke off: {error!r}") from None
        finally:
            self.close()

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._upstream.close()
            slots.give_back(self._micro_id)


def _refusal_for(error: BaseException, micro: Micro) -> Refusal | None:
    match error:
        case NotThere() | Ended():
            return refusals.of_fault(waiting.why_missing(micro.id, the_host()))
        case waiting.Faulted():
            return refusals.of_fault(error.fault)
        case Crowded():
            return refusals.busy("Too many callers are waiting for it. Try again in a moment.")
        case BadAnswer():
            return Refusal(HTTPStatus.BAD_GATEWAY, "The app's answer can't be passed on", f"The trouble: {error}.")
        case waiting.TooSlow():
            _give_up_on(micro.id)
            text = f"An app has {settings.MICRO_REQUEST_SECONDS:g} seconds to answer a request."
            return Refusal(HTTPStatus.GATEWAY_TIMEOUT, "The app took too long", text)
    return None


def _give_up_on(micro_id: str) -> None:
    """An app hung: a fresh instance takes what comes next, and the old one is ended once it had time to finish."""
    with suppress(HostUnreachable):
        the_host().replace(micro_id)


def _why(error: Exception) -> str:
    return str(error) or "it closed the connection"


def _target(environ: dict[str, Any]) -> str:
    """Path and query as the client wrote them."""
    target: str = environ["RAW_URI"]
    return target


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
