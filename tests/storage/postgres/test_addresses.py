"""`DATABASE_URL`: as libpq reads it, with one address or several."""

import socket
from typing import Any

import pytest
from django.db import connection, transaction

from storage.errors import EngineUnreachable
from storage.models import Collection
from storage.postgres import addresses
from storage.postgres.connections import Connection, pool
from storage.postgres.database import run
from storage.postgres.statements import NoRow, Statement

WRITES, PRIMARY = ({"target_session_attrs": kind} for kind in ("read-write", "primary"))

READ: list[tuple[str, tuple[str, str, str, str], dict[str, str]]] = [
    ("postgres://u:p@h/db", ("h", "", "u", "p"), {}),
    ("postgresql://u@h:6543/db?sslmode=require", ("h", "6543", "u", ""), {"sslmode": "require"}),
    ("postgres://u:p%40%3A%2F%25@h/db", ("h", "", "u", "p@:/%"), {}),
    ("postgres://u:p@[::1]:5433/db", ("::1", "5433", "u", "p"), {}),
    ("postgres://u:p@%2Frun%2Fpostgresql:5/db", ("/run/postgresql", "5", "u", "p"), {}),
    ("postgres://u@/db?host=/run/postgresql", ("/run/postgresql", "", "u", ""), {}),
    ("postgres:///db", ("", "", "", ""), {}),
    ("postgres://u:p@h1,h2/db?target_session_attrs=read-write", ("h1,h2", "", "u", "p"), WRITES),
    ("postgres://u:p@h1,h2/db", ("h1,h2", "", "u", "p"), WRITES),
    ("postgres://u:p@h1:1,[fd00::7]:2/db?sslmode=require", ("h1,fd00::7", "1,2", "u", "p"), {"sslmode": "require", **WRITES}),
    ("postgres://u:p@/db?host=h1,h2&port=7", ("h1,h2", "7", "u", "p"), WRITES),
    ("postgres://u:p@/db?host=h1,h2&port=7,8&target_session_attrs=primary", ("h1,h2", "7,8", "u", "p"), PRIMARY),
    ("postgres://h/db?options=-c%20search_path%3Dx", ("h", "", "", ""), {"options": "-c search_path=x"}),
]  # fmt: skip


@pytest.mark.parametrize("text, where, options", READ, ids=[text for text, _, _ in READ])
def test_an_address_is_read_as_libpq_reads_it(
    text: str, where: tuple[str, str, str, str], options: dict[str, str]
) -> None:
    found = addresses.read(text)
    assert (found["HOST"], found["PORT"], found["USER"], found["PASSWORD"]) == where
    assert (found["NAME"], found["OPTIONS"]) == ("db", options)


@pytest.mark.parametrize(
    "text, said",
    [
        ("postgres://u:canary%zz@h/db", "a % in a name or password as %25"),
        ("postgres://u:canary@h1:1,h2:2,h3:x/db", "a port is a number"),
        ("postgres://u:canary@h1:0/db", "a port is a number"),
        ("postgres://u:canary@/db?host=h1,h2,h3&port=1,2", "one port for each host"),
        ("postgres://u:canary@h1,h2/", "the name of the database is missing"),
        *(
            (f"postgres://u:canary@h1,h2/db?target_session_attrs={target}", "target_session_attrs=read-write")
            for target in ("any", "standby", "read-only", "prefer-standby", "nonsense")
        ),
        ("postgres://u:canary@h/db?target_session_attrs=standby", "target_session_attrs=read-write"),
        ("postgres://u:canary@h/db?sslmoode=require", "write postgres://"),
    ],
)
def test_what_cannot_be_meant_is_refused_without_repeating_it(text: str, said: str) -> None:
    with pytest.raises(addresses.AddressError) as refused:
        addresses.read(text)
    assert said in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "parameters, entry, ordered",
    [
        ({"host": "a,b,c", "port": "1,2,3"}, ("b", "2"), {"host": "b,a,c", "port": "2,1,3"}),
        ({"host": "a,b", "port": "7"}, ("b", "7"), {"host": "b,a", "port": "7,7"}),
        ({"host": "a,b"}, ("b", "5432"), {"host": "b,a"}),
        ({"host": "a,a", "port": "1,2"}, ("a", "2"), {"host": "a,a", "port": "2,1"}),
        ({"host": "a,b", "hostaddr": "1.1.1.1,2.2.2.2"}, ("b", "5432"), {"host": "b,a", "hostaddr": "2.2.2.2,1.1.1.1"}),
        ({"host": "a,b"}, ("elsewhere", "5432"), {"host": "a,b"}),
        ({"host": "a", "port": 5}, ("a", "5"), {"host": "a", "port": 5}),
    ],
)
def test_the_address_that_let_us_in_last_is_asked_first(
    monkeypatch: pytest.MonkeyPatch, parameters: dict[str, Any], entry: tuple[str, str], ordered: dict[str, Any]
) -> None:
    monkeypatch.setattr(addresses, "_let_us_in", None)
    assert addresses.in_order(parameters) == parameters
    addresses.note_entry(entry[0].encode(), entry[1].encode())
    assert addresses.in_order(parameters | {"user": "u"}) == ordered | {"user": "u"}


def test_an_address_where_nobody_is_leaves_its_time_to_the_next(
    database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listener that never answers stands for a machine that is gone without a word."""
    here = connection.settings_dict
    monkeypatch.setattr(addresses, "_let_us_in", None)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection.close()
        pool.forget_idle()
        parameters = connection.get_connection_params()
        parameters["host"] = f"127.0.0.1,{here['HOST']}"
        parameters["port"] = f"{silent.getsockname()[1]},{here['PORT']}"
        opened = Connection.open(**parameters)
        try:
            assert opened.execute("SELECT 1").fetchone() == (1,)
            assert addresses.in_order(parameters)["host"].startswith(str(here["HOST"]))
        finally:
            opened.close()


def read_only(setting: str) -> Statement[NoRow]:
    return Statement("SELECT set_config($1, 'on', false)", [setting], NoRow)


def test_a_connection_to_a_server_that_only_reads_is_not_used_again(database: None) -> None:
    """Such as one that leads through a proxy to a leader which is one no longer."""
    run(read_only("default_transaction_read_only"))
    with pytest.raises(EngineUnreachable):
        run(Statement("DELETE FROM storage_collection WHERE id = ''", [], NoRow))
    run(Statement("DELETE FROM storage_collection WHERE id = ''", [], NoRow))

    run(read_only("default_transaction_read_only"))
    with pytest.raises(EngineUnreachable):
        Collection.objects.filter(id="").update(name="x")
    connection.close()
    Collection.objects.filter(id="").update(name="x")

    with transaction.atomic():
        run(read_only("transaction_read_only"))
        with pytest.raises(EngineUnreachable):
            Collection.objects.filter(id="").update(name="x")
    with transaction.atomic():
        assert Collection.objects.filter(id="").update(name="x") == 0
