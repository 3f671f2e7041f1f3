"""Bodies that are coming in: what they leave behind, on a full disk and while somebody looks at them."""

import io
from pathlib import Path

import pytest

from console.server.bodies import IncomingBody, Memory
from console.streams import FileBody
from tests.embedded.disks import mounted, needs_small_disk


@needs_small_disk
def test_a_body_that_finds_the_disk_full_can_be_closed(tmp_path: Path) -> None:
    """Else its connection would never end."""
    with mounted(tmp_path, "size=1m"):
        memory = Memory(10_000)
        body = IncomingBody(None, memory=memory, folder=tmp_path)
        body.may_fill_disk = True
        with pytest.raises(OSError, match="No space left"):
            body.add(b"x" * 2_000_000)
        body.close()
        assert memory.take(10_000), "what it took is given back"


def test_a_file_in_memory_is_not_copied(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4_000
    body = IncomingBody(len(content), memory=Memory(2_000_000), folder=tmp_path)
    for start in range(0, len(content), 300_000):
        body.add(content[start : start + 300_000])
    stream = body.open()
    assert isinstance(stream, io.BytesIO)

    length, chunks = FileBody({"CONTENT_LENGTH": str(len(content)), "wsgi.input": stream}).open()

    came = [(type(chunk), bytes(chunk)) for chunk in chunks]
    assert (length, b"".join(chunk for _, chunk in came)) == (len(content), content)
    assert (len(came) > 1, {kind for kind, _ in came}) == (True, {memoryview})
    body.close()
    assert stream.closed, "its memory is free"


def test_a_body_that_somebody_looks_at_can_be_closed(tmp_path: Path) -> None:
    """As the trace of an error does that came while it was sent on."""
    memory = Memory(10)
    body = IncomingBody(10, memory=memory, folder=tmp_path)
    body.add(b"x" * 10)
    _, chunks = FileBody({"CONTENT_LENGTH": "10", "wsgi.input": body.open()}).open()
    looked_at = next(chunks)
    body.close()
    assert (bytes(looked_at), memory.take(10)) == (b"x" * 10, True)
