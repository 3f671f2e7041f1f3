"""What can be followed. Each topic is equal to others of the same, so that what is new in it is read once for all who follow it.

A place in a topic is what its source says where to go on from; its text is what clients are given for it.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Protocol

from storage.base.query import Predicate


class Topic(Protocol):
    """What can be followed; `places` are of whatever type its source has."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class BaseChanges:
    """The changes of a Base that a query finds. `query` is the text that tells it from others, "" for all; `keys_only` is as
    `feed.read_changes` has it.
    """

    collection_id: str
    base: str
    query: str = ""
    predicate: Predicate = field(default=Predicate(), compare=False)
    keys_only: bool = False


@dataclass(frozen=True, slots=True)
class VisorList:
    """The list of recorded requests of a collection: a notice without content whenever it is another one."""

    collection_id: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What is new in a topic behind a place: the bytes to send, which may be none, where to go on, and whether more is there."""

    topic: Topic
    since: Hashable
    text: bytes
    place: Hashable
    more: bool = False
