"""The few words of ASGI that are said here."""

import json
from collections.abc import Awaitable, MutableMapping
from typing import Any, Callable, Optional

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


async def read_body(receive: Receive) -> Optional[bytes]:
    """A request's whole body, or None when the client went away in the middle of it."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def send_json(send: Send, status: int, value: Any) -> None:
    """Answer with JSON; what JSON does not know becomes text."""
    body = json.dumps(value, default=str).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def no_server(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer of a Micro that only has functions to run."""
    if scope["type"] == "http":
        await send_json(send, 404, {"errors": ["This Micro has no web application, only run and cron functions."]})
