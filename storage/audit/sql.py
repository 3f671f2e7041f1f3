"""Statements of the audit log. Entries are added and dropped, and only those of many like acts are ever changed."""

import json
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from storage.audit.actors import Actor
from storage.postgres.statements import NoRow, Params, Statement, Total


class Entry(NamedTuple):
    """One act. Empty texts mean none; `amount` counts what the verb is about."""

    id: int
    at: datetime
    actor: str
    person_id: int | None
    name: str
    address: str
    verb: str
    collection_id: str
    collection_name: str
    about: str
    amount: int
    details_json: str

    @property
    def details(self) -> dict[str, Any]:
        """What else there is to tell, by name."""
        told: dict[str, Any] = json.loads(self.details_json)
        return told


class Name(NamedTuple):
    name: str


def add_entry(
    actor: Actor, *, verb: str, collection_id: str, about: str, amount: int, details: str, merge_id: UUID | None
) -> Statement[NoRow]:
    """One entry at this moment; `details` is JSON. With a `merge_id` that is there, its entry's amount grows instead."""
    return Statement(
        """
        INSERT INTO storage_auditentry AS e (at, actor, person_id, name, address, verb, collection_id, collection_name, about,
            amount, details, merge_id)
        VALUES (clock_timestamp(), $1, $2, $3, $4, $5, $6::text,
            coalesce((SELECT c.name FROM storage_collection c WHERE c.id = $6::text), ''),
            $7, $8, $9::jsonb, $10)
        ON CONFLICT (merge_id) DO UPDATE SET amount = e.amount + excluded.amount,
            details = e.details || jsonb_build_object('until', to_char(excluded.at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
    """,
        [
            actor.kind,
            actor.person_id,
            actor.name,
            actor.address,
            verb,
            collection_id,
            about,
            amount,
            details,
            merge_id,
        ],
        NoRow,
    )


def count_since(verb: str, at: datetime, most: int) -> Statement[Total]:
    """Row: how many entries of a verb there are since a moment, counted up to `most`."""
    return Statement(
        "SELECT count(*) FROM (SELECT 1 FROM storage_auditentry WHERE at >= $2 AND verb = $1 LIMIT $3) e",
        [verb, at, most],
        Total,
    )


def list_entries(
    *,
    collection_id: str | None,
    actor: str,
    name: str,
    verbs: list[str],
    since: datetime | None,
    until: datetime | None,
    before: tuple[datetime, int] | None,
    limit: int,
) -> Statement[Entry]:
    """Rows, newest first, before the entry of that time and id; of one collection, or of all for None."""
    params = Params()
    conditions = ["true"]
    if collection_id is not None:
        conditions.append(f"collection_id = {params.add(collection_id)}")
    if actor:
        conditions.append(f"actor = {params.add(actor)}")
    if name:
        conditions.append(f"name = {params.add(name)}")
    if verbs:
        conditions.append(f"verb = ANY ({params.add(verbs)}::text[])")
    if since is not None:
        conditions.append(f"at >= {params.add(since)}")
    if until is not None:
        conditions.append(f"at < {params.add(until)}")
    if before is not None:
        conditions.append(f"(at, id) < ({params.add(before[0])}, {params.add(before[1])}::bigint)")
    return Statement(
        f"""
        SELECT id, at, actor, person_id, name, address, verb, collection_id, collection_name, about, amount, details::text
        FROM storage_auditentry WHERE {" AND ".join(conditions)}
        ORDER BY at DESC, id DESC LIMIT {params.add(limit)}
    """,
        params,
        Entry,
    )


def list_names(collection_id: str | None, most: int) -> Statement[Name]:
    """Rows: the names of people who did something, sorted; one look into an index for each."""
    params = Params()
    of = "" if collection_id is None else f"collection_id = {params.add(collection_id)} AND "
    return Statement(
        f"""
        WITH RECURSIVE found AS (
            (SELECT name FROM storage_auditentry WHERE {of}actor = 'person' ORDER BY name LIMIT 1)
            UNION ALL
            SELECT (SELECT e.name FROM storage_auditentry e WHERE {of}e.actor = 'person' AND e.name > f.name
                    ORDER BY e.name LIMIT 1)
            FROM found f WHERE f.name IS NOT NULL)
        SELECT name FROM found WHERE name IS NOT NULL LIMIT {params.add(most)}
    """,
        params,
        Name,
    )


def drop_entries(days: int, limit: int) -> Statement[Total]:
    """Drop up to `limit` of the oldest entries of more than so many days ago. Row: how many."""
    return Statement(
        """
        WITH dropped AS (
            DELETE FROM storage_auditentry WHERE id IN (
                SELECT id FROM storage_auditentry WHERE at < now() - make_interval(days => $1::int)
                ORDER BY at, id LIMIT $2 FOR UPDATE SKIP LOCKED)
            RETURNING 1)
        SELECT count(*) FROM dropped
    """,
        [days, limit],
        Total,
    )
