"""A statement that does not end and more requests than there are connections: 503 in time, and after it all is as before."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection as django_connection

from tests.factories import BaseClient, make_client
from tests.serving import Server
from tests.waiting import PROMISED_SECONDS

# More than the connections of all processes of the server together.
MANY = 64
_LOCK_ITEM = """SELECT 1 FROM storage_item WHERE key = 'a' AND base_id IN
    (SELECT id FROM storage_base WHERE collection_id = '{}') FOR UPDATE"""


@pytest.fixture
def client(server: Server) -> BaseClient:
    made = make_client(server)
    assert made.put({"key": "a", "n": 1}, {"key": "b", "n": 1}).status_code == 207
    return made


@contextmanager
def holding(statement: str) -> Iterator[None]:
    """Somebody's transaction that has done this and does not end."""
    with psycopg.connect(**django_connection.get_connection_params()) as other:
        other.execute(statement)
        yield
        other.rollback()


def test_statement_that_does_not_end_is_given_up_in_time_and_others_go_on(client: BaseClient) -> None:
    with holding(_LOCK_ITEM.format(client.collection_id)):
        began = time.monotonic()
        refused = client.update("a", {"increment": {"n": 1}})
        assert time.monotonic() - began < PROMISED_SECONDS
        assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (503, True), refused.text
        assert client.update("b", {"increment": {"n": 1}}).status_code == 200
    assert client.update("a", {"increment": {"n": 1}}).status_code == 200
    assert [client.stored(key)["n"] for key in "ab"] == [2, 2]


@pytest.mark.slow
def test_more_requests_than_connections_are_refused_in_time_and_the_next_is_served(client: BaseClient) -> None:
    with holding("LOCK TABLE storage_item IN ACCESS EXCLUSIVE MODE"), ThreadPoolExecutor(MANY) as threads:
        began = time.monotonic()
        answers = list(threads.map(lambda _: client.get("a"), range(MANY)))
        assert time.monotonic() - began < PROMISED_SECONDS
    assert {answer.status_code for answer in answers} == {503}
    assert {tuple(answer.json()) for answer in answers} == {("errors",)}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert client.get("a").status_code == 200
