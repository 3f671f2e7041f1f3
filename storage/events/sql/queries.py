"""Statements on recorded requests: kept in blocks, found again, pinned, counted by the minute.

`storage_eventblock` is partitioned by a block's last id, which begins with the time: a partition for each day, and one for all
else. Every statement names the collection and goes down the primary key, `(collection_id, last_id)`, newest first, so
that it costs what it looks at, however much there is.
"""

from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import NoRow, Params, Statement, YesNo


class KeyId(NamedTuple):
    digest: bytes
    collection_id: str
    id: int


class BlockRow(NamedTuple):
    last_id: UUID
    events: int
    lines: bytes
    contents: bytes | None


class BlockContents(NamedTuple):
    contents: bytes


class KeyName(NamedTuple):
    id: int
    name: str


class MicroName(NamedTuple):
    id: str
    name: str
    subdomain: str


class PinnedEvent(NamedTuple):
    id: UUID
    event: bytes


class EventId(NamedTuple):
    id: UUID


class ChartSlice(NamedTuple):
    minute: int
    requests: int
    errors: int
    lost: int


class Kept(NamedTuple):
    size_bytes: int
    lost: int


class RecordedCollection(NamedTuple):
    id: str


class ListMark(NamedTuple):
    collection_id: str
    mark: str


class Block(NamedTuple):
    """Events of one collection that were stored together, with what tells whether one is worth opening."""

    collection_id: str
    last_id: str
    first_id: str
    events: int
    errors: int
    by_hand: int
    slowest_us: int
    lines: bytes
    contents: bytes


class BlockSpan(NamedTuple):
    """The blocks of a collection whose last id is from `since` (included) to `below` (not), begun before `before`."""

    collection_id: str
    since: str
    below: str
    before: str


def put_block(block: Block) -> Statement[NoRow]:
    """Keep a block. No row."""
    return Statement(
        """
        INSERT INTO storage_eventblock (collection_id, last_id, first_id, events, errors, by_hand, slowest_us, lines, contents)
        VALUES ($1::text, $2::uuid, $3::uuid, $4::int, $5::int, $6::int, $7::int, $8::bytea, $9::bytea)
    """,
        list(block),
        NoRow,
    )


def count_events(rows: list[tuple[str, int, int, int, int, int]]) -> Statement[NoRow]:
    """Add to what each minute held. Rows of collection id, minute since 1970, requests, errors, bytes, lost. No row."""
    columns = [list(column) for column in zip(*sorted(rows), strict=True)]
    return Statement(
        """
        INSERT INTO storage_eventminute AS m (collection_id, minute, requests, errors, size_bytes, lost)
        SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::bigint[], $6::int[])
        ON CONFLICT (collection_id, minute) DO UPDATE SET requests = m.requests + excluded.requests,
            errors = m.errors + excluded.errors, size_bytes = m.size_bytes + excluded.size_bytes,
            lost = m.lost + excluded.lost
    """,
        columns,
        NoRow,
    )


def find_key_ids(digests: list[bytes]) -> Statement[KeyId]:
    """Rows: digest, collection's id, id of those that are data keys."""
    return Statement(
        "SELECT digest, collection_id, id FROM storage_datakey WHERE digest = ANY ($1::bytea[])", [digests], KeyId
    )


def list_blocks(
    span: BlockSpan, *, with_errors: bool, by_hand: bool, slower_us: int, with_contents: bool, limit: int
) -> Statement[BlockRow]:
    """Rows: last id, number of events, lines, and contents or NULL of blocks, newest first.

    Those that hold errors, or requests sent by hand, are found by an index that holds no others.
    """
    params = Params()
    collection, since, below, before = (params.add(value) for value in span)
    conditions = " AND errors > 0" if with_errors else ""
    conditions += " AND by_hand > 0" if by_hand else ""
    conditions += f" AND slowest_us >= {params.add(slower_us)}::int" if slower_us else ""
    return Statement(
        f"""
        SELECT last_id, events, lines, {"contents" if with_contents else "NULL"} FROM storage_eventblock
        WHERE collection_id = {collection}::text AND last_id < {below}::uuid AND last_id >= {since}::uuid
        AND first_id < {before}::uuid{conditions}
        ORDER BY last_id DESC LIMIT {params.add(limit)}
    """,
        params,
        BlockRow,
    )


def get_contents(collection_id: str, last_id: str) -> Statement[BlockContents]:
    """A row with the contents of the block that ends with this event, or none."""
    return Statement(
        "SELECT contents FROM storage_eventblock WHERE collection_id = $1 AND last_id = $2::uuid",
        [collection_id, last_id],
        BlockContents,
    )


