"""The error responses of the public API; the one table of statuses is in `console/error_status.py`."""

import logging
import secrets

from django.http import HttpResponse

from console.api.replies import Reply, Response, json_reply
from console.error_status import headers_of, status_of
from console.json_views import describe_error
from storage.errors import StorageError

logger = logging.getLogger(__name__)


def error_reply(error: StorageError) -> Response:
    """The response for a named error."""
    status = status_of(error)
    if status == 413:
        return _too_large_reply()
    reply = json_reply(describe_error(error), status=status)
    reply.headers.update(headers_of(error))
    return reply


def defect_reply(error: Exception) -> Reply:
    """The response for an unexpected error, which is logged in full under an id that the client gets."""
    trace_id = secrets.token_hex(8)
    logger.error("trace %s", trace_id, exc_info=error)
    return json_reply(
        {"errors": ["Internal server error", f"The server's log has the details under {trace_id}"]}, status=500
    )


def _too_large_reply() -> HttpResponse:
    """The one error that is not JSON, as the original service had it (contract: Drive)."""
    body = b"<h1> 413 - Request Entity Too Large </h1>"
    return HttpResponse(body, status=413, content_type="text/html", headers={"Content-Length": str(len(body))})
