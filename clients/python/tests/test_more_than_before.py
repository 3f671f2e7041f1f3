"""What the original client did not have: iterators over everything, puts of any number, progress, parallel parts."""

import io
import threading
import time
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, Optional

import pytest
from clients.python.tests.faulty import FaultyProxy
from tests.drives import noise
from tests.waiting import MOMENT_SECONDS

from deta import Deta, FileChanged, FileStat, InvalidType, KeyExists, NotFound, ResponseError
from deta.drive import UPLOAD_CHUNK_SIZE
from tests import awaiting


def test_put_all_and_fetch_all(deta: Deta) -> None:
    db = deta.Base("many")
    items = [{"key": f"k{n:04}", "odd": bool(n % 2)} for n in range(1060)]
    result = db.put_all(iter(items), expire_in=600)
    assert [item["key"] for item in result["processed"]["items"]] == [item["key"] for item in items]
    assert "failed" not in result
    found = db.fetch_all()
    assert next(found)["key"] == "k0000"
    assert sum(1 for _ in found) == 1059
    assert [item["key"] for item in db.fetch_all({"odd": True}, desc=True)][:2] == ["k1059", "k1057"]


def test_put_all_of_nothing_and_of_one_key_twice(plain: Deta) -> None:
    db = plain.Base("many")
    assert db.put_all([]) == {"processed": {"items": []}}
    db.put_all([{"key": "a", "n": 1}, {"key": "b"}, {"key": "a", "n": 2}])
    assert db.get("a")["n"] == 2
    assert db.put_all([{"key": "x", "": 1}]) == {"processed": {"items": []}, "failed": {"items": [{"key": "x", "": 1}]}}


def test_history_and_items_as_they_were(deta: Deta) -> None:
    db = deta.Base("kept")
    db.put({"n": 1}, "a b/+c")
    db.put({"n": 2}, "a b/+c")
    page = db.history("a b/+c", limit=1)
    assert (page.count, page.versions[0]["before"]) == (1, {"key": "a b/+c", "n": 1})
    [first] = db.history("a b/+c", last=page.last).versions
    assert (first["before"], first["after"]) == (None, {"key": "a b/+c", "n": 1})
    for moment in (first["at"], datetime.fromtimestamp(first["at"], timezone.utc), datetime.fromtimestamp(first["at"])):
        assert db.fetch({"key?pfx": "a"}, as_of=moment).items == [first["after"]]
        assert [*db.fetch_all(as_of=moment)] == [first["after"]]
    assert db.fetch(as_of=first["at"] - 0.001).items == []
    with pytest.raises(ResponseError) as error:
        db.fetch(as_of=0)
    assert error.value.status == 410
    with pytest.raises(InvalidType):
        db.fetch(as_of="now")  # type: ignore[arg-type]

    async def ask() -> None:
        async with deta.AsyncBase("kept") as same:
            assert (await same.history("a b/+c")).versions == [page.versions[0], first]
            assert (await same.fetch(as_of=first["at"])).items == [first["after"]]
            assert [item async for item in same.fetch_all(as_of=first["at"])] == [first["after"]]

    awaiting.run(ask())


def test_list_all(deta: Deta, monkeypatch: pytest.MonkeyPatch) -> None:
    drive = deta.Drive("files")
    names = sorted(f"{folder}/{n}" for folder in "ab" for n in range(4))
    for name in names:
        drive.put(name, "")
    assert [*drive.list_all()] == names
    assert [*drive.list_all("b/")] == names[4:]
    assert [*drive.list_all(recursive=False)] == ["a/", "b/"]


def test_stat(deta: Deta) -> None:
    drive = deta.Drive("files")
    drive.put("a.txt", "hello")
    stat = drive.stat("a.txt")
    assert isinstance(stat, FileStat)
    assert (stat.name, stat.size, stat.content_type) == ("a.txt", 5, "text/plain")
    assert stat.etag
    assert abs(stat.last_modified.timestamp() - time.time()) < 3600
    assert drive.stat("missing") is None


def test_the_rest_of_a_file_is_fetched_while_it_is_the_same_file(deta: Deta) -> None:
    drive = deta.Drive("files")
    drive.put("a.txt", "hello")
    etag = drive.stat("a.txt").etag
    with drive.get_rest("a.txt", offset=2, etag=etag) as body:
        assert (body.read(), body.size) == (b"llo", 5)
    with drive.get_rest("a.txt", offset=0, etag=etag) as body:
        assert body.read() == b"hello"
    drive.put("a.txt", "HELLO")
    with pytest.raises(FileChanged):
        drive.get_rest("a.txt", offset=2, etag=etag)
    assert drive.get_rest("missing", offset=2, etag=etag) is None


