"""What the log tells of statements that take long: their plan, and none of their values."""

import logging
from typing import Any, NamedTuple

import psycopg
import pytest
from django.db import connection
from django.db.models import Func, TextField, Value

from storage import request_ids
from storage.errors import EngineUnreachable
from storage.models import Collection
from storage.postgres import slow_statements
from storage.postgres.database import run
from storage.postgres.slow_statements import SlowStatements, hide_values
from storage.postgres.statements import Statement
from tests.waiting import eventually

SECRET = "nobody's business"
LONG_SECONDS = 0.06


class Slept(NamedTuple):
    slept: Any
    value: str


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log of a process that has told nothing yet, and to which a twentieth of a second is long."""
    monkeypatch.setattr(slow_statements, "SECONDS", LONG_SECONDS - 0.01)
    monkeypatch.setattr(slow_statements, "slow_statements", SlowStatements())
    # The loggers of tests that ran before may be quiet.
    caplog.set_level(logging.WARNING, logger=slow_statements.logger.name)
    return caplog


def entry_of(caplog: pytest.LogCaptureFixture, word: str) -> logging.LogRecord:
    """The one with this word in its statement: on a busy machine others take long, too."""

    def find() -> list[logging.LogRecord]:
        told = [each for each in caplog.records if each.name == slow_statements.logger.name]
        return [each for each in told if word in each.getMessage()]

    (entry,) = eventually(find)
    return entry


@pytest.mark.usefixtures("database")
def test_a_statement_is_told_with_its_plan_and_without_its_values(told: pytest.LogCaptureFixture) -> None:
    text = f"""
        SELECT pg_sleep($1::float8), $2::text FROM storage_collection
        WHERE name <> '{SECRET.replace("'", "''")}' AND id <> $3 LIMIT 17"""
    # For each row that there is; one is enough.
    Collection.objects.create(id="slowslowsl", name="Slow")
    token = request_ids.request_id.set("r-1")
    try:
        run(Statement(f"WITH slept AS ({text}) SELECT * FROM slept LIMIT 1", [LONG_SECONDS, SECRET, SECRET], Slept))
    finally:
        request_ids.request_id.reset(token)
        Collection.objects.filter(id="slowslowsl").delete()
    entry = entry_of(told, "pg_sleep")
    message = entry.getMessage()
    assert (
        "SELECT pg_sleep($1::float8), $2::text FROM storage_collection WHERE name <> ? AND id <> $3 LIMIT ?" in message
    )
    assert "plan: Limit" in message
    assert "(cost=" in message
    assert "<> ?::text" in message
    assert "business" not in message
    assert "17" not in message.partition("plan:")[0].partition("ms")[2]
    assert entry.__dict__["duration_ms"] >= LONG_SECONDS * 1000 - 10
    assert entry.__dict__["request_id"] == "r-1"


@pytest.mark.usefixtures("database")
def test_so_is_a_statement_of_the_orm_and_one_that_failed(told: pytest.LogCaptureFixture) -> None:
    sleeping = Func(Value(LONG_SECONDS), function="pg_sleep", output_field=TextField())
    made = Collection.objects.create(id="slowormslo", name=SECRET)
    try:
        list(Collection.objects.filter(id=made.id, name=SECRET).annotate(slept=sleeping).values_list("id", "slept"))
    finally:
        made.delete()
    message = entry_of(told, "pg_sleep").getMessage()
    assert 'FROM "storage_collection"' in message
    assert "$1" in message
    assert "plan: " in message
    assert "business" not in message
    told.clear()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 100")
        with pytest.raises(EngineUnreachable):
            cursor.execute("SELECT pg_sleep(%s), %s::text", [30, SECRET])
    connection.close()
    message = entry_of(told, "pg_sleep").getMessage()
    assert "SELECT pg_sleep($1), $2::text; plan: Result" in message


@pytest.mark.usefixtures("database")
def test_what_has_no_plan_says_so(told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    run(Statement(f"DO $$BEGIN PERFORM pg_sleep({LONG_SECONDS}); /* {SECRET} */ END$$", [], Slept))
    assert "DO ?; plan: Utility statements have no plan structure" in entry_of(told, "DO").getMessage()
    told.clear()

    def refuse(**_: Any) -> None:
        raise psycopg.OperationalError("connection refused: too many clients")

    monkeypatch.setattr(slow_statements.Connection, "open", refuse)
    slow_statements.slow_statements.note("SELECT 1", (), 1.0)
    assert "SELECT ?; no plan: connection refused: too many clients" in entry_of(told, "refused").getMessage()


def test_a_text_is_told_once_in_a_while_and_few_within_a_minute() -> None:
    slow, now = SlowStatements(), 1_000.0
    assert [slow._may_tell("a", now + second) for second in (0, 1, 599, 600)] == [True, False, False, True]
    later = now + 5_000
    assert [slow._may_tell(f"text {number}", later) for number in range(12)] == [True] * 10 + [False] * 2
    assert slow._may_tell("text 11", later + 60)
    for number in range(5_000):
        slow._may_tell(f"another {number}", later + 100 * number)
    assert len(slow._told) <= 1_000


@pytest.mark.parametrize(
    "text, hidden",
    [
        ("SELECT $1, a1 FROM b2 WHERE c = 'x'", "SELECT $1, a1 FROM b2 WHERE c = ?"),
        ("x = 'it''s' AND y = 'b'", "x = ? AND y = ?"),
        (r"x = 'a\' AND y = 'b'", "x = ? AND y = ?"),
        (r"x = E'a\'b' AND y = 'b'", "x = ? AND y = ?"),
        ("x = $$a'b$$ AND y = $t$ $$ $t$", "x = ? AND y = ?"),
        ("\"it's\" = 5 -- what's\nAND z = 1.5e-3", "\"it's\" = ? -- what's\nAND z = ?"),
        ("/* ' */ x = 'a", "/* ' */ x = ?"),
        ("LIMIT 21 OFFSET 3", "LIMIT ? OFFSET ?"),
    ],
    ids=["placeholder", "quote", "backslash", "escape", "dollars", "names", "open", "numbers"],
)
def test_texts_and_numbers_are_hidden(text: str, hidden: str) -> None:
    assert hide_values(text) == hidden
