"""An app that answers as its path says."""

import asyncio
import json

STATUS = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    path = scope["path"]
    if path == "/slowly":
        await send(STATUS)
        for number in range(3):
            await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
            await asyncio.sleep(1)
        await send({"type": "http.response.body"})
    elif path == "/for-ever":
        await send(STATUS)
        while True:
            await send({"type": "http.response.body", "body": b".", "more_body": True})
            await asyncio.sleep(0.5)
    elif path == "/never":
        await asyncio.sleep(600)
    elif path == "/own-id":
        await send(STATUS | {"headers": [(b"X-Request-Id", b"the-apps")]})
        await send({"type": "http.response.body", "body": dict(scope["headers"])[b"x-request-id"]})
    elif path == "/cookies":
        await send(STATUS | {"headers": [(b"set-cookie", b"own=1"), (b"set-cookie", b"wide=1; Domain=localhost")]})
        await send({"type": "http.response.body", "body": b""})
    elif path == "/breaks":
        raise ValueError("the app broke")
    else:
        seen = {
            "method": scope["method"],
            "target": scope["raw_path"].decode() + "?" + scope["query_string"].decode(),
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
            "bytes": len(body),
        }
        await send(STATUS)
        await send({"type": "http.response.body", "body": json.dumps(seen).encode()})
