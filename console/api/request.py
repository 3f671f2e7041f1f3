"""The request of an API call: Django's, with the path as it was before Django changed it."""

from typing import Any

from django.core.handlers.wsgi import WSGIRequest

from storage.collections.key_limits import Allowance


class ApiRequest(WSGIRequest):
    """`path_is_utf8` is False for a path that is not UTF-8 behind its percent-encoding; Django alters it silently.

    `allowance` is the data key's that the request was let in with, if that has limits. `json` is the body once it was read as a
    JSON object (`bodies.py`).
    """

    json: dict[str, Any] | None = None
    allowance: Allowance | None = None

    def __init__(self, environ: dict[str, Any]) -> None:
        try:
            environ["PATH_INFO"].encode("latin-1").decode()
            self.path_is_utf8 = True
        except UnicodeDecodeError:
            self.path_is_utf8 = False
        super().__init__(environ)

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """A body's declared type is no reason to read it in one way or another, nor to refuse it."""
        self.content_type, self.content_params = "", {}
