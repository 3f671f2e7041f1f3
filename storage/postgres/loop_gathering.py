"""Works on requests in an event loop, and sends together what they ask of Postgres at one moment.

All that came in one turn of the loop are worked on in turns, as a thread does with several (`gathering.py`), but for nobody the
loop waits: what they ask goes out when all have asked, and each goes on when the loop is told of the answer. No thread is called,
and none takes its turn at the interpreter, which costs more than all the work of a short answer.

What would have to be waited for begins again in a thread (`engine_waits.MustWait`): where no connection is free, a statement that
failed among others, one that has waited behind others for too long.
"""

import logging
import select
from asyncio import AbstractEventLoop, TimerHandle
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar, cast

from greenlet import getcurrent, greenlet
from psycopg import Error

from storage.postgres.connections import Connection, pool
from storage.postgres.deadlines import begin_wait, end_wait
from storage.postgres.gathering import (
    QUERIES,
    READS,
    TRIES,
    WRITES,
    Asked,
    Member,
    Outcome,
    Said,
    wait_briefly,
)
from storage.postgres.sending import Message, NotTogether

logger = logging.getLogger(__name__)

T = TypeVar("T")

# How many requests are begun before the loop looks at its clients again.
_AT_ONCE = 32
# By purpose (`gathering.py`): how many messages are on their way at once, and how many statements each has.
_MESSAGES = {READS: (2, 32), WRITES: (4, 32), QUERIES: (2, 8)}
# How long a statement waits for its turn behind others, before its request goes to a thread.
_PATIENCE_SECONDS = 0.25
# How long a connection is kept that is not used.
_KEPT_SECONDS = 0.1
# How many requests have a greenlet that is there already: each has some memory of its own, which is asked of the system.
_MEMBERS_KEPT = 64


class _LoopMember(Member):
    """Works on one request after the other; `hear` gets what the present one comes to."""

    is_in_loop = True
    hear: Callable[[Any], None]


def _work_on(work: Callable[[], Any]) -> None:
    """What a member does: works on requests, and tells its parent what each comes to."""
    parent = cast(greenlet, getcurrent().parent)
    while True:
        work = parent.switch(work())


