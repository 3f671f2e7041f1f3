"""Pages that see changes as they come: a GET is answered by `follow_base` or `follow_visor`, once its gate has let the person in.

    @require_GET
    @answers_json
    def changes(request: PageRequest, collection_id: str, base: str) -> HttpResponseBase:
        access.by_person(request, collection_id)
        return follow_base(request, collection_id, base)

Its script opens it with `createLiveStream` (`static/js/pages/live_stream.js`). Each message is a change as
`{"key", "revision", "gone"}`: the page asks for the rows themselves as it shows them. The event `end` says that it is over, as
`{"status", "errors"}`, with a `cursor` where the status is 410: the page is read anew then. That the person is signed in and has
a role in the collection is looked at again every second.
"""

from dataclasses import dataclass

from django.contrib.auth import get_user
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from console.accounts.second_factor import factors
from console.accounts.sessions import SessionStore
from console.error_status import SignedOut
from console.live import events
from console.live.responses import Since, follow, follow_changes
from console.live.topics import VisorList
from storage.collections import roles
from storage.errors import CollectionNotFound, Forbidden, InvalidInput, StorageError
from storage.events import queries as event_queries
from storage.history import feed
from storage.postgres.caller import Access


@dataclass(frozen=True, slots=True)
class SessionRight:
    """That of a person who is signed in, to see a collection in any role."""

    session_key: str
    collection_id: str

    def find_refusal(self) -> StorageError | None:
        """What the gates of a page would say to the session now (`console/accounts/gate.py`)."""
        request = HttpRequest()
        request.session = SessionStore(self.session_key)
        user = get_user(request)
        if not user.is_authenticated:
            return SignedOut()
        if factors.owes_second_factor(user):
            return Forbidden()
        try:
            roles.find_access(person=user, collection_id=self.collection_id)
        except CollectionNotFound as error:
            return error
        return None


def follow_base(request: HttpRequest, collection_id: str, base: str) -> HttpResponseBase:
    """Which items of a Base change, for a page: from now on, or from `?since=`.

    Raises InvalidInput for a cursor that is none and for who doesn't ask for a stream, and as `follow_changes`: the view answers
    in JSON (`console/json_views.py`).
    """
    _check_accept(request)
    text = request.GET.get("since", "now")
    since: Since = "now" if text == "now" else feed.read_cursor(text)
    person_id = request.user.pk
    return follow_changes(
        access=Access(collection_id, person_id=person_id),
        right=_of_session(request, collection_id),
        who=person_id,
        base=base,
        since=since,
        keys_only=True,
    )


def follow_visor(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    """A message `{}` whenever the list of recorded requests is another one; at once if it is since the browser's last.

    Raises InvalidInput, EngineUnreachable, TooManyStreams, StreamsBusy.
    """
    _check_accept(request)
    now = event_queries.find_marks({collection_id}).get(collection_id, "")
    first = events.opening(now)
    if request.headers.get("Last-Event-ID", now) != now:
        first += events.messages([(now, "{}")])
    return follow(VisorList(collection_id), now, _of_session(request, collection_id), request.user.pk, first)


def _check_accept(request: HttpRequest) -> None:
    """Whoever opens the address by hand, or sends it to a reader of pages, would wait for ever. Raises InvalidInput."""
    if events.CONTENT_TYPE not in request.headers.get("Accept", ""):
        raise InvalidInput("This is a stream", f"Ask for it with `Accept: {events.CONTENT_TYPE}`")


def _of_session(request: HttpRequest, collection_id: str) -> SessionRight:
    return SessionRight(request.session.session_key or "", collection_id)
