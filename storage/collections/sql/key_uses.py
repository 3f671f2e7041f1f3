"""Keeping when data keys were used."""

from storage.postgres.statements import NoRow, Statement


def note_uses(uses: list[tuple[bytes, float, str]]) -> Statement[NoRow]:
    """Keep uses of key digest, seconds ago, client. In the order of their ids, so that two processes never deadlock.

    A key that is being deleted is waited for, and then is none.
    """
    digests, ages, clients = (list(column) for column in zip(*uses, strict=True))
    return Statement(
        """
        INSERT INTO storage_datakeyuse AS u (data_key_id, first_used_at, last_used_at, client)
        SELECT k.id, now() - make_interval(secs => n.age), now() - make_interval(secs => n.age), n.client
        FROM unnest($1::bytea[], $2::float8[], $3::text[]) AS n(digest, age, client)
        JOIN storage_datakey k ON k.digest = n.digest
        ORDER BY k.id
        FOR KEY SHARE OF k
        ON CONFLICT (data_key_id) DO UPDATE SET last_used_at = excluded.last_used_at, client = excluded.client
        WHERE u.last_used_at < excluded.last_used_at
    """,
        [digests, ages, clients],
        NoRow,
    )
