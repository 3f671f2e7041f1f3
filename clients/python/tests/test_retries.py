"""Broken connections and busy servers: what is safe is tried again, what is not says so."""

import io
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, Callable, Optional

import httpx
import pytest
from clients.python.tests.conftest import Place
from clients.python.tests.faulty import Fault, FaultyProxy
from tests.awaiting import run
from tests.drives import noise

from deta import (
    BadRequest,
    ConnectionFailed,
    Deta,
    FileChanged,
    MayHaveBeenApplied,
    Unauthorized,
    Unavailable,
)
from deta.drive import UPLOAD_CHUNK_SIZE
from deta.retries import Attempts, Failure, describe
from deta.wire import Reply, Request

DROP, LOSE, BUSY = Fault("drop"), Fault("lose"), Fault("busy", retry_after="0")
KINDS = [DROP, LOSE, BUSY]
# Where each takes seconds: what is done about the others is the same, and all kinds are tried where it is quick.
ONE_QUICKLY = [LOSE, *(pytest.param(each, marks=pytest.mark.slow) for each in (DROP, BUSY))]


@pytest.mark.parametrize("fault", ONE_QUICKLY, ids=lambda fault: fault.kind)
def test_what_may_be_made_twice_is_tried_again(through_proxy: Deta, proxy: FaultyProxy, fault: Fault) -> None:
    db = through_proxy.Base("things")

    def with_faults(call: Callable[[], Any]) -> Any:
        before = len(proxy.seen)
        proxy.faults.extend([fault, fault])
        result = call()
        assert len(proxy.seen) == before + 3
        return result

    assert with_faults(lambda: db.put({"n": 1}, "one")) == {"n": 1, "key": "one"}
    assert with_faults(lambda: db.put_many([{"key": "two"}]))["processed"]["items"] == [{"key": "two"}]
    assert with_faults(lambda: db.get("one")) == {"n": 1, "key": "one"}
    assert with_faults(lambda: db.fetch({"n": 1})).count == 1
    with_faults(lambda: db.update({"n": 5, "list": []}, "one"))
    with_faults(lambda: db.delete("two"))
    assert db.get("one")["n"] == 5
    drive = through_proxy.Drive("files")
    assert with_faults(lambda: drive.put("a", "text")) == "a"
    assert with_faults(lambda: drive.get("a")).read() == b"text"
    assert with_faults(lambda: drive.stat("a")).size == 4
    assert with_faults(lambda: drive.list())["names"] == ["a"]
    assert with_faults(lambda: drive.delete("a")) == "a"


@pytest.mark.parametrize("fault", KINDS, ids=lambda fault: fault.kind)
@pytest.mark.parametrize("operation", ["increment", "append", "prepend"])
def test_what_may_not_says_that_it_may_have_been_applied(
    through_proxy: Deta, proxy: FaultyProxy, fault: Fault, operation: str
) -> None:
    db = through_proxy.Base("things")
    db.put({"v": 1 if operation == "increment" else ["x"]}, "one")
    proxy.faults.append(fault)
    with pytest.raises(MayHaveBeenApplied, match=r"may have been|does not say whether"):
        db.update({"v": getattr(db.util, operation)(1)}, "one")
    assert sum(line.startswith("PATCH") for line in proxy.seen) == 1
    once = {"increment": 2, "append": ["x", 1], "prepend": [1, "x"]}[operation]
    assert (db.get("one")["v"] == once) is (fault is LOSE)


def test_an_item_without_a_key_is_not_stored_twice(through_proxy: Deta, proxy: FaultyProxy) -> None:
    db = through_proxy.Base("things")
    for call in (lambda: db.put({"n": 1}), lambda: db.insert({"n": 1}), lambda: db.put_many([{"key": "a"}, {"n": 1}])):
        proxy.faults.append(LOSE)
        with pytest.raises(MayHaveBeenApplied):
            call()
    assert db.fetch({"n": 1}).count == 3


def test_an_insert_that_finds_its_own_key_does_not_claim_to_know(through_proxy: Deta, proxy: FaultyProxy) -> None:
    db = through_proxy.Base("things")
    proxy.faults.append(DROP)
    assert db.insert({"n": 1}, "first") == {"n": 1, "key": "first"}
    proxy.faults.append(LOSE)
    with pytest.raises(MayHaveBeenApplied, match="perhaps from an earlier try") as error:
        db.insert({"n": 1}, "second")
    assert error.value.status == 409


