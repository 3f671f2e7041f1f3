"""Sends a stored file, or the part of it that is asked for: for the public API and for pages alike."""

from contextlib import closing

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date

from console.conditions import ByteRange, NotSatisfiable, find_range, is_known, is_still
from storage.files import Download, StoredFile

# So much is sent in one piece, which frees the thread at once however slow the client is.
_ONE_PIECE_BYTES = 1_048_576


class OutOfRange(Exception):
    """The range asked for is not in the file. The answer that says so has `content_range` in its header of that name."""

    def __init__(self, file: StoredFile) -> None:
        super().__init__()
        self.content_range = f"bytes */{file.size_bytes}"


def send_file(request: HttpRequest, file: StoredFile, more_headers: dict[str, str] | None = None) -> HttpResponseBase:
    """200, 206 or 304 with the bytes that belong to it; for a HEAD, none. Raises OutOfRange, and what `Download` does."""
    headers = _headers(file) | (more_headers or {})
    known = request.META.get("HTTP_IF_NONE_MATCH")
    if known and is_known(known, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    part = _wanted_part(request, file, headers)
    start, length = part or ByteRange(0, file.size_bytes)
    if part:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{file.size_bytes}"
    headers["Content-Length"] = str(length)
    status = 206 if part else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers, content_type=file.content_type)
    return _send(file, start, length, status=status, headers=headers)


def _headers(file: StoredFile) -> dict[str, str]:
    """Those that an answer has with and without the bytes."""
    return {
        "Accept-Ranges": "bytes",
        "ETag": f'"{file.etag}"',
        "Last-Modified": http_date(file.changed_at.timestamp()),
        # What is behind a data key or a sign-in is not for caches that others share.
        "Cache-Control": "private, no-cache",
        # A stored page gets an origin of its own and runs nothing, whatever type it claims.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
    }


def _wanted_part(request: HttpRequest, file: StoredFile, headers: dict[str, str]) -> ByteRange | None:
    """None for the whole file; a HEAD asks for no part, RFC 9110 has ranges for GET alone. Raises OutOfRange."""
    wanted = request.META.get("HTTP_RANGE")
    condition = request.META.get("HTTP_IF_RANGE", "")
    if request.method == "HEAD" or not wanted:
        return None
    if not is_still(condition, etag=headers["ETag"], last_modified=headers["Last-Modified"]):
        return None
    try:
        return find_range(wanted, file.size_bytes)
    except NotSatisfiable:
        raise OutOfRange(file) from None


def _send(file: StoredFile, start: int, length: int, *, status: int, headers: dict[str, str]) -> HttpResponseBase:
    download = Download(file, start=start, length=length)
    if length > _ONE_PIECE_BYTES:
        # Ends with the response, or when the client is gone: Django closes what it was given.
        return StreamingHttpResponse(download, status=status, headers=headers, content_type=file.content_type)
    with closing(download):
        body = b"".join(download)
    return HttpResponse(body, status=status, headers=headers, content_type=file.content_type)
