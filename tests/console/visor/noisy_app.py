"""An app that prints, breaks, and tells more than it should."""

import asyncio
import gzip
import json
import os
import sys


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    message = await receive()
    body = message.get("body", b"")
    path = scope["path"]
    headers = [(b"content-type", b"application/json"), (b"set-cookie", b"session=their-session-id; Path=/")]
    print(f"asked for {path}", flush=True)  # noqa: T201 (that is what it is for)
    if path == "/breaks":
        print("about to break", file=sys.stderr, flush=True)  # noqa: T201 (that is what it is for)
        raise ValueError("the app broke")
    if path == "/for-ever":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        while True:
            await send({"type": "http.response.body", "body": b".", "more_body": True})
            await asyncio.sleep(0.2)
    if path == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        for number in range(3):
            await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
            await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": b""})
        return
    if path == "/compressed":
        got = gzip.decompress(body).decode() if body[:2] == b"\x1f\x8b" else f"as it is: {body.decode()}"
        answer = gzip.compress(json.dumps({"got": got, "key": os.environ["DETA_PROJECT_KEY"]}).encode())
        headers = [*headers, (b"Content-encoding", b"gzip")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # As Node sends it: what gzip begins with is a piece of its own.
        await send({"type": "http.response.body", "body": answer[:10], "more_body": True})
        await send({"type": "http.response.body", "body": answer[10:]})
        return
    if path == "/binary":
        headers, answer = [(b"content-type", b"image/png")], bytes(range(256)) * 4
    elif path == "/secrets":
        told = {"token": os.environ.get("TOKEN"), "key": os.environ["DETA_PROJECT_KEY"], "pem": os.environ.get("PEM")}
        answer = json.dumps(told | {"headers": str(scope["headers"])}).encode()
    else:
        sent = dict(scope["headers"])
        told = {
            "method": scope["method"],
            "target": (scope["raw_path"] + b"?" + scope["query_string"]).decode(),
            "body": body.decode(),
            "host": sent[b"host"].decode(),
            "odd": sent.get(b"x-odd", b"").decode(),
        }
        answer = json.dumps(told).encode()
    await send({"type": "http.response.start", "status": 201 if scope["method"] == "POST" else 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
