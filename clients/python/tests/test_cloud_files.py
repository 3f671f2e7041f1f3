"""The oldest interface, `from deta.lib import files`, as its documentation shows it."""

from pathlib import Path

import pytest
from clients.python.tests.conftest import Place
from clients.python.tests.faulty import Fault, FaultyProxy
from tests.drives import noise

from deta import ConnectionFailed, Drive
from deta.lib import files


def test_put_and_get(environment: object, tmp_path: Path) -> None:
    photo, emails = tmp_path / "photo.png", tmp_path / "emails.csv"
    photo.write_bytes(b"\x89PNG\r\n")
    emails.write_text("käse\n")
    files.put("cheese.md", "# Deutscher Käse ist...")
    files.put("notes/day14.txt", "We did...")
    files.put("numbers", b"0123456789")
    with photo.open("rb") as f:
        files.put("photo.png", f)
    with emails.open() as f:
        files.put("emails.csv", f)
    assert files.get("cheese.md").read().decode() == "# Deutscher Käse ist..."
    assert files.get("notes/day14.txt").read() == b"We did..."
    assert files.get("numbers").read(amt=4) == b"0123"
    assert files.get("photo.png").read() == b"\x89PNG\r\n"
    assert files.get("emails.csv").read().decode() == "käse\n"
    assert files.get("missing") is None


def test_list_and_delete(environment: object) -> None:
    assert files.list() == []
    for name in ("notes.md", "notes/a.txt", "notes/september/1.txt"):
        files.put(name, name)
    assert files.list() == ["notes.md", "notes/a.txt", "notes/september/1.txt"]
    assert files.list("notes") == files.list("notes/") == ["notes/a.txt", "notes/september/1.txt"]
    assert files.list("notes/september") == ["notes/september/1.txt"]
    assert files.delete("notes.md") is None
    files.delete("notes/september/1.txt")
    files.delete("missing")
    assert files.list() == ["notes/a.txt"]


def test_list_of_more_than_a_page(environment: object) -> None:
    drive = Drive(files.DRIVE_NAME)
    names = [f"n{n:04}" for n in range(5)]
    for name in names:
        drive.put(name, "")
    assert files.list() == names == [*drive.list_all()]


def test_streaming_body(environment: object) -> None:
    content = noise(3000)
    files.put("a", content)
    body = files.get("a")
    assert (body.next(), next(body)) == (content[:1024], content[1024:2048])
    assert list(body.iter_chunks(chunk_size=500)) == [content[2048:2548], content[2548:]]
    with pytest.raises(StopIteration):
        body.next()
    body.close()
    assert list(files.get("a")) == [content[:1024], content[1024:2048], content[2048:]]
    assert [len(chunk) for chunk in files.get("a").iter_chunks()] == [1024, 1024, 952]


@pytest.mark.parametrize("read_before", [0, 1024])
def test_socket_timeout(
    through_proxy: object, proxy: FaultyProxy, place: Place, monkeypatch: pytest.MonkeyPatch, read_before: int
) -> None:
    monkeypatch.setenv("DETA_PROJECT_KEY", place.key)
    content = noise(3_000_000)
    files.put("a", content)
    # The first answer ends halfway; all that follow never say a thing.
    proxy.faults.extend([Fault("stall", 1_500_000), *[Fault("stall", 0)] * 5])
    body = files.get("a")
    assert body.read(read_before) == content[:read_before]
    body.set_socket_timeout(0.2)
    with pytest.raises(ConnectionFailed, match="ReadTimeout"):
        body.read()
    body.close()
    assert len(proxy.seen) > 3
