"""One client who follows a topic: where it has come to, and what it is sent."""

from collections.abc import Hashable

from console.live import events, watcher
from console.live.places import Place
from console.live.rights import Right
from console.live.topics import Batch, Topic
from console.server.live import LiveBody, Outlet
from storage import limits
from storage.errors import StorageError


class Listener(LiveBody):
    """Sent what is new in a topic behind a place, first of all what was read already (`first`).

    One who takes it too slowly is left alone until it has taken what it was sent, and goes on from its own place then: what is
    kept for it is bounded, and nothing is left out.
    """

    def __init__(self, topic: Topic, place: Hashable, right: Right, *, seat: Place, first: bytes) -> None:
        self.topic, self.place, self.right = topic, place, right
        self.sent_bytes = 0
        self.spoke_at = 0.0
        self._seat, self._first = seat, first
        self._outlet: Outlet | None = None

    def begin(self, outlet: Outlet) -> None:
        """See `LiveBody`."""
        self._outlet = outlet
        self._send(self._first)
        self._first = b""
        watcher.of(outlet.loop).join(self)

    def is_ready(self) -> bool:
        """Whether it has taken most of what it was sent."""
        return self._outlet is not None and self._outlet.unsent_bytes() < limits.STREAM_UNSENT_BYTES

    def take(self, batch: Batch) -> None:
        """Send what is new behind its place."""
        self.place = batch.place
        self._send(batch.text)

    def beat(self, now: float) -> None:
        """Give a sign of life where nothing was sent for long."""
        if now - self.spoke_at >= limits.STREAM_BEAT_SECONDS and self.is_ready():
            self._send(events.beat(str(self.place)))

    def refuse(self, error: StorageError) -> None:
        """End it, and say why."""
        if self._outlet is not None:
            self._outlet.end(events.ending(error))

    def stop(self) -> None:
        """See `LiveBody`. The client comes again by itself."""
        if self._outlet is not None:
            self._outlet.end()

    def close(self) -> None:
        """See `LiveBody`."""
        self._seat.give_back()
        if self._outlet is not None:
            watcher.of(self._outlet.loop).leave(self)

    def _send(self, data: bytes) -> None:
        if data and self._outlet is not None:
            self.spoke_at = self._outlet.loop.time()
            self.sent_bytes += len(data)
            self._outlet.write(data)
