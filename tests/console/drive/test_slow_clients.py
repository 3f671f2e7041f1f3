"""Clients that take or send a file slowly hold no connection to the database: there are far fewer of those."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.db import connection

from tests.console.drive.visitor import Visitor, visiting
from tests.drives import noise
from tests.factories import RawConnection
from tests.serving import Server

SLOW = 40
# What the pools of the workers may open for themselves meanwhile.
POOLED = 20


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    with visiting(server, "member") as (one,):
        yield one


def count_connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'homeport'")
        return int(cursor.fetchone()[0])


def request_of(visitor: Visitor, method: str, path: str, *headers: str) -> bytes:
    cookie = f"Cookie: sessionid={visitor.http.cookies['sessionid']}; csrftoken={visitor.token}"
    lines = [
        f"{method} {visitor.path}{path} HTTP/1.1",
        "Host: localhost",
        cookie,
        f"X-CSRFToken: {visitor.token}",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.mark.parametrize("what", ["download", "zip", "upload"])
def test_slow_clients_hold_no_connection(visitor: Visitor, server: Server, what: str) -> None:
    visitor.put("large", noise(9_000_000))
    upload_id = visitor.ask("uploads/", name="slow", size=5_000_000).json()["id"]
    requests = {
        "download": request_of(visitor, "GET", "file/?name=large"),
        "zip": request_of(visitor, "GET", "zip/?name=large"),
        "upload": request_of(visitor, "PUT", f"uploads/{upload_id}/parts/1/", "Content-Length: 5000000")
        + b"x" * 100_000,
    }
    before = count_connections()
    with ExitStack() as stack:
        slow = [stack.enter_context(RawConnection(server)) for _ in range(SLOW)]
        for each in slow:
            each.send(requests[what])
        if what != "upload":
            for each in slow:
                # The answer has begun, and is not taken.
                assert each.socket.recv(12) == b"HTTP/1.1 200"
        assert visitor.get("rows/").status_code == 200
        assert count_connections() <= before + POOLED
