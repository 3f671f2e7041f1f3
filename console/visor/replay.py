"""Sending a request for a person: through this process's own public API, from its first line to its last. One to a Micro goes
through the front instead (`micro_replay.py`).

No socket is opened, so there is no other server to be reached and no key to be stored; what lets the request in is the
access that the page's gate found, handed over under a name that no header can have. It is recorded as what it is.
"""

import io
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from console.access import GRANTED_ACCESS
from console.recording.application import api
from console.recording.recorder import SENT_BY_HAND, ByHand
from console.visor import micro_replay
from console.visor.micro_replay import Visitor
from console.visor.request_drafts import Draft
from storage.events import sent_by_hand
from storage.events.blocks import Event, Line
from storage.postgres.caller import Access

# A whole file of gigabytes would hold the page up; so much of an answer is read.
MOST_READ_BYTES = 10_485_760
_READS = ("GET", "HEAD", "OPTIONS")


class Sent(NamedTuple):
    """The result: the event, not stored yet, and the bytes of the answer."""

    event: Event
    body: bytes


def note_sent(draft: Draft, collection_id: str) -> None:
    """Record in the audit log that somebody is about to send a request that may change something.

    Of its path only the name of a Base or Drive that there is: the rest is data, and may be anything. Of one to a Micro that
    Micro's name. Raises EngineUnreachable.
    """
    if draft.micro is not None:
        if draft.method not in _READS:
            name = draft.micro.name
            sent_by_hand.note_sent(collection_id=collection_id, method=draft.method, name=name, is_micro=True)
        return
    name, _, path = draft.path.partition("/")
    if draft.method not in _READS and path != "query":
        sent_by_hand.note_sent(collection_id=collection_id, method=draft.method, name=name)


def may_write(line: Line) -> bool:
    """Whether sending this request again may change something."""
    is_query = not line.micro_id and line.path.partition("/")[2] == "query"
    return line.method not in _READS and not is_query


def send(draft: Draft, *, access: Access, origin: str, sent_by: str, replay_of: str = "") -> Sent:
    """Send the request now and wait for the answer, whatever its status. Raises nothing of its own."""
    by_hand = ByHand(origin=origin, sent_by=sent_by, replay_of=replay_of)
    *_, answer = api(_environ(draft, access, by_hand))
    return _read(answer, by_hand)


def send_for(visitor: Visitor, draft: Draft, *, collection_id: str, origin: str, replay_of: str = "") -> Sent:
    """Note it, send it to the API or a Micro, as this person, and wait for the answer. Raises InvalidInput, EngineUnreachable."""
    note_sent(draft, collection_id)
    person = visitor.person
    if draft.micro is None:
        access = Access(collection_id, person_id=person.pk)
        return send(draft, access=access, origin=origin, sent_by=person.get_username(), replay_of=replay_of)
    by_hand = ByHand(origin=origin, sent_by=person.get_username(), replay_of=replay_of)
    *_, answer = micro_replay.ask(draft, draft.micro, by_hand=by_hand, visitor=visitor)
    return _read(answer, by_hand)


def _read(answer: Iterable[bytes], by_hand: ByHand) -> Sent:
    body = io.BytesIO()
    try:
        for chunk in answer:
            body.write(chunk)
            if body.tell() >= MOST_READ_BYTES:
                break
    except (ConnectionError, TimeoutError):
        # An app broke off in the middle of its answer: the event says so.
        pass
    finally:
        if hasattr(answer, "close"):
            answer.close()
    if by_hand.event is None:
        raise RuntimeError("The request was sent, but its answer could not be recorded")
    return Sent(by_hand.event, body.getvalue())


def _environ(draft: Draft, access: Access, by_hand: ByHand) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": draft.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": f"/v1/{access.collection_id}/" + unquote_to_bytes(draft.path).decode("latin-1"),
        "QUERY_STRING": draft.query.encode().decode("latin-1"),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(draft.body)) if draft.body else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(draft.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        GRANTED_ACCESS: access,
        SENT_BY_HAND: by_hand,
    }
    for name, value in draft.headers:
        place = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if place == "CONTENT_TYPE" else f"HTTP_{place}"] = value.encode().decode("latin-1")
    return environ
