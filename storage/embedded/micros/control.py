"""Answers those who ask what runs Micros: one question a connection, each a line of JSON, over a socket that is ours alone.

Its other side is `client.py`.
"""

import asyncio
import logging
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import msgspec

from storage.embedded.micros import sockets
from storage.embedded.micros.builds import Builds
from storage.embedded.micros.supervisor import Supervisor
from storage.embedded.micros.wire import Question
from storage.micro_host import Built, Cloned, Fault, FaultKind, State, Status, Tried

logger = logging.getLogger(__name__)

QUESTION_MAX_BYTES = 1_048_576
_BACKLOG = 256

Tell = Callable[[str], None]


class Control:
    """Of a supervisor that runs Micros on this machine. `list_runtimes` is called in a thread."""

    def __init__(self, supervisor: Supervisor, builds: Builds, *, list_runtimes: Callable[[], list[str]]) -> None:
        self._supervisor, self._builds, self._list_runtimes = supervisor, builds, list_runtimes

    async def serve(self, path: Path) -> asyncio.AbstractServer:
        """Answer there until what is returned is closed, which the caller keeps. Raises OSError."""
        listening = sockets.listen(path, backlog=_BACKLOG)
        return await asyncio.start_unix_server(self._answer, sock=listening, limit=QUESTION_MAX_BYTES)

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            question = msgspec.json.decode(await reader.readline(), type=Question)
            answering = asyncio.ensure_future(self._find(question, lambda line: _send_line(writer, line)))
            # Whoever asked and is gone needs no installation any more.
            gone = asyncio.ensure_future(reader.read(1))
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if not answering.done():
                answering.cancel()
            with suppress(asyncio.CancelledError):
                writer.write(msgspec.json.encode({"answer": await answering}) + b"\n")
                await writer.drain()
        except (OSError, msgspec.DecodeError, ValueError):
            pass
        except Exception as error:
            logger.exception("A question could not be answered")
            with suppress(OSError):
                writer.write(msgspec.json.encode({"error": str(error)}) + b"\n")
        finally:
            writer.close()

    async def _find(self, question: Question, tell: Tell) -> Any:
        """Raises ValueError for a question that is incomplete."""
        match question.ask:
            case "why_off":
                return ""
            case "runtimes":
                return await asyncio.get_running_loop().run_in_executor(None, self._list_runtimes)
            case "statuses":
                return self._supervisor.statuses(question.micro_ids)
            case "changed":
                return self._supervisor.changed()
            case "stop" | "replace" | "give_up":
                for micro_id in question.micro_ids:
                    getattr(self._supervisor, question.ask)(micro_id)
                return None
            case "clone" if question.source and question.source_id:
                return await self._builds.clone(question.source, question.source_id)
            case "hold":
                return await self._hold(question.micro_ids, tell)
        if question.wanted is None:
            raise ValueError("Nothing to build")
        if question.ask == "try_out":
            return await self._builds.try_out(question.wanted)
        return await self._builds.install(question.wanted, tell=tell)

    async def _hold(self, micro_ids: Sequence[str], tell: Tell) -> None:
        """Hold them until whoever asked closes the connection, or this process ends."""
        with ExitStack() as held:
            for micro_id in micro_ids:
                held.enter_context(self._supervisor.holding(micro_id))
            tell("held")
            await self._supervisor.until_over()


class ControlWhenOff(Control):
    """Where no Micro can run: it says why."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def _find(self, question: Question, tell: Tell) -> Any:
        fault = Fault(FaultKind.OFF, self._why)
        match question.ask:
            case "why_off":
                return self._why
            case "runtimes":
                return []
            case "statuses":
                return {micro_id: Status(State.FAILED, fault=fault) for micro_id in question.micro_ids}
            case "install":
                return Built(is_done=False, reason=self._why)
            case "clone":
                return Cloned(is_done=False, reason=self._why)
            case "try_out":
                return Tried(fault=fault)
        return None


def _send_line(writer: StreamWriter, line: str) -> None:
    if not writer.is_closing():
        writer.write(msgspec.json.encode({"line": line}) + b"\n")
