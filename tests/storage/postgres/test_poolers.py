"""A pooler between the server and PostgreSQL: what is safe leaves nothing in a session, what is not is refused in words."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection as django_connection
from django.db import transaction

from storage.base import items
from storage.collections import collections
from storage.embedded import postgres
from storage.models import Collection
from storage.postgres import addresses, poolers
from storage.postgres.caller import Access
from storage.postgres.connections import Connection, pool
from storage.postgres.database import OwnConnection, run, snapshot
from storage.postgres.locks import only_worker
from storage.postgres.sending import _PREPARED_MAX
from storage.postgres.statements import NoRow, Statement
from tests.pooler import Pooler, pooling

pytestmark = pytest.mark.usefixtures("database")


def address(**changed: Any) -> str:
    """Of the run's own database, or of a pooler on the way to it."""
    about = {name: str(django_connection.settings_dict[name]) for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")}
    about |= {name.upper(): str(value) for name, value in changed.items()}
    where = urlencode({"host": about["HOST"], "port": about["PORT"]})
    return f"postgres://{about['USER']}:{quote(about['PASSWORD'])}@/{about['NAME']}?{where}"


def through(pooler: Pooler) -> str:
    return address(host="127.0.0.1", port=pooler.port)


def own() -> dict[str, Any]:
    """psycopg's parameters of the run's own database."""
    return addresses.parameters(address())


def check(url: str, direct_url: str = "") -> list[str]:
    return poolers.check(url, direct_url, session_settings=settings.SESSION_SETTINGS)


@pytest.fixture
def role_settings() -> Iterator[None]:
    """The role's settings go again."""
    yield
    name = django_connection.ops.quote_name(django_connection.settings_dict["NAME"])
    run(Statement(f"ALTER ROLE CURRENT_USER IN DATABASE {name} RESET ALL", [], NoRow))


def test_the_database_itself_is_fine() -> None:
    assert check(address()) == []


@pytest.mark.parametrize(
    "how, said",
    [
        ({}, "The pooler at DATABASE_URL hands each transaction another connection"),
        ({"tracks": False}, "The pooler at DATABASE_URL hands each transaction another connection"),
    ],
    ids=["transactions", "without names"],
)
def test_a_pooler_without_a_way_past_it_is_refused_with_the_setting_it_needs(how: dict[str, Any], said: str) -> None:
    with pooling(own(), **how) as pooler, pytest.raises(poolers.Refused) as refused:
        check(through(pooler))
    assert str(refused.value).startswith(said)
    assert "set HOMEPORT_DIRECT_DATABASE_URL to the address of PostgreSQL itself" in str(refused.value)


def test_a_pooler_that_keeps_sessions_is_fine_and_they_get_the_settings_it_leaves_out() -> None:
    with pooling(own(), mode="session", size=20) as pooler:
        assert check(through(pooler)) == []
        asked = addresses.parameters(through(pooler)) | {
            "options": django_connection.settings_dict["OPTIONS"]["options"]
        }
        opened = Connection.open(**asked, autocommit=True)
        try:
            for name in settings.SESSION_SETTINGS:
                (wanted,) = run(Statement("SELECT current_setting($1::text)", [name], tuple))
                assert opened.execute("SELECT current_setting(%s)", [name]).fetchone() == wanted, name
        finally:
            opened.close()


def test_a_pooler_that_refuses_settings_is_told_from_other_faults() -> None:
    with pooling(own(), ignores_options=False) as pooler:
        asked = addresses.parameters(through(pooler)) | {"options": "-c statement_timeout=1"}
        fault = postgres.find_fault(asked)
    sentence = poolers.refusal(str(fault))
    assert sentence
    assert "HOMEPORT_DIRECT_DATABASE_URL" in sentence
    assert poolers.refusal("connection refused") is None


def test_a_pooler_that_does_not_know_prepared_statements_is_refused(role_settings: None) -> None:
    with pooling(own(), tracks=False) as pooler, pytest.raises(poolers.Refused, match=r"pgbouncer does from 1\.21 on"):
        check(through(pooler), address())


def test_the_way_past_must_be_one_and_lead_to_the_same_database(role_settings: None) -> None:
    with pooling(own()) as pooler:
        with pytest.raises(poolers.Refused, match="at HOMEPORT_DIRECT_DATABASE_URL hands each transaction"):
            check(through(pooler), through(pooler))
        with pytest.raises(poolers.Refused, match="lead to different databases"):
            check(through(pooler), address(name="postgres"))


@pytest.mark.parametrize("how", [{}, {"mode": "session", "size": 20}], ids=["transactions", "session"])
def test_a_pooler_with_a_way_past_it_is_fine_and_its_sessions_get_the_settings(
    how: dict[str, Any], role_settings: None
) -> None:
    with pooling(own(), **how) as pooler:
        assert check(through(pooler), address()) == []
        assert pooler.stains() == []
    with pooling(own(), **how) as pooler:
        # Of a role that may not set them, or a pooler whose connections are older.
        name = django_connection.ops.quote_name(django_connection.settings_dict["NAME"])
        run(Statement(f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET enable_seqscan = on", [], NoRow))
        with poolers._connected(through(pooler)) as older:
            (said,) = poolers._missing(older, settings.SESSION_SETTINGS)
    assert "enable_seqscan = off" in said


@pytest.fixture
def pooled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pooler]:
    """On the way of everything in this process to the database, which asks for no settings then, as web processes do."""
    with pooling(own()) as pooler, monkeypatch.context() as patch:
        django_connection.close()
        pool.forget_idle()
        about = django_connection.settings_dict
        patch.setitem(about, "HOST", "127.0.0.1")
        patch.setitem(about, "PORT", str(pooler.port))
        options = {name: value for name, value in about["OPTIONS"].items() if name not in ("options", "require_auth")}
        patch.setitem(about, "OPTIONS", options)
        yield pooler
        django_connection.close()
        pool.forget_idle()


def test_what_the_server_does_leaves_nothing_in_a_session(pooled: Pooler) -> None:
    access = Access(collections.create_collection("Made by a test").id)
    for round_number in range(3):
        items.put_items(access=access, base="b", items=[{"key": f"k{n}", "n": n + round_number} for n in range(5)])
        assert items.get_item(access=access, base="b", key="k4") is not None
        items.delete_item(access=access, base="b", key="k0")
        with transaction.atomic():
            Collection.objects.filter(pk=access.collection_id).update(name=f"Round {round_number}")
            assert User.objects.filter(username="").count() == 0
        with only_worker("micros") as is_ours:
            assert is_ours
            items.put_items(access=access, base="b", items=[{"key": "led"}])
    own_connection = OwnConnection(lock_timeout_ms=100)
    for _ in range(3):
        own_connection.run(Statement("SELECT 1", [], NoRow))
        own_connection.run_together([Statement("SELECT $1::int", [n], NoRow) for n in range(3)])
    own_connection.close()
    with snapshot() as moment:
        assert len(list(moment.rows(Statement("SELECT generate_series(1, 200)", [], tuple)))) == 200
    # More statements than are kept: the oldest are forgotten, and known again when they come back.
    for _ in range(2):
        for number in range(_PREPARED_MAX + 3):
            assert run(Statement(f"SELECT $1::int + {number}", [1], tuple)) == [(1 + number,)]

    assert pooled.moves > 200
    assert pooled.stains() == []


def test_a_get_and_a_put_are_one_message_each(pooled: Pooler) -> None:
    """No setting is sent before them, or taken back behind them."""
    access = Access(collections.create_collection("Made by a test").id)
    django_connection.close()

    def put_and_get() -> None:
        items.put_items(access=access, base="b", items=[{"key": "k"}])
        items.get_item(access=access, base="b", key="k")

    put_and_get()  # the Base is made, and both statements are prepared
    put_and_get()
    before = pooled.batches
    put_and_get()
    assert pooled.batches - before == 2


def test_what_is_left_in_a_session_would_be_found(pooled: Pooler) -> None:
    run(Statement("SELECT set_config('lock_timeout', '7', false), pg_advisory_lock(7)", [], tuple))
    assert {kind for kind, *_ in pooled.stains()} == {"setting", "lock"}
