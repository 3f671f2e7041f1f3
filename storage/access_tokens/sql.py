"""Statements of access tokens: who one lets in, and that it was used."""

from datetime import datetime
from typing import NamedTuple

from storage.postgres.statements import Affected, Statement


class FoundToken(NamedTuple):
    id: int
    person_id: int
    name: str
    session_hash: str
    expires_at: datetime
    is_revoked: bool
    is_expired: bool
    was_used: bool
    is_use_noted: bool


def find_token(digest: bytes, rest_seconds: int) -> Statement[FoundToken]:
    """Row: the token of this digest, if there is one, and whether its use was noted within `rest_seconds`."""
    return Statement(
        """
        SELECT id, person_id, name, session_hash, expires_at, revoked_at IS NOT NULL, expires_at <= now(),
            last_used_at IS NOT NULL, coalesce(last_used_at > now() - make_interval(secs => $2), false)
        FROM storage_accesstoken WHERE digest = $1
    """,
        [digest, rest_seconds],
        FoundToken,
    )


def note_use(token_id: int) -> Statement[Affected]:
    """Note that the token is used now. Row: its id."""
    return Statement(
        "UPDATE storage_accesstoken SET last_used_at = now() WHERE id = $1 RETURNING id", [token_id], Affected
    )


def note_first_use(token_id: int) -> Statement[Affected]:
    """Note that the token is used for the first time. Row: its id; none where another request was first."""
    return Statement(
        "UPDATE storage_accesstoken SET last_used_at = now() WHERE id = $1 AND last_used_at IS NULL RETURNING id",
        [token_id],
        Affected,
    )
