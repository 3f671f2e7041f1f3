"""Bodies on their way in: what of their framing is refused, and what they take of memory."""

import tracemalloc
from pathlib import Path

import httptools
import pytest

from console.server.bodies import IncomingBody, Memory, NoRoom
from console.server.chunks import Chunks

MB = 1_048_576


def make_body(folder: Path, *, memory_bytes: int = MB) -> IncomingBody:
    return IncomingBody(None, memory=Memory(memory_bytes), folder=folder)


def feed(chunks: Chunks, data: bytes, step: int) -> None:
    for start in range(0, len(data), step):
        chunks.feed(data[start : start + step])


@pytest.mark.parametrize("step", [1, 7, 1000])
@pytest.mark.parametrize(
    "data, more",
    [
        (b"5\r\nhello\r\n0\r\n\r\n", False),
        (b"2\r\nhe\r\n00003;a=b;c\r\nllo\r\n0;d\r\n\r\n", False),
        (b"5\r\nhello\r\n0\r\nX: y\r\nUpgrade: h2c\r\n\r\n", False),
        (b"5\r\nhello\r\n0\r\n\r\nPUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\nworld", True),
        (b"5\r\nhello\r\n0\r\n\r\n\x00\xff", True),
    ],
)
def test_chunks_are_taken_out_of_their_frames(tmp_path: Path, data: bytes, more: bool, step: int) -> None:
    body = make_body(tmp_path)
    chunks = Chunks(body)
    feed(chunks, data, step)

    assert (body.open().read(), body.got, chunks.is_whole) == (b"hello", 5, True)
    assert chunks.has_more or not more


@pytest.mark.parametrize("step", [1, 1000])
@pytest.mark.parametrize(
    "data",
    [
        b"5\nhello\r\n0\r\n\r\n",
        b"5;a\nhello\r\n0\r\n\r\n",
        b"5;a\rb\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhelloworld\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\n\n",
        b"5\r\nhello\r\n0\r\nX: y\n\r\n",
        b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"5\r\nhello\r\n0\r\nContent-Length: 1\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"0_5\r\nhello\r\n0\r\n\r\n",
        b"10000000000000005\r\nhello\r\n0\r\n\r\n",
        b"\r\nhello",
    ],
)
def test_frames_that_could_be_read_in_two_ways_are_refused(tmp_path: Path, data: bytes, step: int) -> None:
    chunks = Chunks(make_body(tmp_path))
    with pytest.raises(httptools.HttpParserError):
        feed(chunks, data, step)

    assert not chunks.is_whole


def test_very_many_tiny_chunks_take_as_much_memory_as_is_counted(tmp_path: Path) -> None:
    """Kept one by one, two bytes took more than fifty: what may be 64 MB came to nearly two gigabytes."""
    body = make_body(tmp_path)
    chunks = Chunks(body)
    tracemalloc.start()
    try:
        for _ in range(100):
            chunks.feed(b"2\r\nab\r\n" * 1_000)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert body.got == 200_000
    assert taken < 2 * body.got


def test_what_is_no_content_takes_no_memory(tmp_path: Path) -> None:
    for start, rest in [(b"5;a=", b"b"), (b"0\r\nX: ", b"y"), (b"0\r\n", b"X: y\r\n")]:
        chunks = Chunks(make_body(tmp_path))
        chunks.feed(start)
        tracemalloc.start()
        try:
            for _ in range(100):
                chunks.feed(rest * 10_000)
            taken, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert taken < 100_000


def test_a_body_for_which_there_is_no_memory_goes_to_a_file_and_gives_back_what_it_took(tmp_path: Path) -> None:
    memory = Memory(10)
    body, other = (IncomingBody(None, memory=memory, folder=tmp_path) for _ in range(2))
    body.may_fill_disk = True
    for piece in (b"hello", b" wor", b"ld, how", b" are you"):
        body.add(piece)

    assert memory.take(10)
    for _ in range(2):  # the application may be asked twice
        assert body.open().read() == b"hello world, how are you"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NoRoom):
        other.add(b"x")
    body.close()
    memory.give_back(10)
    other.add(b"x" * 10)
    assert not memory.take(1)
    other.close()
    assert memory.take(10)