def test_what_never_left_is_tried_again_whatever_it_is(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is not there yet when the first try is made."""
    with FaultyProxy(place.server.url) as proxy:
        monkeypatch.setenv("HOMEPORT_URL", place.server.url)
        with Deta(place.key) as deta:
            deta.Base("things").put({"n": 0}, "one")
    host = proxy.url
    with Deta(place.key, retries=8) as deta:
        db = deta.Base("things", host)
        with ThreadPoolExecutor(1) as thread:
            incremented = thread.submit(db.update, {"n": db.util.increment()}, "one")
            time.sleep(0.3)
            with _proxy_on(host, place.server.url):
                incremented.result()
                assert db.get("one")["n"] == 1


def _proxy_on(url: str, upstream: str) -> FaultyProxy:
    from http.server import ThreadingHTTPServer

    proxy = FaultyProxy(upstream)
    proxy._server.server_close()
    proxy._server = ThreadingHTTPServer(("127.0.0.1", int(url.rsplit(":", 1)[1])), proxy._handler())
    proxy._server.daemon_threads = True
    proxy._thread = threading.Thread(target=proxy._server.serve_forever, kwargs={"poll_interval": 0.01})
    return proxy


def test_tries_come_to_an_end(through_proxy: Deta, proxy: FaultyProxy, place: Place) -> None:
    proxy.faults.extend([DROP] * 20)
    with Deta(place.key, retries=2) as deta, pytest.raises(ConnectionFailed, match="no answer after 3 tries"):
        deta.Base("things").get("one")
    assert len(proxy.seen) == 3
    proxy.faults.clear()
    proxy.faults.extend([BUSY] * 20)
    with Deta(place.key, retries=2) as deta, pytest.raises(Unavailable) as error:
        deta.Base("things").get("one")
    assert error.value.status == 503
    assert len(proxy.seen) == 6


def test_an_error_is_not_tried_again(through_proxy: Deta, proxy: FaultyProxy) -> None:
    with pytest.raises(BadRequest) as error:
        through_proxy.Base("things").fetch({"a??": 1})
    assert (error.value.status, error.value.errors[0]) == (400, "Bad query")
    assert len(proxy.seen) == 1


def test_a_server_that_asks_for_much_patience_is_not_waited_for(through_proxy: Deta, proxy: FaultyProxy) -> None:
    proxy.faults.append(Fault("busy", retry_after="3600"))
    with pytest.raises(Unavailable):
        through_proxy.Base("things").get("one")
    assert len(proxy.seen) == 1


def test_nobody_there(place: Place) -> None:
    with Deta(place.key, retries=1) as deta, pytest.raises(ConnectionFailed, match="2 tries"):
        deta.Base("things", "http://127.0.0.1:1").get("one")


def test_a_certificate_that_is_not_trusted(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with Deta(place.key) as deta, pytest.raises(ConnectionFailed, match="SSL_CERT_FILE") as error:
        deta.Base("things", place.server.tls_url).get("one")
    assert "1 try" in str(error.value)


def test_a_wrong_key_is_told_apart(place: Place) -> None:
    with Deta(f"{place.collection_id}_wrong") as deta, pytest.raises(Unauthorized, match="Unauthorized"):
        deta.Base("things", place.server.url).put(1)


def test_a_server_that_is_something_else(place: Place) -> None:
    with Deta(place.key) as deta, pytest.raises(Exception, match="HTTP 404"):
        deta.Base("things", f"{place.server.url}/elsewhere").get("one")


@pytest.mark.parametrize("fault", ONE_QUICKLY, ids=lambda fault: fault.kind)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_every_step_of_an_upload_is_tried_again(
    through_proxy: Deta, proxy: FaultyProxy, fault: Fault, kind: str
) -> None:
    content = noise(UPLOAD_CHUNK_SIZE + 5)
    # The start, the parts and the end each fail once.
    proxy.faults.extend([fault, None, fault, fault, None, None, fault])
    if kind == "sync":
        through_proxy.Drive("files").put("a", content, parallel=1)
    else:
        run(_put(through_proxy, content))
    assert through_proxy.Drive("files").get("a").read() == content


async def _put(deta: Deta, content: bytes) -> None:
    async with deta.AsyncDrive("files") as drive:
        await drive.put("a", content, parallel=1)


@pytest.mark.parametrize("size", [0, 1, 700_000])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_download_goes_on_where_it_broke(through_proxy: Deta, proxy: FaultyProxy, size: int, kind: str) -> None:
    content = noise(3_000_000)
    through_proxy.Drive("files").put("a", content)
    proxy.seen.clear()
    proxy.headers.clear()
    proxy.faults.extend([Fault("cut", size), Fault("cut", size)])
    if kind == "sync":
        with through_proxy.Drive("files").get("a") as body:
            assert body.read() == content
    else:

        async def read() -> None:
            async with through_proxy.AsyncDrive("files") as drive, await drive.get("a") as body:
                assert await body.read() == content

        run(read())
    assert len(proxy.seen) == 3
    assert proxy.headers[-1].get("range") == (f"bytes={2 * size}-" if size else None)


def test_a_file_that_changed_in_between_is_not_mixed(through_proxy: Deta, proxy: FaultyProxy) -> None:
    drive = through_proxy.Drive("files")
    drive.put("a", noise(3_000_000))
    proxy.faults.append(Fault("cut", 1_000_000))
    with drive.get("a") as body:
        body.read(10)
        drive.put("a", noise(3_000_000, seed=1))
        with pytest.raises(FileChanged):
            body.read()


def test_a_failed_upload_is_aborted_and_leaves_what_was_there(through_proxy: Deta, proxy: FaultyProxy) -> None:
    drive = through_proxy.Drive("files")
    drive.put("a", "before")

    class Broken(io.BytesIO):
        def read(self, size: Optional[int] = -1) -> bytes:
            if self.tell() > 2 * UPLOAD_CHUNK_SIZE:
                raise OSError("the disk is gone")
            return super().read(size)

    with pytest.raises(OSError, match="the disk is gone"):
        drive.put("a", Broken(noise(4 * UPLOAD_CHUNK_SIZE)))
    assert proxy.seen[-1].startswith("DELETE /v1/")
    assert drive.get("a").read() == b"before"

    async def put() -> None:
        async with through_proxy.AsyncDrive("files") as again:
            await again.put("a", Broken(noise(4 * UPLOAD_CHUNK_SIZE)))

    with pytest.raises(OSError, match="the disk is gone"):
        run(put())
    assert drive.get("a").read() == b"before"


def test_put_all_says_what_was_stored_before_it_failed(through_proxy: Deta, proxy: FaultyProxy) -> None:
    db = through_proxy.Base("things")
    items = [{"key": f"k{n:02}"} for n in range(30)] + [{"key": 7}]
    with pytest.raises(BadRequest) as error:
        db.put_all(items)
    assert error.value.processed == items[:25]
    assert db.fetch().count == 25


def test_waits_grow_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    attempts = Attempts(Request("GET", "/x", "a test"), 7)
    waits = [attempts.after(Failure("broken", was_sent=True)) for _ in range(7)]
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8.0]
    with pytest.raises(ConnectionFailed):
        attempts.after(Failure("broken", was_sent=True))
    monkeypatch.undo()
    first = {Attempts(Request("GET", "/x", "a test"), 7).after(Failure("broken", was_sent=True)) for _ in range(20)}
    assert len(first) > 10
    assert max(first) <= 0.2


@pytest.mark.parametrize(
    "header, low, high",
    [("5", 5, 5), ("0", 0, 0.2), ("", 0, 0.2), ("soon", 0, 0.2), ("date", 15, 21)],
)
def test_retry_after_is_heeded(header: str, low: float, high: float) -> None:
    request = Request("GET", "/x", "a test")
    text = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=20)) if header == "date" else header
    wait = Attempts(request, 3).after(Reply(request, 503, {"retry-after": text}, b""))
    assert low <= wait <= high


@pytest.mark.parametrize(
    "error, was_sent",
    [
        (httpx.ConnectError("x"), False),
        (httpx.ConnectTimeout("x"), False),
        (httpx.PoolTimeout("x"), False),
        (httpx.ReadError("x"), True),
        (httpx.ReadTimeout("x"), True),
        (httpx.WriteError("x"), True),
        (httpx.RemoteProtocolError("x"), True),
    ],
)
def test_what_is_known_to_have_stayed_here(error: httpx.RequestError, was_sent: bool) -> None:
    assert describe(error).was_sent is was_sent


def test_many_threads_share_one_client(plain: Deta) -> None:
    db = plain.Base("counter")
    db.put({"n": 0}, "one")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: db.update({"n": db.util.increment()}, "one"), range(80)))
    assert db.get("one")["n"] == 80


def test_a_close_by_one_thread_does_not_end_the_downloads_of_another(plain: Deta) -> None:
    drive, content = plain.Drive("files"), noise(3_000_000)
    drive.put("a", content)
    body = drive.get("a")
    assert body.read(10) == content[:10]
    drive.close()
    assert drive.stat("a").size == len(content)
    assert body.read() == content[10:]


def test_a_forked_process_makes_connections_of_its_own(plain: Deta) -> None:
    import os

    db = plain.Base("things")
    db.put(1, "one")
    child = os.fork()
    if not child:
        os._exit(0 if db.get("one")["value"] == 1 else 1)
    assert db.get("one")["value"] == 1
    assert os.waitpid(child, 0)[1] == 0
    assert db.get("one")["value"] == 1
