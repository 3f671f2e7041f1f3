"""The recorder of Micros: makes an event of each request to a Micro that is recorded, as `recorder.py` does of those to the API.

The event's id is the request's, by which the Micro's log knows what the app printed meanwhile. What the server answers itself is
recorded too, with a log entry that says why; but not where it sends a browser to sign in.
"""

import time
from collections.abc import Callable
from typing import Any

from console.recording.bodies import Sample, SampledInput, UnreadBody
from console.recording.exchange import CapturedExchange, sender_of
from console.recording.recorder import SENT_BY_HAND, Answer, OpenExchange, SampledAnswer
from console.recording.request_log import listen
from console.server.bodies import AWAITED
from storage.events.blocks import LogEntry
from storage.events.ids import new_event_id
from storage.micros.secret_texts import list_secret_texts
from storage.models import Micro
from storage.numbers import read_number

# In the variables of a request that goes on to an app: the id of its event, by which its log knows it.
EVENT_ID = "homeport.event_id"

MicroApplication = Callable[[dict[str, Any], Micro], Answer]


class MicroRecorder:
    """Answers as the application does, and records that."""

    def __init__(self, application: MicroApplication) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], micro: Micro) -> Answer:
        """Raises what the application raises, and records nothing then."""
        if not micro.is_recorded and SENT_BY_HAND not in environ:
            return self._application(environ, micro)
        request: SampledInput | None = None
        if environ.get("CONTENT_LENGTH") and AWAITED not in environ:
            request = environ["wsgi.input"] = SampledInput(environ["wsgi.input"])
        log: list[LogEntry] = []
        path = environ["RAW_URI"].partition("?")[0]
        exchange = OpenMicroExchange(environ, micro.collection_id, path, request, log, time.perf_counter_ns(), micro)
        listen(log)
        try:
            status, headers, body = answer = self._application(environ, micro)
        finally:
            listen(None)
        if EVENT_ID not in environ and status.startswith("302"):
            return answer
        if not isinstance(body, list):
            return status, headers, SampledAnswer(body, exchange, status, headers)
        exchange.finish(status, headers, b"".join(body))
        return answer


class OpenMicroExchange(OpenExchange, frozen=True, gc=False):
    """One request to a Micro while it is answered."""

    micro: Micro

    def capture(self, status: str, headers: list[tuple[str, str]], response: bytes | Sample) -> CapturedExchange:
        """What came and went."""
        environ = self.environ
        duration_ns = time.perf_counter_ns() - self.began_ns
        began_at_ns = time.time_ns() - duration_ns
        return CapturedExchange(
            self.collection_id,
            began_at_ns,
            duration_ns,
            environ["REQUEST_METHOD"],
            self.path,
            environ.get("QUERY_STRING", ""),
            status,
            sender_of(environ, secret_texts=list_secret_texts(self.micro)),
            self._request(),
            headers,
            response,
            self.log,
            micro_id=self.micro.id,
            event_id=environ.get(EVENT_ID) or new_event_id(began_at_ns),
        )

    def _request(self) -> bytes | Sample:
        """The body that the app was sent, which is never waited for: one that was refused is not here."""
        if self.request is not None and self.request.size_bytes:
            return self.request.taken
        announced = read_number(self.environ.get("CONTENT_LENGTH") or "0")
        return UnreadBody(announced) if announced else b""
