"""Finds the app: `app` in `main.py`, and says in words why there is none."""

import importlib
import inspect
import sys
import traceback
from pathlib import Path
from typing import Any


class NoStart(Exception):
    """The app cannot start: `kind` as the control socket knows it, a message for people, and the traceback."""

    def __init__(self, kind: str, message: str, output: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.output = output


def load_app(folder: Path) -> Any:
    """What `main.py` calls `app`. Raises NoStart."""
    if not (folder / "main.py").is_file() and not (folder / "main").is_dir():
        raise NoStart("no_server", "There is no main.py.")
    try:
        main = importlib.import_module("main")
    except BaseException as error:
        raise NoStart("crashed", f"main.py failed while it was imported: {describe(error)}", trace(error)) from None
    if not hasattr(main, "app"):
        raise NoStart("no_server", "main.py has no `app`: name your FastAPI, Flask or other application so.")
    app = main.app
    if not callable(app) and not is_bare(app):
        raise NoStart("no_server", f"`app` in main.py is no application, but a {type(app).__name__}.")
    return app


def is_bare(app: object) -> bool:
    """Is it the `app` of `from deta import app`, which has functions to run but is no web application?"""
    return type(app).__module__ == "deta.micros"


def is_asgi(app: Any) -> bool:
    """An ASGI application is called as a coroutine; others speak WSGI."""
    if inspect.isclass(app):
        return hasattr(app, "__await__")
    return any(
        inspect.iscoroutinefunction(inspect.unwrap(call))
        for call in (app, getattr(app, "func", None), getattr(app, "__call__", None))  # noqa: B004 (the method itself)
        if call is not None
    )


def describe(error: BaseException) -> str:
    """An exception on one line, with advice where the reason is common."""
    line = traceback.format_exception_only(type(error), error)[-1].strip().splitlines()[0]
    if isinstance(error, ModuleNotFoundError):
        return f"{line}. Is its package named in requirements.txt?"
    if isinstance(error, SystemExit):
        return f"it ended itself with {error.code!r}."
    return line if line.endswith(".") else line + "."


def trace(error: BaseException) -> str:
    """The traceback, from the first line of the app on."""
    step = error.__traceback__
    while step is not None and _is_ours(step.tb_frame.f_code.co_filename):
        step = step.tb_next
    return "".join(traceback.format_exception(type(error), error, step))


def print_trace(error: BaseException) -> None:
    sys.stderr.write(trace(error))


def _is_ours(filename: str) -> bool:
    return filename.startswith(("<frozen importlib", str(Path(__file__).parent))) or filename == importlib.__file__
