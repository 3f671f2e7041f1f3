"""A recorded request as lines that run when they are pasted: curl, Python, JavaScript. Pure.

The key is taken from the environment, under the name that the published clients read; that of a Micro under one of ours. Nothing
but the language's own library is needed.
"""

import json
import shlex
from typing import NamedTuple
from urllib.parse import urlsplit

from console import host_names
from console.visor.request_drafts import kept_headers
from storage.events.blocks import Event
from storage.models import Micro

KEY_VARIABLE = "DETA_PROJECT_KEY"
MICRO_KEY_VARIABLE = "MICRO_API_KEY"
# They describe the client that sent it, or the next sender sets its own.
_NOT_COPIED = frozenset({"User-Agent", "Accept-Encoding", "Accept", "Accept-Language", "Origin", "Referer"})


class Snippets(NamedTuple):
    """The same request three times. `key_variable` names the key in the environment; "" where none is needed."""

    key_variable: str
    curl: str
    python: str
    javascript: str


class _Parts(NamedTuple):
    key_variable: str
    method: str
    url: str
    headers: list[tuple[str, str]]
    body: str


def make_snippets(event: Event, *, origin: str, micro: Micro | None = None) -> Snippets | None:
    """None when the request was not kept whole, or its Micro is gone.

    `origin` is the server's address as the person reaches it, `micro` the one that the request went to.
    """
    request, line = event.content.request, event.line
    if request.text is None or request.is_cut or (line.micro_id and micro is None):
        return None
    headers = [
        (name, value) for name, value in kept_headers(event) if name not in _NOT_COPIED and not name.startswith("Sec-")
    ]
    if micro is None:
        url = f"{origin}/v1/{event.collection_id}/{line.target}"
        by_name = by_address = _Parts(KEY_VARIABLE, line.method, url, headers, request.text)
    else:
        key = MICRO_KEY_VARIABLE if micro.has_sign_in else ""
        micro_origin = host_names.micro_origin(micro.subdomain, console=origin)
        by_name = _Parts(key, line.method, micro_origin + line.target, headers, request.text)
        by_address = _by_address(by_name, micro_origin)
    javascript = _javascript(by_name) if by_address is by_name else _node(by_address)
    return Snippets(by_name.key_variable, _curl(by_name), _python(by_address), javascript)


def _by_address(parts: _Parts, origin: str) -> _Parts:
    """Python and Node ask the system for names below `localhost`, which curl and browsers know: they get the address instead."""
    host = urlsplit(origin)
    if not (host.hostname or "").endswith(".localhost"):
        return parts
    port = f":{host.port}" if host.port else ""
    url = parts.url.replace(origin, f"{host.scheme}://127.0.0.1{port}", 1)
    return parts._replace(url=url, headers=[("Host", host.netloc), *parts.headers])


def _curl(parts: _Parts) -> str:
    method = ["--head"] if parts.method == "HEAD" else ["-X", parts.method]
    words = ["curl", *method, _shell(parts.url)]
    if parts.key_variable:
        words += ["-H", f'"X-API-Key: ${parts.key_variable}"']
    for name, value in parts.headers:
        words += ["-H", _shell(f"{name}: {value}")]
    if parts.body:
        words += ["--data-raw", _shell(parts.body)]
    return " ".join(words)


def _python(parts: _Parts) -> str:
    headers = "".join(f"\n        {name!r}: {value!r}," for name, value in parts.headers)
    key = f'\n        "X-API-Key": os.environ["{parts.key_variable}"],' if parts.key_variable else ""
    body = f"\n    data={parts.body!r}.encode()," if parts.body else ""
    imports = "import os\n" if key else ""
    return f"""{imports}import urllib.error
import urllib.request

request = urllib.request.Request(
    {parts.url!r},
    method={parts.method!r},
    headers={{{key}{headers}
    }},{body}
)
try:
    answer = urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.read().decode())"""


def _javascript(parts: _Parts) -> str:
    headers = "".join(f"\n    {_literal(name)}: {_literal(value)}," for name, value in parts.headers)
    key = f'\n    "X-API-Key": process.env.{parts.key_variable},' if parts.key_variable else ""
    body = f"\n  body: {_literal(parts.body)}," if parts.body else ""
    return f"""fetch({_literal(parts.url)}, {{
  method: {_literal(parts.method)},
  headers: {{{key}{headers}
  }},{body}
}}).then(async (answer) => console.log(answer.status, await answer.text()));"""


def _node(parts: _Parts) -> str:
    """For an address with another Host, which `fetch` does not send."""
    scheme = parts.url.partition(":")[0]
    headers = "".join(f"\n    {_literal(name)}: {_literal(value)}," for name, value in parts.headers)
    key = f'\n    "X-API-Key": process.env.{parts.key_variable},' if parts.key_variable else ""
    return f"""const options = {{
  method: {_literal(parts.method)},
  headers: {{{key}{headers}
  }},
}};
const sent = require("node:{scheme}").request({_literal(parts.url)}, options, async (answer) => {{
  answer.setEncoding("utf8");
  console.log(answer.statusCode, (await answer.toArray()).join(""));
}});
sent.end({_literal(parts.body)});"""


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
