"""Whether those who follow still may: a key may be revoked, expire or be limited, a person be signed out or lose a role.

Looked at every second while the streams last, for all of a process together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from console.error_status import TooManyBytes
from storage.collections import key_limits
from storage.errors import StorageError, Unauthorized
from storage.postgres import rights
from storage.postgres.caller import Access


@dataclass(frozen=True, slots=True)
class KeyRight:
    """A data key's, to read a Base."""

    access: Access
    base: str


class OtherRight(Protocol):
    """Any other, which looks for itself."""

    def __hash__(self) -> int: ...

    def find_refusal(self) -> StorageError | None:
        """Why it no longer holds. Raises EngineUnreachable."""


Right = KeyRight | OtherRight


def find_refusals(wanted: Iterable[tuple[Right, int]]) -> dict[Right, StorageError]:
    """Those who no longer may, and why. With each right comes how many bytes were sent by it since the last time.

    Raises EngineUnreachable.
    """
    sent = dict(wanted)
    keys = [right for right in sent if isinstance(right, KeyRight)]
    refused: dict[Right, StorageError] = {}
    for right, error in zip(keys, rights.ask_for_keys([(right.access, right.base) for right in keys]), strict=True):
        error = error or _count(right, sent[right])
        if error is not None:
            refused[right] = error
    for other in sent:
        if not isinstance(other, KeyRight) and (error := other.find_refusal()) is not None:
            refused[other] = error
    return refused


def _count(right: KeyRight, sent_bytes: int) -> StorageError | None:
    """Count the bytes that a key with a limit has moved."""
    try:
        allowance = key_limits.find_allowance(right.access.key_digest or b"")
    except Unauthorized as error:
        return error
    if allowance is None:
        return None
    allowance.count_bytes(sent_bytes)
    wait = allowance.wait_for_bytes()
    return TooManyBytes(allowance.bytes_per_day or 0, wait_seconds=int(wait) + 1) if wait else None
