"""What runs Micros on this machine, asked over its control socket: a `MicroHost` for every process of the server."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar
from uuid import UUID

import msgspec

from storage import limits
from storage.embedded.micros import calling, sockets
from storage.embedded.micros.places import Places
from storage.embedded.micros.wire import Question, Reply
from storage.errors import HostUnreachable
from storage.micro_host import Answered, Built, Call, Cloned, FaultKind, GitSource, Status, Tried, Wanted

# For what is answered from memory. An installation takes as long as it may, and says something in between or not.
_MOMENT_SECONDS = 5.0
_REST_SECONDS = 60.0

T = TypeVar("T")


class EmbeddedHost:
    """The others say how long an installation, a start and a request may take."""

    def __init__(self, places: Places, *, build_seconds: float, start_seconds: float, request_seconds: float) -> None:
        self._places = places
        self._start_seconds = start_seconds
        # Others may be built before, twice as many as there is time for two.
        self._build_seconds = 4 * build_seconds + _REST_SECONDS
        self._try_seconds = start_seconds + request_seconds + _REST_SECONDS

    def why_off(self) -> str:
        return self._ask(Question("why_off"), str)

    def runtimes(self) -> Sequence[str]:
        return self._ask(Question("runtimes"), list[str], seconds=_REST_SECONDS)

    def statuses(self, micro_ids: Sequence[str]) -> dict[str, Status]:
        found = self._ask(Question("statuses", list(micro_ids)), dict[str, Status])
        return {micro_id: found.get(micro_id, Status()) for micro_id in micro_ids}

    def changed(self, micro_id: str) -> None:
        self._ask(Question("changed", [micro_id]), type(None))

    def stop(self, micro_id: str) -> None:
        self._ask(Question("stop", [micro_id]), type(None))

    def replace(self, micro_id: str) -> None:
        self._ask(Question("replace", [micro_id]), type(None))

    def invoke(self, call: Call, *, meanwhile: Callable[[], None]) -> Answered:
        with self._holding(call.micro_id):
            try:
                answered = calling.call(
                    call,
                    self._places.socket(call.micro_id),
                    self,
                    start_seconds=self._start_seconds,
                    meanwhile=meanwhile,
                )
            except HostUnreachable:
                raise
            except Exception:
                with suppress(HostUnreachable):
                    self._ask(Question("give_up", [call.micro_id]), type(None))
                raise
        if answered.fault is not None and answered.fault.kind is FaultKind.SLOW:
            with suppress(HostUnreachable):
                self.replace(call.micro_id)
        return answered

    def install(self, wanted: Wanted, *, tell: Callable[[str], None]) -> Built:
        return self._ask(Question("install", wanted=wanted), Built, seconds=self._build_seconds, tell=tell)

    def clone(self, source: GitSource, source_id: UUID) -> Cloned:
        question = Question("clone", source=source, source_id=source_id)
        return self._ask(question, Cloned, seconds=self._build_seconds + limits.GIT_SECONDS)

    def try_out(self, wanted: Wanted) -> Tried:
        return self._ask(Question("try_out", wanted=wanted), Tried, seconds=self._try_seconds)

    @contextmanager
    def _holding(self, micro_id: str) -> Iterator[None]:
        """Within it, an instance that is replaced has as long as a run may take to finish. Raises HostUnreachable."""
        replies = self._replies(Question("hold", [micro_id]), _MOMENT_SECONDS)
        try:
            next(replies, None)  # it is held once there is an answer
        except (OSError, msgspec.DecodeError) as error:
            raise HostUnreachable() from error
        try:
            yield
        finally:
            replies.close()

    def _ask(
        self,
        question: Question,
        kind: type[T],
        *,
        seconds: float = _MOMENT_SECONDS,
        tell: Callable[[str], None] = lambda _: None,
    ) -> T:
        """Raises HostUnreachable."""
        try:
            for reply in self._replies(question, seconds):
                if reply.line is not None:
                    tell(reply.line)
                elif reply.error is not None:
                    raise HostUnreachable(HostUnreachable.default, reply.error)
                else:
                    return msgspec.convert(reply.answer, kind)
        except (OSError, msgspec.DecodeError) as error:
            raise HostUnreachable() from error
        raise HostUnreachable()

    def _replies(self, question: Question, seconds: float) -> Generator[Reply]:
        with sockets.connect(self._places.control, seconds=_MOMENT_SECONDS) as connection:
            connection.sendall(msgspec.json.encode(question) + b"\n")
            connection.settimeout(seconds)
            with connection.makefile("rb") as lines:
                for line in lines:
                    yield msgspec.json.decode(line, type=Reply)
