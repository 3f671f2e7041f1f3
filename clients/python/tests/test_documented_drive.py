"""What the original documentation shows of Drive in Python, as an app would write it."""

import io
from pathlib import Path

import pytest
from tests.drives import noise

from deta import Deta, Drive
from deta.drive import UPLOAD_CHUNK_SIZE


def test_put_and_get(deta: Deta, tmp_path: Path) -> None:
    drive = deta.Drive("files")
    local = tmp_path / "hello.txt"
    local.write_text("from a file")

    def stored() -> bytes:
        hello = drive.get("hello.txt")
        content = hello.read()
        hello.close()
        return content

    assert drive.put("hello.txt", "Hello world") == "hello.txt"
    assert stored() == b"Hello world"
    drive.put(b"hello.txt", "Hello wörld")
    assert stored() == "Hello wörld".encode()
    drive.put("hello.txt", data="Hello world", content_type="text/x-own")
    assert drive.get("hello.txt").content_type == "text/x-own"
    drive.put("hello.txt", io.StringIO("text stream"))
    assert stored() == b"text stream"
    drive.put("hello.txt", io.BytesIO(b"binary stream"))
    assert stored() == b"binary stream"
    f = local.open("r")
    drive.put("hello.txt", f)
    f.close()
    assert stored() == b"from a file"
    drive.put("hello.txt", path=str(local))
    assert stored() == b"from a file"
    drive.put("hello.txt", path=local)
    assert drive.get("hello.txt").content_type == "text/plain"
    assert drive.get("missing") is None


def test_a_stream_is_closed_when_it_was_stored(plain: Deta) -> None:
    stream = io.BytesIO(b"x")
    plain.Drive("files").put("a", stream)
    assert stream.closed


@pytest.mark.parametrize(
    "size_bytes", [0, 1, UPLOAD_CHUNK_SIZE - 1, UPLOAD_CHUNK_SIZE, UPLOAD_CHUNK_SIZE + 1, UPLOAD_CHUNK_SIZE * 2 + 1000]
)
@pytest.mark.parametrize("kind", ["bytes", "stream"])
def test_files_of_every_size(plain: Deta, size_bytes: int, kind: str) -> None:
    drive, content = plain.Drive("files"), noise(size_bytes)
    drive.put("file", content if kind == "bytes" else io.BytesIO(content))
    body = drive.get("file")
    assert body.size == size_bytes
    assert body.read() == content


def test_a_large_file_in_chunks(deta: Deta, tmp_path: Path) -> None:
    drive, content = deta.Drive("files"), noise(UPLOAD_CHUNK_SIZE * 2 + 1000)
    drive.put("large_file.txt", content)
    large_file = drive.get("large_file.txt")
    with (tmp_path / "large_file.txt").open("wb+") as f:
        for chunk in large_file.iter_chunks(4096):
            f.write(chunk)
        large_file.close()
    assert (tmp_path / "large_file.txt").read_bytes() == content
    assert {len(chunk) for chunk in drive.get("large_file.txt").iter_chunks(UPLOAD_CHUNK_SIZE)} == {
        UPLOAD_CHUNK_SIZE,
        1000,
    }


@pytest.mark.parametrize(
    "text",
    [
        "first line\nSecond line\nLast Line\n",
        "no new lines",
        "different\ranother line\r",
        "",
        "\n\n",
        "x" * 3000 + "\ny",
    ],
)
def test_lines(plain: Deta, text: str) -> None:
    drive = plain.Drive("files")
    drive.put("lines", text)
    expected = text.encode().split(b"\n")
    lines = [line + b"\n" for line in expected[:-1]] + ([expected[-1]] if expected[-1] else [])
    assert list(drive.get("lines").iter_lines()) == lines


def test_read_in_pieces_to_the_end(deta: Deta) -> None:
    drive = deta.Drive("files")
    drive.put("a", "0123456789")
    body = drive.get("a")
    assert [body.read(4), body.read(0), body.read(4), body.read(4), body.read(4), body.read()] == [
        b"0123",
        b"",
        b"4567",
        b"89",
        b"",
        b"",
    ]
    assert not body.closed
    body.close()
    assert body.closed
    assert body.read() == b""


def test_delete(deta: Deta) -> None:
    drive = deta.Drive("files")
    drive.put("hello.txt", "x")
    assert drive.delete("hello.txt") == "hello.txt"
    assert drive.get("hello.txt") is None
    assert drive.delete("hello.txt") == "hello.txt"


def test_delete_many(deta: Deta) -> None:
    drive = deta.Drive("files")
    for name in ("file1.txt", "file2.txt"):
        drive.put(name, "x")
    result = drive.delete_many(["file1.txt", "file2.txt", "folder/"])
    assert result == {"deleted": ["file1.txt", "file2.txt"], "failed": {"folder/": "invalid name"}}


def test_list(deta: Deta) -> None:
    drive = deta.Drive("files")
    for name in ("a", "b", "c/d", "blog/x +%41&?.txt", "/blog/1"):
        drive.put(name, name)
    assert drive.list()["names"] == ["/blog/1", "a", "b", "blog/x +%41&?.txt", "c/d"]
    result = drive.list(limit=2)
    all_files = result.get("names")
    last = result.get("paging", {}).get("last", None)
    while last:
        result = drive.list(limit=2, last=last)
        all_files += result.get("names")
        last = result.get("paging", {}).get("last", None)
    assert all_files == drive.list()["names"]
    assert drive.list(prefix="/blog")["names"] == ["/blog/1"]
    assert drive.list(prefix="blog/x +%41&", limit=100)["names"] == ["blog/x +%41&?.txt"]
    assert drive.list(recursive=False)["names"] == ["/", "a", "b", "blog/", "c/"]


def test_functions_of_the_module(environment: object) -> None:
    drive = Drive("simple_drive")
    drive.put("a", "b")
    assert Deta().Drive("simple_drive").get("a").read() == b"b"
