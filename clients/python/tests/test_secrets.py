"""The data key goes into one header and nowhere else: not into a text that is shown, logged or raised."""

import logging
import traceback
from collections.abc import Callable, Iterator

import pytest
from clients.python.tests.conftest import Place
from clients.python.tests.faulty import Fault, FaultyProxy
from tests.awaiting import run

from deta import Deta, DetaError

CANARY = "canary0secret0canary0secret0abcd"


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


def every_text_of(thing: object) -> str:
    """How a thing shows itself, and how what it holds does."""
    held = "".join(f"{name}={value!r}" for name, value in getattr(thing, "__dict__", {}).items())
    return f"{thing!r} {thing!s} {held}"


def test_objects_do_not_show_the_key(place: Place) -> None:
    deta = Deta(f"{place.collection_id}_{CANARY}")
    host = place.server.url
    things = [
        deta,
        deta._key,
        deta._sync,
        deta._async,
        deta._sync._pool.take(0).http,
        deta._sync._pool.take(0).http.headers,
        deta.Base("b", host),
        deta.Drive("d", host),
        deta.AsyncBase("b", host),
        deta.AsyncDrive("d", host),
    ]
    assert CANARY not in "".join(map(every_text_of, things))
    deta._sync._pool.take(0).http.close()


def test_calls_do_not_log_the_key(plain: Deta, place: Place, everything_logged: pytest.LogCaptureFixture) -> None:
    db, drive = plain.Base("b"), plain.Drive("d")
    db.put({"a": 1}, "one")
    db.get("one")
    drive.put("a", "b")
    drive.get("a").read()
    secret = place.key.split("_")[1]
    assert everything_logged.records
    assert secret not in everything_logged.text
    assert secret not in "".join(str(vars(record)) for record in everything_logged.records)


def test_errors_do_not_hold_the_key(
    place: Place, proxy: FaultyProxy, everything_logged: pytest.LogCaptureFixture
) -> None:
    key = f"{place.collection_id}_{CANARY}"
    calls = [
        lambda: Deta(key).Base("b", proxy.url).get("x"),
        lambda: Deta(key, retries=0).Base("b", "http://127.0.0.1:1").get("x"),
        lambda: Deta(key).Base("b", place.server.tls_url).get("x"),
        lambda: Deta(key).Drive("d", proxy.url).get("x"),
        lambda: Deta(f"{key}\n\x00"),
        lambda: Deta(f"{key}é"),
        lambda: Deta(key).Base("b", "nonsense://"),
        lambda: run(Deta(key, retries=0).AsyncBase("b", "http://127.0.0.1:1").get("x")),
    ]
    for call in calls:
        assert_error_is_silent(call)
    proxy.faults.extend([Fault("drop")] * 2)
    assert_error_is_silent(lambda: Deta(key, retries=0).Base("b", proxy.url).get("x"))
    assert_error_is_silent(lambda: Deta(key).Base("b", proxy.url).update({"a": 1}, "x"))
    assert CANARY not in everything_logged.text


def assert_error_is_silent(call: Callable[[], object]) -> None:
    with pytest.raises((DetaError, ValueError)) as caught:
        call()
    error = caught.value
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    # The locals of this test itself hold the key; those of the client must not.
    client = [line for line in shown.split('  File "') if "/src/deta/" in line.split("\n")[0]]
    assert client
    assert CANARY not in "".join(part for part in client if "read_key" not in part)
    assert CANARY not in f"{error!r}{error!s}{vars(error)}"
    assert error.__context__ is None or CANARY not in every_text_of(error.__context__)
