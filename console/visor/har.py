"""Recorded requests as an HTTP Archive (HAR 1.2), which the developer tools of browsers and other HTTP clients open. Pure.

What was not recorded is left out and said in a comment: the rest of a body that was cut, and bodies that are no text. Secrets are
masked as they are in the record.
"""

from collections.abc import Iterable
from datetime import timedelta
from http.client import responses
from typing import Any
from urllib.parse import parse_qsl

from console import host_names
from homeport import __version__
from storage.events.blocks import Body, Event, Headers

# A Micro that was deleted has no address any more; a name that never resolves stands for it.
_NOWHERE = "http://deleted-micro.invalid"


def make_har(events: Iterable[Event], *, origin: str) -> dict[str, Any]:
    """The archive, oldest first. `origin` is the server's address as the person reaches it."""
    entries = [_entry(event, origin) for event in events]
    creator = {"name": "Homeport", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "entries": entries[::-1]}}


def _entry(event: Event, origin: str) -> dict[str, Any]:
    line, content = event.line, event.content
    began = line.at - timedelta(milliseconds=line.duration_ms)
    return {
        "startedDateTime": began.isoformat(),
        "time": line.duration_ms,
        "request": {
            "method": line.method,
            "url": _url(event, origin),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(event.request_headers),
            "queryString": _pairs(parse_qsl(line.query, keep_blank_values=True)),
            "headersSize": -1,
            "bodySize": line.bytes_in,
            **({"postData": _text(content.request)} if content.request.size_bytes else {}),
        },
        "response": {
            "status": line.status,
            "statusText": responses.get(line.status, ""),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(content.response_headers),
            "content": {"size": content.response.size_bytes, **_text(content.response)},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": line.bytes_out,
        },
        "cache": {},
        "timings": {"send": 0, "wait": line.duration_ms, "receive": 0},
    }


def _url(event: Event, origin: str) -> str:
    line = event.line
    if not line.micro_id:
        return f"{origin}/v1/{event.collection_id}/{line.target}"
    of_micro = host_names.micro_origin(line.micro_subdomain, console=origin) if line.micro_subdomain else _NOWHERE
    return f"{of_micro}{line.target}"


def _pairs(pairs: Headers | list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _text(body: Body) -> dict[str, str]:
    told = {"mimeType": body.content_type, "text": body.text or ""}
    if body.text is None:
        return told | {"comment": f"not recorded: {body.digest}" if body.digest else "not recorded"}
    return told | ({"comment": "only the first of it was recorded"} if body.is_cut else {})
