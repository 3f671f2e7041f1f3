"""Statements on counters of tries. Rows are always taken in the order of their keys, so that nobody waits in a circle."""

from datetime import datetime
from typing import NamedTuple

from storage.postgres.statements import NoRow, Statement, Total


class TakenTry(NamedTuple):
    """`ends_at` tells the windows of a counter apart."""

    who: bytes
    ends_at: datetime


class Wait(NamedTuple):
    seconds: int


def take_tries(whos: list[bytes], most: list[int], seconds: list[int]) -> Statement[TakenTry]:
    """Count one more try in each of the counters that has one left; a window that is over begins anew.

    A counter is compared and counted under the lock of its row: of many at once no more get through than there are tries.
    One that is known to be used up keeps the others from being counted. Rows: the counters that had a try left.
    """
    return Statement(
        """
        WITH given AS MATERIALIZED (
            SELECT * FROM ROWS FROM (unnest($1::bytea[]), unnest($2::int[]), unnest($3::int[])) AS g(who, most, seconds)
        )
        INSERT INTO storage_throttle AS t (who, tries, most, ends_at)
        SELECT g.who, 1, g.most, clock_timestamp() + g.seconds * interval '1 second' FROM given g
        WHERE NOT EXISTS (
            SELECT FROM given g JOIN storage_throttle t ON t.who = g.who
            WHERE t.ends_at > clock_timestamp() AND t.tries >= g.most)
        ORDER BY g.who
        ON CONFLICT (who) DO UPDATE SET
            tries = CASE WHEN t.ends_at > clock_timestamp() THEN t.tries + 1 ELSE 1 END,
            ends_at = CASE WHEN t.ends_at > clock_timestamp() THEN t.ends_at ELSE excluded.ends_at END,
            most = excluded.most
        WHERE t.tries < excluded.most OR t.ends_at <= clock_timestamp()
        RETURNING who, ends_at
    """,
        [whos, most, seconds],
        TakenTry,
    )


def find_wait(whos: list[bytes]) -> Statement[Wait]:
    """Row: the seconds until all of these counters that are used up begin anew, at least 1."""
    return Statement(
        """
        SELECT greatest(1, ceil(extract(epoch FROM max(ends_at) - clock_timestamp())))::int
        FROM storage_throttle WHERE who = ANY ($1::bytea[]) AND tries >= most
    """,
        [whos],
        Wait,
    )


def give_back(whos: list[bytes], windows: list[datetime], numbers: list[int]) -> Statement[NoRow]:
    """Take so many tries off each of the counters, in the window in which they were taken: a later one is not theirs. No row."""
    return Statement(
        """
        WITH mine AS MATERIALIZED (
            SELECT t.who, g.number
            FROM ROWS FROM (unnest($1::bytea[]), unnest($2::timestamptz[]), unnest($3::int[])) AS g(who, ends_at, number)
            JOIN storage_throttle t ON t.who = g.who AND t.ends_at = g.ends_at
            ORDER BY t.who FOR UPDATE OF t)
        UPDATE storage_throttle t SET tries = greatest(0, t.tries - mine.number) FROM mine WHERE t.who = mine.who
    """,
        [whos, windows, numbers],
        NoRow,
    )


def forget(whos: list[bytes]) -> Statement[NoRow]:
    """Begin the counters anew. No row."""
    return Statement(
        """
        DELETE FROM storage_throttle WHERE who IN (
            SELECT who FROM storage_throttle WHERE who = ANY ($1::bytea[]) ORDER BY who FOR UPDATE)
    """,
        [whos],
        NoRow,
    )


def sweep(most_rows: int) -> Statement[Total]:
    """Delete the counters whose window is over, and those that end first where more than `most_rows` are left.

    Row: how many went.
    """
    return Statement(
        """
        WITH over AS (
            SELECT who FROM storage_throttle WHERE ends_at <= clock_timestamp()
            UNION
            SELECT who FROM (SELECT who FROM storage_throttle ORDER BY ends_at DESC OFFSET $1) AS too_many
        ), gone AS (
            DELETE FROM storage_throttle WHERE who IN (
                SELECT who FROM storage_throttle WHERE who IN (SELECT who FROM over) ORDER BY who FOR UPDATE SKIP LOCKED)
            RETURNING 1
        )
        SELECT count(*) FROM gone
    """,
        [most_rows],
        Total,
    )
