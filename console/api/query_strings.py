"""What a client meant by its query string. The published clients don't agree on how to write one.

- All of them encode `name` for real. In what Python and Go make of it a `+` is a space, and JavaScript sends none.
- `prefix` and `last` are put there as they are by Python and JavaScript, so a `+` is a plus sign, and a `%` that
  begins no code is a percent sign. Browsers and node then encode what no address may hold, so codes are decoded.
- Go encodes everything alike. It can be told by its user agent alone, so for Go's a `+` is a space everywhere.

Others (a shell, a program written by hand) may mean a `+` in the other way. What is not found under the first reading is
looked for under the other one, unless the client is known to mean the first.
"""

import re
from urllib.parse import unquote_to_bytes

from console.api.request import ApiRequest
from storage.errors import InvalidInput

_BROKEN_CODE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read_query(query: str, *, raw: frozenset[str] = frozenset(), other_plus: bool = False) -> dict[str, str]:
    """The parameters by name; those named in `raw` are read as written without encoding.

    A `+` is a space, in a raw one a plus sign; with `other_plus` it is the other way round.

    Raises InvalidInput for one that comes twice, is not UTF-8, or (not raw) holds a `%` that begins no code.
    """
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if not pair:
            continue
        if name in found:
            raise InvalidInput("Bad query string", f"`{name}` is there twice")
        found[name] = _decode(name, value, is_raw=name in raw, plus_is_space=(name in raw) == other_plus)
    return found


def is_form_encoded(request: ApiRequest) -> bool:
    """Whether this client encodes every parameter as a form would."""
    return str(request.META.get("HTTP_USER_AGENT", "")).startswith("Go-http-client/")


def means_spaces(request: ApiRequest) -> bool:
    """Whether this client surely means a space by a `+` in a name: Go, and the original's Python client, which names no agent."""
    return is_form_encoded(request) or not request.META.get("HTTP_USER_AGENT")


def _decode(name: str, value: str, *, is_raw: bool, plus_is_space: bool) -> str:
    if plus_is_space:
        value = value.replace("+", " ")
    if not is_raw and _BROKEN_CODE.search(value):
        raise InvalidInput("Bad query string", f"`{name}` holds a % that begins no code: write %25")
    try:
        # WSGI hands bytes over as the characters of Latin-1, those that came without encoding too.
        return unquote_to_bytes(value.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise InvalidInput("Bad query string", f"`{name}` is not UTF-8 behind its percent-encoding") from None
