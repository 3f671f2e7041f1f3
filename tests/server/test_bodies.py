"""Bodies that are coming in, where the disk that they go to is full."""

from pathlib import Path

import pytest

from console.server.bodies import IncomingBody, Memory
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
