"""Answers those who ask what runs Micros: one question a connection, each a line of JSON, over a socket that is ours alone.

Its other side is `client.py`.
"""

import asyncio
import logging
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from storage.embedded.micros import sockets
from storage.embedded.micros.builds import Builds
from storage.embedded.micros.supervisor import Supervisor
from storage.embedded.micros.wire import Question

logger = logging.getLogger(__name__)

QUESTION_MAX_BYTES = 1_048_576
_BACKLOG = 256


class Control:
    """`why_off` and `runtimes` were found out when the supervisor started."""

    def __init__(
        self, supervisor: Supervisor | None, builds: Builds | None, *, why_off: str, runtimes: list[str]
    ) -> None:
        self._supervisor, self._builds = supervisor, builds
        self._why_off, self._runtimes = why_off, runtimes

    async def serve(self, path: Path) -> asyncio.AbstractServer:
        """Answer there from now on. Raises OSError."""
        listening = sockets.listen(path, backlog=_BACKLOG)
        return await asyncio.start_unix_server(self._answer, sock=listening, limit=QUESTION_MAX_BYTES)

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            question = msgspec.json.decode(await reader.readline(), type=Question)
            answering = asyncio.ensure_future(self._find(question, writer))
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

    async def _find(self, question: Question, writer: StreamWriter) -> Any:
        asked = question.ask
        if asked == "why_off":
            return self._why_off
        if asked == "runtimes":
            return self._runtimes
        if self._supervisor is None or self._builds is None:
            return {} if asked == "statuses" else None
        if asked == "statuses":
            return self._supervisor.statuses(question.micro_ids)
        if asked in ("changed", "stop", "replace"):
            getattr(self._supervisor, asked)(question.micro_ids[0])
            return None
        if question.wanted is None:
            raise ValueError("Nothing to build")
        if asked == "try_out":
            return await self._builds.try_out(question.wanted)
        return await self._builds.install(question.wanted, tell=lambda line: _send_line(writer, line))


def _send_line(writer: StreamWriter, line: str) -> None:
    if not writer.is_closing():
        writer.write(msgspec.json.encode({"line": line}) + b"\n")
