"""One Micro's process, from its start to its end."""

import asyncio
import atexit
import faulthandler
import importlib.machinery
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

from homeport_runtime import asgi, output, wsgi
from homeport_runtime.control import Control
from homeport_runtime.loading import NoStart, is_asgi, is_bare, load_app
from homeport_runtime.serving import Server

END_SECONDS = 3.0  # for functions that an app registered with `atexit`


class OurDeta:
    """Finds `deta` in our folder whatever else is called so: the package index has a foreign package of that name."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if fullname != "deta":
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [self._folder], target)


@dataclass
class Prepared:
    """All that an app needs but the app: the web server is loaded whole, so that nothing of the app's can take its place."""

    control: Control
    server: Server


def prepare() -> Prepared:
    """Take the streams and the control socket over, and load the web server."""
    faulthandler.enable(2)
    output.take_over()
    _show_server_warnings()
    control = Control()
    return Prepared(control, Server(control, float(os.environ.pop("HOMEPORT_IDLE_SECONDS", "0"))))


def run(prepared: Prepared, folder: Path) -> None:
    """Serve the app in a folder until it is time to end, and end the process."""
    os.chdir(folder)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # for apps that ask for it while they are imported
    status = 0
    try:
        prepared.server.gate.app = _web_app(load_app(folder))
        asyncio.set_event_loop(loop)
        loop.run_until_complete(prepared.server.serve())
    except NoStart as failure:
        sys.stderr.write(failure.output or f"{failure.message}\n")
        prepared.control.say_fault(failure.kind, failure.message, failure.output)
        status = 1
    _end(status)


def _web_app(app: Any) -> asgi.AsgiApp:
    if is_bare(app):
        return asgi.no_server
    return app if is_asgi(app) else wsgi.as_asgi(app)


def _show_server_warnings() -> None:
    """The web server's warnings go to the log, but for tracebacks, which are printed where they happen.

    Its loggers pass nothing on, so that what an app sets up for logging does not change this.
    """
    logger = logging.getLogger("uvicorn.error")
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: not record.exc_info)
    logger.handlers = [handler]
    logger.setLevel(logging.WARNING)
    logger.propagate = False


def _end(status: int) -> None:
    """End, whatever threads the app still has: callers wait for the next process."""
    late = threading.Timer(END_SECONDS, os._exit, (status,))
    late.daemon = True
    late.start()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    atexit._run_exitfuncs()
    output.end_lines()
    os._exit(status)
