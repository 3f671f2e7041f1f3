"""Calls what an app has decorated with `app.lib.run()` and `app.lib.cron()`, when the supervisor asks.

`POST /__homeport/run` with `{"action", "json", "body"}` is answered with 200 `{"result": ...}`, 404 when there is no such
function, or 500 when it failed, both `{"errors": [...]}`. `/__homeport/cron` is the same without an action. What a function
prints and its traceback are in the log. From outside nobody can send these paths.
"""

import asyncio
import contextvars
import inspect
import json
import sys
from typing import Any, Callable, Optional

from homeport_runtime.asgi import Receive, Scope, Send, read_body, send_json
from homeport_runtime.loading import describe, print_trace

PATHS = {"/__homeport/run": "run", "/__homeport/cron": "cron"}


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request to one of PATHS."""
    body = await read_body(receive)
    if body is None:
        return
    asked = json.loads(body or b"{}")
    kind = PATHS[scope["path"]]
    action = str(asked.get("action") or "") if kind == "run" else ""
    functions = _find(kind, action)
    if not functions:
        await send_json(send, 404, {"errors": [_say_missing(kind, action)]})
        return
    try:
        results = [await _call(function, _event(kind, action, asked)) for function in functions]
    except BaseException as error:
        print_trace(error)
        await send_json(send, 500, {"errors": [describe(error)]})
        return
    await send_json(send, 200, {"result": results[0] if len(results) == 1 else results})


def _registry() -> Any:
    """What the app has decorated, or None: without an import of `deta` there is nothing."""
    module = sys.modules.get("deta.micros")
    return getattr(module, "functions", None)


def _find(kind: str, action: str) -> list[Callable[..., Any]]:
    registry = _registry()
    if registry is None:
        return []
    if kind == "cron":
        return list(registry.cron)
    function: Optional[Callable[..., Any]] = registry.run.get(action)
    return [function] if function else []


def _event(kind: str, action: str, asked: dict[str, Any]) -> Any:
    return sys.modules["deta.micros"].Event(
        json=asked.get("json") or {}, body=asked.get("body") or "", type=kind, action=action
    )


async def _call(function: Callable[..., Any], event: Any) -> Any:
    """Call it with the event, or without when it takes nothing; what is not a coroutine runs in a thread."""
    arguments = (event,) if _takes_one(function) else ()
    if inspect.iscoroutinefunction(function):
        return await function(*arguments)
    context = contextvars.copy_context()
    result = await asyncio.get_running_loop().run_in_executor(None, lambda: context.run(function, *arguments))
    return await result if inspect.isawaitable(result) else result


def _takes_one(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:  # a function that does not tell
        return True
    return True


def _say_missing(kind: str, action: str) -> str:
    if kind == "cron":
        return "This Micro has no cron function."
    if not action:
        return "This Micro has no run function without an action."
    return f"This Micro has no run function for the action “{action}”."
