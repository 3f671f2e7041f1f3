"""The error responses of the public API; the one table of statuses is in `console/error_status.py`."""

import logging
import secrets

from django.http import HttpResponse

from console.error_status import status_of
from console.json_views import error_response, json_response
from storage.errors import StorageError

logger = logging.getLogger(__name__)


def error_reply(error: StorageError) -> HttpResponse:
    """The response for a named error."""
    return _too_large_reply() if status_of(error) == 413 else error_response(error)


def defect_reply(error: Exception) -> HttpResponse:
    """The response for an unexpected error, which is logged in full under an id that the client gets."""
    trace_id = secrets.token_hex(8)
    logger.error("trace %s", trace_id, exc_info=error)
    return json_response(
        {"errors": ["Internal server error", f"The server's log has the details under {trace_id}"]}, status=500
    )


def _too_large_reply() -> HttpResponse:
    """The one error that is not JSON, as the original service had it (contract: Drive)."""
    body = b"<h1> 413 - Request Entity Too Large </h1>"
    return HttpResponse(body, status=413, content_type="text/html", headers={"Content-Length": str(len(body))})
