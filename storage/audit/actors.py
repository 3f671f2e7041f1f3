"""Who acts: what the audit log names beside each act.

Whoever begins something says who that is, once, around all of it: a middleware for a person's request, our commands for the
command line. Operations of storage then need no argument for it. What nobody is named for is the server's own doing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from django.contrib.auth.models import User

Kind = Literal["person", "command", "nobody", "server"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, the command line (`name` is the system's user), nobody who is known, or the server itself.

    `token` is the name of the access token that a person acts with, "" in a browser.
    """

    kind: Kind
    name: str = ""
    person_id: int | None = None
    address: str = ""
    token: str = ""


SERVER = Actor("server")


def person(user: User, *, address: str = "", token: str = "") -> Actor:
    """Somebody with an account, at this network address, by an access token of this name or in a browser."""
    return Actor("person", user.get_username(), user.pk, address, token)


@contextmanager
def acting(find_actor: Callable[[], Actor]) -> Iterator[None]:
    """What is done inside is done by this one, who is asked for when there is something to record."""
    token = _find_current.set(find_actor)
    try:
        yield
    finally:
        _find_current.reset(token)


def current() -> Actor:
    """Who acts now."""
    return _find_current.get()()


_find_current: ContextVar[Callable[[], Actor]] = ContextVar("find_actor", default=lambda: SERVER)