def test_the_rest_of_a_file_is_fetched_asynchronously_too(deta: Deta) -> None:
    async def fetch() -> bytes:
        drive = deta.AsyncDrive("files")
        await drive.put("a.txt", "hello")
        stat = await drive.stat("a.txt")
        async with await drive.get_rest("a.txt", offset=2, etag=stat.etag) as body:
            rest: bytes = await body.read()
        with pytest.raises(FileChanged):
            await drive.get_rest("a.txt", offset=2, etag='"another"')
        await drive.close()
        return rest

    assert awaiting.run(fetch()) == b"llo"


def note(told: list[tuple[int, object]], done: int, of: Optional[int]) -> None:
    told.append((done, of))


def test_progress_is_told_with_the_total_where_it_is_known(plain: Deta, tmp_path: Path) -> None:
    drive, content = plain.Drive("files"), noise(2 * UPLOAD_CHUNK_SIZE + 10)
    local = tmp_path / "file"
    local.write_bytes(content)
    text = io.StringIO("ä" * (UPLOAD_CHUNK_SIZE // 2 + 1))
    for data, total in ((content, len(content)), (io.BytesIO(content), len(content)), (text, None)):
        told: list[tuple[int, object]] = []
        drive.put("a", data, progress=partial(note, told))
        assert told[-1] == (len(content) if total else UPLOAD_CHUNK_SIZE + 2, total)
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        assert {of for _, of in told} == {total}
    told = []
    drive.put("a", path=local, progress=lambda *step: told.append(step))
    assert told[-1] == (len(content), len(content))
    told.clear()
    drive.put("a", "short", progress=lambda *step: told.append(step))
    assert told == [(5, 5)]


def test_an_error_in_the_callback_ends_the_upload(plain: Deta) -> None:
    drive = plain.Drive("files")

    def stop(*_: object) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        drive.put("a", noise(3 * UPLOAD_CHUNK_SIZE), progress=stop)
    assert drive.stat("a") is None


@pytest.mark.parametrize("parallel", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_memory_is_bounded_by_the_parts_under_way(plain: Deta, parallel: int) -> None:
    """A stream is read no further ahead than parts are sent."""
    sent, most = [0], [0]

    class Counted(io.BytesIO):
        def read(self, size: Optional[int] = -1) -> bytes:
            piece = super().read(size)
            most[0] = max(most[0], self.tell() - sent[0])
            return piece

    content = noise(8 * UPLOAD_CHUNK_SIZE)
    plain.Drive("files").put(
        "a", Counted(content), parallel=parallel, progress=lambda done, _: sent.__setitem__(0, done)
    )
    assert most[0] <= (parallel + 2) * UPLOAD_CHUNK_SIZE
    assert plain.Drive("files").stat("a").size == len(content)


def test_parts_go_side_by_side(through_proxy: Deta, proxy: FaultyProxy) -> None:
    """Four parts meet on the way: none goes on before all have come."""
    meeting = threading.Barrier(4, timeout=MOMENT_SECONDS)
    handler: Any = proxy._server.RequestHandlerClass
    pass_on = handler.pass_on

    def wait_for_the_others(self: Any, body: bytes, fault: object) -> None:
        if "/parts" in self.path:
            meeting.wait()
        pass_on(self, body, fault)

    handler.pass_on = wait_for_the_others
    content = noise(4 * UPLOAD_CHUNK_SIZE)
    through_proxy.Drive("files").put("a", content, parallel=4)
    assert through_proxy.Drive("files").get("a").read() == content


def test_small_files_take_one_request(through_proxy: Deta, proxy: FaultyProxy) -> None:
    through_proxy.Drive("files").put("a", io.BytesIO(noise(UPLOAD_CHUNK_SIZE)))
    assert len(proxy.seen) == 1


def test_errors_say_what_the_server_said(deta: Deta) -> None:
    db = deta.Base("things")
    db.put(1, "one")
    with pytest.raises(KeyExists) as taken:
        db.insert(2, "one")
    assert (taken.value.status, taken.value.errors) == (409, ("Key already exists",))
    assert 'insert into Base "things"' in str(taken.value)
    with pytest.raises(NotFound) as missing:
        db.update({"a": 1}, "two")
    assert missing.value.errors == ("Key not found",)


def test_a_client_can_be_used_again_after_it_was_closed(deta: Deta) -> None:
    with deta.Base("things") as db:
        db.put(1, "one")
    db.client.close()
    assert db.get("one")["value"] == 1


def test_connections_are_kept(through_proxy: Deta, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    accept = proxy._server.get_request
    monkeypatch.setattr(proxy._server, "get_request", lambda: made.append(1) or accept())
    db, drive = through_proxy.Base("things"), through_proxy.Drive("files")
    for n in range(5):
        db.put(n, "one")
        db.get("one")
        drive.put("a", noise(2_000_000))
        drive.get("a").read()
        body = drive.get("a")
        body.read(2_000_000)
    assert len(made) == 1
