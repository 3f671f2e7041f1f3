"""What a page may be asked with: looked at once, before any view reads a parameter.

Django takes whatever comes and passes it on: the character NUL, which the database refuses; bytes that are not UTF-8, as other
characters; the charset of the request's own choice, which may make lone surrogates; files to be kept on the disk. None of it is
of use to a page, so a request with any of it is a 400 here, and views read texts that can be stored and written. JSON bodies
are read in `console/json_views.py` alone, which asks the same of them.
"""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest
from django.core.files.uploadhandler import FileUploadHandler
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters

from storage.names import is_text


class PlainParameters:
    """The middleware, behind the gate and the check of forms: of a stranger no body is read for it. Raises BadRequest."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        _check_query(request.META.get("QUERY_STRING", ""))
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *arguments: Any) -> None:
        """The path, and the fields of a form, which the check against forged requests has read by now. Raises Http404 too."""
        if not is_text(request.path_info):
            raise Http404("Nothing has the character \\u0000 in its name")
        if not getattr(view, "reads_body", False):
            for name, values in request.POST.lists():
                _check([name, *values], "The form")


class PlainRequest(WSGIRequest):
    """A request of a page, whose charset is UTF-8, and not what its Content-Type asks for.

    Django would take the charset named there for the address too, and raise for some before any middleware.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            self.content_type, self.content_params = "application/octet-stream", {}


class NoFiles(FileUploadHandler):
    """Named in settings as the only FILE_UPLOAD_HANDLERS: a form takes no files, and nobody's are kept on the disk meanwhile."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Raises BadRequest."""
        raise BadRequest("The form holds a file")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


def _check_query(query: str) -> None:
    # WSGI hands bytes over as the characters of Latin-1.
    as_sent = unquote_to_bytes(query.encode("latin-1", errors="replace"))
    try:
        _check([as_sent.decode()], "The address")
    except UnicodeDecodeError:
        raise BadRequest("The address is not UTF-8 behind its percent-encoding") from None


def _check(texts: Iterable[str], what: str) -> None:
    if not all(map(is_text, texts)):
        raise BadRequest(f"{what} holds the character \\u0000, or half of one")
