"""`deta dev`: run an app here as a Micro would run there, with a key that ends with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional, Union

import click

from deta.cli import collections, project
from deta.cli.dev import keys, processes, spacefile, surroundings
from deta.cli.dev.router import Router
from deta.cli.errors import CliError
from deta.cli.options import open_server
from deta.cli.says import warn

_HOST = "localhost"


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: deta dev -- uvicorn main:app --reload --port 4200",
)
@click.option("--server", "server_url", metavar="URL", help="The server to speak to.")
@collections.with_project
@click.option("--port", type=click.IntRange(1, 65_535), help="The app's port; without it a free one from 4200 on.")
@click.argument("command_line", metavar="[--] [COMMAND]...", nargs=-1, type=click.UNPROCESSED)
def command(
    server_url: Optional[str], project: Optional[str], port: Optional[int], command_line: tuple[str, ...]
) -> None:
    """Run COMMAND with what an app finds in a Micro: PORT, a data key made for it, the server's addresses and certificate.

    What you have set yourself stays as it is. The key is revoked when the command ends. Without COMMAND the micros of the
    folder's Spacefile are run, each with its `dev` command, behind one port with their routes.
    """
    folder = Path.cwd()
    parts = None if command_line else spacefile.read(folder)
    if not command_line and parts is None:
        raise click.UsageError(
            "Say what to run, as in: deta dev -- python main.py. Without a command a Spacefile is run."
        )
    chosen_port = port or int(_set_port() or surroundings.free_port())
    with processes.heeding_signals() as signals:
        try:
            with _surroundings(folder, server_url, project) as more:
                if parts is None:
                    code = _run_one(command_line, {**more, "PORT": str(chosen_port)}, port, signals)
                else:
                    code = _run_all(parts, more, chosen_port, signals)
        except processes.Asked as asked:
            code = 128 + asked.number
    sys.exit(code)


def _set_port() -> str:
    """What the person has set as PORT, if that can be one."""
    given = os.environ.get("PORT", "")
    return given if given.isdigit() and 0 < int(given) <= 65_535 else ""


@contextlib.contextmanager
def _surroundings(folder: Path, server_url: Optional[str], said: Optional[str]) -> Iterator[dict[str, str]]:
    """What an app is to find, with a key as long as the block lasts. Who has set a key of their own gets no other."""
    state = project.find(folder)
    own = os.environ.get("DETA_PROJECT_KEY")
    with open_server(server_url, noted=state.server if state else None) as server:
        if own:
            yield surroundings.variables(server.url, keys.own(server, own))
            return
        if state is not None and said is None and state.server == server.url:
            collection_id = state.collection_id
        else:
            collection_id = str(collections.find(server, said)["id"])
        with keys.lent(server, collection_id) as key:
            warn(f"A development key for the collection {collection_id} was made. It is revoked when this ends.")
            yield surroundings.variables(server.url, key)


def _run_one(
    command_line: tuple[str, ...], more: dict[str, str], port: Optional[int], signals: processes.Signals
) -> int:
    # Quoted as a whole it is for the shell, which fills $PORT in.
    line: Union[str, tuple[str, ...]] = command_line
    if len(command_line) == 1 and any(each.isspace() for each in command_line[0]):
        line = command_line[0]
    environment = surroundings.complete(os.environ, more)
    if port:
        environment["PORT"] = str(port)
    with signals.held():
        return processes.wait_for_one(processes.start(line, environment, is_one_of_many=False), signals)


def _run_all(parts: list[spacefile.Part], more: dict[str, str], port: int, signals: processes.Signals) -> int:
    """All at once, until one of them ends: its exit code."""
    ports: dict[str, int] = {}
    running = {}
    threads = []
    next_port = port + 1
    width = max(len(part.name) for part in parts)
    with _listening(Router(ports), port), signals.held():
        try:
            for part in parts:
                next_port = surroundings.free_port(next_port)
                ports[part.route] = next_port
                environment = surroundings.complete(os.environ, more) | {"PORT": str(next_port)}
                process = processes.start(part.command, environment, folder=part.folder, is_one_of_many=True)
                running[part.name] = process
                if process.stdout is not None:
                    threads.append(processes.follow(part.name, width, process.stdout, sys.stdout.buffer))
                warn(f"{part.name:<{width}} | http://{_HOST}:{port}{part.route}")
                next_port += 1
            name, code = processes.wait_for_first(running, signals)
        finally:
            processes.end_all(running.values())
    for thread in threads:
        thread.join(timeout=1.0)
    warn(f"{name} ended with {code}, and so did the others.")
    return code


@contextlib.contextmanager
def _listening(router: Router, port: int) -> Iterator[None]:
    """The port in front of all, served by a thread of its own. Raises CliError when it is taken."""
    loop = asyncio.new_event_loop()
    began: list[Any] = []
    is_ready = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            began.append(loop.run_until_complete(asyncio.start_server(router.serve, _HOST, port)))
        except OSError as error:
            began.append(error)
        is_ready.set()
        if not isinstance(began[0], OSError):
            loop.run_forever()
            began[0].close()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run, name="router", daemon=True)
    thread.start()
    is_ready.wait()
    if isinstance(began[0], OSError):
        raise CliError(f"Port {port} is taken by something else: name another one with --port")
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=2.0)