def list_key_names(collection_id: str) -> Statement[KeyName]:
    """Rows: id, name of the collection's data keys."""
    return Statement("SELECT id, name FROM storage_datakey WHERE collection_id = $1", [collection_id], KeyName)


def list_micro_names(collection_id: str) -> Statement[MicroName]:
    """Rows: id, name, sub-domain of the collection's Micros."""
    return Statement(
        "SELECT id, name, subdomain FROM storage_micro WHERE collection_id = $1", [collection_id], MicroName
    )


def list_pinned(collection_id: str, event_ids: list[str] | None) -> Statement[PinnedEvent]:
    """Rows: id, the whole event of those that are pinned, newest first; None for all of them."""
    return Statement(
        """
        SELECT id, event FROM storage_pinnedevent
        WHERE collection_id = $1 AND ($2::uuid[] IS NULL OR id = ANY ($2::uuid[])) ORDER BY id DESC
    """,
        [collection_id, event_ids],
        PinnedEvent,
    )


def find_pinned_ids(collection_id: str, event_ids: list[str]) -> Statement[EventId]:
    """Rows: those of the ids that are pinned."""
    return Statement(
        "SELECT id FROM storage_pinnedevent WHERE collection_id = $1 AND id = ANY ($2::uuid[])",
        [collection_id, event_ids],
        EventId,
    )


def lock_pins(collection_id: str) -> Statement[NoRow]:
    """Wait until nobody else pins a request of this collection; held until the transaction ends. No row."""
    return Statement("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [f"homeport pins {collection_id}"], NoRow)


def pin_event(collection_id: str, event_id: str, event: bytes, most: int) -> Statement[YesNo]:
    """Keep a copy of the event unless that many are kept. Under `lock_pins`, as it counts them first.

    Row: whether it is pinned now.
    """
    return Statement(
        """
        WITH put AS (
            INSERT INTO storage_pinnedevent (collection_id, id, event)
            SELECT $1::text, $2::uuid, $3::bytea
            WHERE (SELECT count(*) FROM storage_pinnedevent WHERE collection_id = $1::text) < $4::int
            ON CONFLICT DO NOTHING RETURNING 1)
        SELECT EXISTS (SELECT FROM put)
            OR EXISTS (SELECT FROM storage_pinnedevent WHERE collection_id = $1::text AND id = $2::uuid)
    """,
        [collection_id, event_id, event, most],
        YesNo,
    )


def unpin_event(collection_id: str, event_id: str) -> Statement[NoRow]:
    """Forget the copy. No row."""
    return Statement(
        "DELETE FROM storage_pinnedevent WHERE collection_id = $1 AND id = $2::uuid", [collection_id, event_id], NoRow
    )


def chart_events(collection_id: str, first_minute: int, width: int) -> Statement[ChartSlice]:
    """Rows: first minute since 1970 of each slice of `width` minutes that held something, requests, errors, lost."""
    return Statement(
        """
        SELECT minute - minute % $3, sum(requests)::bigint, sum(errors)::bigint, sum(lost)::bigint
        FROM storage_eventminute WHERE collection_id = $1 AND minute >= $2 GROUP BY 1 ORDER BY 1
    """,
        [collection_id, first_minute, width],
        ChartSlice,
    )


def sum_events(collection_id: str, lost_since: int) -> Statement[Kept]:
    """Row: bytes kept, events lost from this minute on."""
    return Statement(
        """
        SELECT coalesce(sum(size_bytes), 0)::bigint, coalesce(sum(lost) FILTER (WHERE minute >= $2), 0)::bigint
        FROM storage_eventminute WHERE collection_id = $1
    """,
        [collection_id, lost_since],
        Kept,
    )


def list_recorded() -> Statement[RecordedCollection]:
    """Rows: ids of the collections whose requests are recorded."""
    return Statement("SELECT collection_id FROM storage_recording", [], RecordedCollection)


def find_marks(collection_ids: list[str], *, blocks: int) -> Statement[ListMark]:
    """What the newest blocks of these collections are; another text whenever one came or went. Row: collection, text."""
    return Statement(
        """
        SELECT c.id, coalesce(md5(string_agg(b.last_id::text || b.events, ' ')), '')
        FROM unnest($1::text[]) AS c(id) LEFT JOIN LATERAL (
            SELECT b.last_id, b.events FROM storage_eventblock b WHERE b.collection_id = c.id
            ORDER BY b.last_id DESC LIMIT $2
        ) b ON true GROUP BY c.id
    """,
        [collection_ids, blocks],
        ListMark,
    )
