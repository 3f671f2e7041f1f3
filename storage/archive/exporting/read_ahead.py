"""Reads ahead in another thread while the earlier pieces are processed."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")


def read_ahead(pieces: Generator[Piece, None, None], most: int) -> Generator[Piece, None, None]:
    """The pieces in their order, of which another thread takes up to `most` before they are wanted.

    An error comes where its piece would have come. Always `close` it, or let it end: `pieces` is closed with it.
    """
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as thread:
        coming = deque(thread.submit(next, pieces, end) for _ in range(most))
        try:
            while (piece := coming.popleft().result()) is not end:
                coming.append(thread.submit(next, pieces, end))
                yield piece  # type: ignore[misc]
        finally:
            for each in coming:
                each.cancel()
            thread.submit(pieces.close).result()