class LoopGathering:
    """What an event loop works on. Everything here happens in it."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self._begun: deque[tuple[Callable[[], Any], Callable[[Any], None]]] = deque()
        self._is_called = False
        self._lanes = {purpose: _Lane(self, *most) for purpose, most in _MESSAGES.items()}
        self._free: list[_LoopMember] = []
        # uvloop gives up a socket that has an error, and tells nobody. One that watches others never has one.
        self._watched = select.epoll()
        self._lines: dict[int, _Line] = {}
        loop.add_reader(self._watched.fileno(), self._look_at_sockets)

    def add(self, work: Callable[[], T], hear: Callable[[T], None]) -> None:
        """Have it done, once the loop has read all that came; `hear` gets what it comes to. It may not raise."""
        self._begun.append((work, hear))
        if not self._is_called:
            self._is_called = True
            self.loop.call_soon(self._begin)

    def watch(self, line: "_Line", *, until_sent: bool = False) -> None:
        """Tell the line when its socket has something, or `until_sent` takes something."""
        events = select.EPOLLIN | (select.EPOLLOUT if until_sent else 0)
        if line.socket in self._lines:
            self._watched.modify(line.socket, events)
        else:
            self._watched.register(line.socket, events)
            self._lines[line.socket] = line

    def forget(self, line: "_Line") -> None:
        """Tell it no more. Its socket may be closed already."""
        if self._lines.pop(line.socket, None) is not None:
            with suppress(OSError):
                self._watched.unregister(line.socket)

    def _look_at_sockets(self) -> None:
        for number, events in self._watched.poll(0):
            line = self._lines.get(number)
            if line is not None:
                line.go_on(events)

    def waiting(self) -> int:
        """How many have not got their answer from the database."""
        return len(self._begun) + sum(len(lane.asked) for lane in self._lanes.values())

    def _begin(self) -> None:
        for _ in range(min(len(self._begun), _AT_ONCE)):
            work, hear = self._begun.popleft()
            member = self._free.pop() if self._free else _LoopMember(_work_on)
            member.hear = hear
            self._hear(member, member.switch(work))
        self._is_called = bool(self._begun)
        if self._is_called:
            self.loop.call_soon(self._begin)
        self.send()

    def send(self) -> None:
        """Send what was asked, as far as it is its turn."""
        for lane in self._lanes.values():
            if lane.asked:
                lane.send()

    def go_on(self, member: Any, outcome: Outcome) -> None:
        """Work on a request until it asks, or has ended."""
        self._hear(member, member.throw(outcome) if isinstance(outcome, BaseException) else member.switch(outcome))

    def _hear(self, member: _LoopMember, said: Any) -> None:
        if type(said) is Asked:
            self._lanes[said.purpose].asked.append(said)
            return
        try:
            member.hear(said)
        except Exception:
            # The others are not to wait for ever.
            logger.exception("What a request came to could not be handed over")
        if len(self._free) < _MEMBERS_KEPT:
            self._free.append(member)


class _Lane:
    """What has the same purpose. Its connections are kept while they are used."""

    def __init__(self, gathering: LoopGathering, most_messages: int, most_statements: int) -> None:
        self.gathering, self.loop = gathering, gathering.loop
        self.asked: deque[Asked] = deque()
        self.idle: list[_Line] = []
        # What the messages on their way write.
        self.written: set[Any] = set()
        self.on_their_way = 0
        self._most_messages, self._most_statements = most_messages, most_statements
        self._hurrying: TimerHandle | None = None
        self._looking: TimerHandle | None = None

    def send(self) -> None:
        """Send what is here, unless enough is on its way."""
        while self.on_their_way < self._most_messages and (taken := self._take()):
            line = self._line()
            if line is None:
                away = [*taken, *self.asked]
                self.asked.clear()
                self.send_away(away)
                return
            line.send(taken)
        if self.asked and self._hurrying is None:
            self._hurrying = self.loop.call_later(_PATIENCE_SECONDS, self._hurry)

    def _line(self) -> "_Line | None":
        """A connection, where there is one that nobody has to open."""
        while self.idle:
            line = self.idle.pop()
            if not line.connection.has_hung_up():
                return line
            line.leave()
        connection = pool.take_idle()
        if connection is None:
            return None
        if self._looking is None:
            self._looking = self.loop.call_later(_KEPT_SECONDS, self._look)
        return _Line(self, connection)

    def _look(self) -> None:
        """Give back the connections that nobody has used lately."""
        late = monotonic() - _KEPT_SECONDS
        for line in self.idle[:]:
            if line.used_at <= late:
                self.idle.remove(line)
                line.leave()
        is_used = self.idle or self.on_their_way
        self._looking = self.loop.call_later(_KEPT_SECONDS, self._look) if is_used else None

    def _take(self) -> list[Asked]:
        """The next ones that may be in one message. What writes is there in the order of keys, and each item once, and not before
        another write of it has ended.
        """
        taken, kept = dict[Any, Asked](), list[Asked]()
        while self.asked and len(taken) < self._most_statements:
            each = self.asked.popleft()
            place = each.writes or len(taken)
            if place in taken or place in self.written:
                kept.append(each)
            else:
                taken[place] = each
        self.asked.extendleft(reversed(kept))
        return [taken[place] for place in sorted(taken)]

    def send_again(self, asked: list[Asked]) -> None:
        """These were sent in vain, because of another: before all others they are sent without it."""
        for each in asked:
            each.tries += 1
        self.asked.extendleft(reversed([each for each in asked if each.tries < TRIES]))
        self.send_away([each for each in asked if each.tries >= TRIES])

    def send_away(self, asked: list[Asked]) -> None:
        """To a thread."""
        for each in asked:
            each.budget.left -= monotonic() - each.asked_at
            self.gathering.go_on(each.member, None)

    def _hurry(self) -> None:
        self._hurrying = None
        late = monotonic() - _PATIENCE_SECONDS
        waited = [each for each in self.asked if each.asked_at <= late]
        if waited:
            self.asked = deque(each for each in self.asked if each.asked_at > late)
            self.send_away(waited)
        self.send()


class _Line:
    """A connection of a lane, and the message that is on its way on it."""

    def __init__(self, lane: _Lane, connection: Connection) -> None:
        self.connection, self.used_at = connection, 0.0
        self._lane, self.socket = lane, connection.pgconn.socket
        self._message: Message | None = None
        self._asked: list[Asked] = []
        lane.gathering.watch(self)

    def leave(self) -> None:
        """Give the connection back."""
        self._lane.gathering.forget(self)
        pool.give_back(self.connection)

    def send(self, asked: list[Asked]) -> None:
        """Send it, without those whose values can't be sent."""
        lane = self._lane
        first = [wait_briefly()] if asked[0].writes is not None else []
        lonely = list[Asked]()
        message = None
        while asked and message is None:
            try:
                message = Message(self.connection, [*first, *(each.statement for each in asked)])
            except NotTogether as failed:
                lonely.append(asked.pop((failed.place or 0) - len(first)))
        if message is None:
            lane.idle.append(self)
        else:
            self._message, self._asked, self._first = message, asked, len(first)
            now = self.used_at = monotonic()
            left = self.connection.answer_seconds
            for each in asked:
                budget = each.budget
                budget.left -= now - each.asked_at
                each.asked_at = now
                if budget.left < left:
                    left = budget.left
            lane.on_their_way += 1
            lane.written.update([each.writes for each in asked])
            self._wait = begin_wait(self.connection.pgconn, now + left)
            try:
                message.begin()
                if not message.is_sent():
                    lane.gathering.watch(self, until_sent=True)
            except Error as error:
                self._end(error)
        if lonely:
            lane.send_away(lonely)

    def go_on(self, events: int) -> None:
        """Its socket has something, or takes something."""
        if events & select.EPOLLOUT and self._message is not None:
            try:
                if self._message.is_sent():
                    self._lane.gathering.watch(self)
            except Error as error:
                self._end(error)
                return
        if events & ~select.EPOLLOUT:
            self._read()

    def _read(self) -> None:
        if self._message is None:
            # Nothing was asked: most likely the server says goodbye.
            if self.connection.has_hung_up():
                self._lane.idle.remove(self)
                self.leave()
            return
        try:
            if self._message.take_in():
                self._end(None)
        except Error as error:
            self._end(error)

    def _end(self, error: Error | None) -> None:
        lane, asked, message = self._lane, self._asked, cast(Message, self._message)
        self._message, self._asked = None, []
        lane.on_their_way -= 1
        lane.written.difference_update([each.writes for each in asked])
        seconds = monotonic() - self.used_at
        outcomes: list[Outcome] = [error] * len(asked)
        again, lonely = list[Asked](), list[Asked]()
        if error is not None:
            lane.gathering.forget(self)
            message.give_up()
        end_wait(self._wait)
        try:
            if error is None:
                outcomes = [Said(each, seconds) for each in message.read()[self._first :]]
        except NotTogether as failed:
            place = -1 if failed.place is None else failed.place - self._first
            asked, again, outcomes = [], asked, []
            if place >= 0:
                lonely.append(again.pop(place))
            else:
                again, lonely = [], again
        except Exception as late:
            outcomes = [late] * len(asked)
        if self.connection.closed or self.connection.is_read_only or pool.is_wanted():
            self.leave()
        else:
            lane.idle.append(self)
        if again:
            lane.send_again(again)
        lane.gathering.send()
        for each, outcome in zip(asked, outcomes, strict=True):
            each.budget.left -= seconds
            lane.gathering.go_on(each.member, outcome)
        if lonely:
            lane.send_away(lonely)
        lane.gathering.send()
