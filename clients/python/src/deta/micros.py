"""`App` and `app`: the functions of a Micro that are run from the command line, the console, or on a schedule.

Decorating only notes a function and returns it, so it stays a plain function, decorators stack, and an app works outside of a
Micro too, where nobody calls what is noted. Inside, Homeport does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Optional, TypeVar, Union

from deta.errors import InvalidArgument

Function = TypeVar("Function", bound=Callable[..., Any])
AnyApp = TypeVar("AnyApp")


@dataclass(frozen=True)
class Event:
    """What a function is called with. `json` is what the caller sent, `body` the same as text; `type` is "run" or "cron"."""

    json: Any = field(default_factory=dict)
    body: str = ""
    type: str = "run"
    action: str = ""


class Functions:
    """Those of this process: `run` by action, "" for the one without, and `cron` in the order they were noted."""

    def __init__(self) -> None:
        self.run: dict[str, Callable[..., Any]] = {}
        self.cron: list[Callable[..., Any]] = []


functions = Functions()


class Lib:
    """`app.lib`: the two decorators. Written without parentheses they do the same."""

    def run(self, action: Union[str, Callable[..., Any]] = "") -> Any:
        """A function that can be run: `deta run`, or `deta run hello` for the action "hello"."""
        if callable(action):
            return self.run()(action)

        def note(function: Function) -> Function:
            functions.run[action] = function
            return function

        return note

    def cron(self, function: Optional[Callable[..., Any]] = None) -> Any:
        """A function that is called on the Micro's schedule."""

        def note(noted: Function) -> Function:
            if noted not in functions.cron:
                functions.cron.append(noted)
            return noted

        return note if function is None else note(function)


class _Bare:
    """`app`, for Micros that have functions and no web application."""

    def __init__(self) -> None:
        self.lib = Lib()

    def __repr__(self) -> str:
        return "<app>"


app = _Bare()


def App(application: Optional[AnyApp] = None) -> Any:  # noqa: N802 (the name that apps import)
    """The same application, which has `.lib` now; without one it is `app`.

    Raises InvalidArgument for one that has a `lib` of its own, or takes no attributes.
    """
    if application is None:
        return app
    present = getattr(application, "lib", None)
    if isinstance(present, Lib):
        return application
    if present is not None:
        raise InvalidArgument(f"This {type(application).__name__} has a `lib` of its own: use `from deta import app`")
    try:
        application.lib = Lib()  # type: ignore[attr-defined]
    except (AttributeError, TypeError):
        raise InvalidArgument(
            f"A {type(application).__name__} takes no attribute `lib`: use `from deta import app`"
        ) from None
    return application
