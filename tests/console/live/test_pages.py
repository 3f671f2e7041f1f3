"""What a page gets that follows a Base or the Visor's list, and how long its person may."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.test import Client, RequestFactory

from console.live import events, places
from console.live.pages import SessionRight, follow_base, follow_visor
from console.live.responses import LiveResponse
from storage.base import items
from storage.errors import InvalidInput
from storage.events import queries as event_queries
from storage.models import Membership, Role
from storage.postgres.caller import Access
from tests.console.conftest import Browser
from tests.people import Cast


def request_of(client: Client, people: Cast, path: str = "/", **headers: str) -> HttpRequest:
    request = RequestFactory().get(path, headers={"Accept": events.CONTENT_TYPE} | headers)
    SessionMiddleware(lambda _: None).process_request(request)  # type: ignore[arg-type]
    request.session = client.session
    request.user = people.owner
    return request


def first_of(response: Any) -> bytes:
    """What is sent at once; the stream is closed, as by a client that has gone."""
    assert isinstance(response, LiveResponse)
    assert list(response) == []
    assert (response["Content-Type"], response["X-Accel-Buffering"]) == ("text/event-stream", "no")
    live: Any = response.live
    live.close()
    assert places.taken() == 0
    return bytes(live._first)


def test_a_page_follows_a_base_from_now_on(browser: Browser, people: Cast) -> None:
    client = browser(people.owner)
    items.put_items(
        access=Access(people.collection.id, person_id=people.owner.pk), base="b", items=[{"key": "a", "n": 1}]
    )
    said = first_of(follow_base(request_of(client, people), people.collection.id, "b"))
    place = said.decode().split("id: ")[1].strip()

    assert b"data: " not in said
    asked = request_of(client, people, f"/?since={place}")
    assert f"id: {place}\n".encode() in first_of(follow_base(asked, people.collection.id, "b"))


def test_nonsense_begins_no_stream(browser: Browser, people: Cast) -> None:
    client = browser(people.owner)
    with pytest.raises(InvalidInput, match="Bad since"):
        follow_base(request_of(client, people, "/?since=x"), people.collection.id, "b")
    for follow in (
        lambda asked: follow_base(asked, people.collection.id, "b"),
        lambda asked: follow_visor(asked, people.collection.id),
    ):
        with pytest.raises(InvalidInput, match="This is a stream"):
            follow(request_of(client, people, Accept="text/html"))
    assert places.taken() == 0


def test_a_page_follows_the_visor(browser: Browser, people: Cast) -> None:
    client = browser(people.owner)
    now = event_queries.find_marks([people.collection.id])[people.collection.id]
    same, other = (request_of(client, people, **{"Last-Event-ID": mark}) for mark in (now or "0", "another"))
    notice = events.messages([(now, "{}")])

    assert notice not in first_of(follow_visor(request_of(client, people), people.collection.id))
    assert notice in first_of(follow_visor(other, people.collection.id))
    assert (notice in first_of(follow_visor(same, people.collection.id))) is (now == "")


def _sign_out(client: Client, people: Cast) -> None:
    client.session.flush()


def _lose_role(client: Client, people: Cast) -> None:
    Membership.objects.filter(collection_id=people.collection.id, person=people.member).delete()


def _change_password(client: Client, people: Cast) -> None:
    people.member.set_password("another one that is long")
    people.member.save()


def _deactivate(client: Client, people: Cast) -> None:
    people.member.is_active = False
    people.member.save()


@pytest.mark.parametrize(
    "turn, refusal",
    [
        (_sign_out, "SignedOut"),
        (_lose_role, "CollectionNotFound"),
        (_change_password, "SignedOut"),
        (_deactivate, "SignedOut"),
    ],
)
def test_a_person_may_as_long_as_they_are_signed_in_with_a_role(
    browser: Browser, people: Cast, turn: Callable[[Client, Cast], None], refusal: str
) -> None:
    client = browser(people.member)
    right = SessionRight(client.session.session_key or "", people.collection.id)
    assert right.find_refusal() is None
    Membership.objects.filter(person=people.member).update(role=Role.READER)
    assert right.find_refusal() is None
    turn(client, people)

    assert type(right.find_refusal()).__name__ == refusal
