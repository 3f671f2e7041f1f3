"""Answers that last: what is written to them comes from elsewhere, a little at a time, for as long as the client stays.

No thread is held by one. Whoever makes it is handed an `Outlet` in the event loop, and writes there when there is something.
"""

from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop
from collections.abc import Iterator
from typing import TYPE_CHECKING

from console.server.answers import Framing

if TYPE_CHECKING:
    from console.server.connection import Connection
    from console.server.exchange import Exchange


class LiveBody(ABC):
    """The body of such an answer. All but `close` and the making of it happens in the event loop.

    Read like any other body it is empty.
    """

    @abstractmethod
    def begin(self, outlet: "Outlet") -> None:
        """The head of the answer was sent: write there from now on."""

    @abstractmethod
    def stop(self) -> None:
        """The server stops: end it now."""

    @abstractmethod
    def close(self) -> None:
        """It is over, by whichever side, or was never begun. It may be said twice."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


class Outlet:
    """Where a live answer is written to."""

    def __init__(
        self, connection: "Connection", exchange: "Exchange", framing: Framing, loop: AbstractEventLoop
    ) -> None:
        self.loop = loop
        self._connection, self._exchange, self._framing = connection, exchange, framing

    def unsent_bytes(self) -> int:
        """How much was written that the client has not taken yet."""
        return self._connection.unsent_bytes()

    def write(self, data: bytes) -> None:
        """Send it, or keep it until the client takes it: look at `unsent_bytes` before."""
        if data:
            self._connection.write_live(self._framing.frame(data))

    def end(self, data: bytes = b"") -> None:
        """End the answer, with this as its last part."""
        self.write(data)
        self._connection.end_live(self._exchange, self._framing)
