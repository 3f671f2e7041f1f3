"""The one table from an error to what a client is told. Every body is `{"errors": [message, ...]}`."""

import logging
import secrets

from django.http import HttpResponse

from console.api.replies import reply
from storage import errors, limits

logger = logging.getLogger(__name__)


class RequestError(errors.StorageError):
    """An error that HTTP itself knows and the data plane does not."""


class UnknownPath(RequestError):
    default = "Not found"


class MethodNotAllowed(RequestError):
    default = "Method not allowed"


class EncodedBody(RequestError):
    default = "A body with a Content-Encoding is not accepted: send it as it is"


class RangeNotSatisfiable(RequestError):
    default = "The range is not in the file"


class TooManyWrongKeys(RequestError):
    default = "Too many requests with a wrong data key from this address"


STATUS: dict[type[errors.StorageError], int] = {
    errors.InvalidInput: 400,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.ItemNotFound: 404,
    errors.FileNotFound: 404,
    errors.UploadNotFound: 404,
    UnknownPath: 404,
    MethodNotAllowed: 405,
    errors.KeyExists: 409,
    errors.BodyTooLarge: 413,
    EncodedBody: 415,
    RangeNotSatisfiable: 416,
    TooManyWrongKeys: 429,
    errors.BlobMissing: 500,
    errors.EngineUnreachable: 503,
    errors.DiskFull: 507,
}


def error_reply(error: errors.StorageError) -> HttpResponse:
    """The response for a named error."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if status == 413:
        return _too_large_reply()
    if status >= 500:
        logger.warning("%s: %r", error, error.__cause__)
    response = reply({"errors": list(error.messages)}, status=status)
    if status == 503:
        response["Retry-After"] = str(limits.RETRY_AFTER_SECONDS)
    return response


def defect_reply(error: Exception) -> HttpResponse:
    """The response for an error nobody expected: logged in full under an id that the client is given."""
    trace_id = secrets.token_hex(8)
    logger.error("trace %s", trace_id, exc_info=error)
    return reply(
        {"errors": ["Internal server error", f"The server's log has the details under {trace_id}"]}, status=500
    )


def _too_large_reply() -> HttpResponse:
    """The one error that is not JSON, as the original service had it (contract: Drive)."""
    body = b"<h1> 413 - Request Entity Too Large </h1>"
    return HttpResponse(body, status=413, content_type="text/html", headers={"Content-Length": str(len(body))})
