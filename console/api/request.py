"""The request of an API call: what the API asks of one. Django's would take as long to make as to answer it."""

from typing import Any

from storage.collections.key_limits import Allowance


class ApiRequest:
    """`META` has the variables of WSGI, and `path` the path as it was meant.

    `path_is_utf8` is False for a path that is not UTF-8 behind its percent-encoding. `allowance` is the data key's that the
    request was let in with, if that has limits. `json` is the body once it was read as a JSON object (`bodies.py`).
    """

    __slots__ = ("META", "allowance", "json", "method", "path", "path_is_utf8")

    def __init__(self, environ: dict[str, Any]) -> None:
        self.META = environ
        self.method: str = environ["REQUEST_METHOD"].upper()
        self.json: dict[str, Any] | None = None
        self.allowance: Allowance | None = None
        written = environ["PATH_INFO"].encode("latin-1")
        try:
            self.path, self.path_is_utf8 = written.decode(), True
        except UnicodeDecodeError:
            # Nobody is told of it who may not ask: until then it is some path.
            self.path, self.path_is_utf8 = written.decode(errors="replace"), False
