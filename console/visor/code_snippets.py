"""A recorded request as lines that run when they are pasted: curl, Python, JavaScript. Pure.

The key is taken from the environment, under the name that the published clients read. Nothing but the language's own library is
needed.
"""

import json
import shlex
from typing import NamedTuple

from console.visor.request_drafts import kept_headers
from storage.events.blocks import Event

KEY_VARIABLE = "DETA_PROJECT_KEY"
# They describe the client that sent it, or the next sender sets its own.
_NOT_COPIED = frozenset({"User-Agent", "Accept-Encoding", "Accept", "Accept-Language", "Origin", "Referer"})


class Snippets(NamedTuple):
    """The same request three times."""

    curl: str
    python: str
    javascript: str


class _Parts(NamedTuple):
    method: str
    url: str
    headers: list[tuple[str, str]]
    body: str


def make_snippets(event: Event, *, origin: str) -> Snippets | None:
    """None when the request was not kept whole. `origin` is the server's address as the person reaches it."""
    request, line = event.content.request, event.line
    if request.text is None or request.is_cut:
        return None
    headers = [
        (name, value) for name, value in kept_headers(event) if name not in _NOT_COPIED and not name.startswith("Sec-")
    ]
    url = f"{origin}/v1/{event.collection_id}/{line.target}"
    parts = _Parts(line.method, url, headers, request.text)
    return Snippets(_curl(parts), _python(parts), _javascript(parts))


def _curl(parts: _Parts) -> str:
    method = ["--head"] if parts.method == "HEAD" else ["-X", parts.method]
    words = ["curl", *method, _shell(parts.url), "-H", f'"X-API-Key: ${KEY_VARIABLE}"']
    for name, value in parts.headers:
        words += ["-H", _shell(f"{name}: {value}")]
    if parts.body:
        words += ["--data-raw", _shell(parts.body)]
    return " ".join(words)


def _python(parts: _Parts) -> str:
    headers = "".join(f"\n        {name!r}: {value!r}," for name, value in parts.headers)
    body = f"\n    data={parts.body!r}.encode()," if parts.body else ""
    return f"""import os
import urllib.error
import urllib.request

request = urllib.request.Request(
    {parts.url!r},
    method={parts.method!r},
    headers={{
        "X-API-Key": os.environ["{KEY_VARIABLE}"],{headers}
    }},{body}
)
try:
    answer = urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.read().decode())"""


def _javascript(parts: _Parts) -> str:
    headers = "".join(f"\n    {_literal(name)}: {_literal(value)}," for name, value in parts.headers)
    body = f"\n  body: {_literal(parts.body)}," if parts.body else ""
    return f"""fetch({_literal(parts.url)}, {{
  method: {_literal(parts.method)},
  headers: {{
    "X-API-Key": process.env.{KEY_VARIABLE},{headers}
  }},{body}
}}).then(async (answer) => console.log(answer.status, await answer.text()));"""


def _shell(text: str) -> str:
    """The text as one word of bash or zsh. A terminal acts on some characters even between quotes: those are written as codes."""
    if text.replace("\n", "").isprintable():
        return shlex.quote(text)
    codes = {"\\": "\\\\", "'": "\\'", "\n": "\\n"}
    written = [codes.get(each) or (each if each.isprintable() else _code_of(each)) for each in text]
    return f"$'{''.join(written)}'"


def _code_of(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode())


def _literal(text: str) -> str:
    return json.dumps(text)
