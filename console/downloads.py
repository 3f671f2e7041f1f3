"""Responses with a file's bytes, whole or in part, for both the public API and the console's pages."""

from collections.abc import Mapping
from contextlib import closing
from urllib.parse import quote

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, http_date

from console.asked import Asked
from console.conditional_requests import ByteRange, find_range, is_known, is_still
from storage.drive.files import Download, StoredFile

# A file up to this size is sent in one piece, which frees the thread at once however slow the client is.
_ONE_PIECE_BYTES = 1_048_576


def describe_disposition(label: str, *, stores: bool) -> str:
    """The Content-Disposition of a file with this name, which a browser stores, or shows.

    Chromium takes `%25` in a plain `filename` for an encoded `%`, so a name with one is written in the encoded form.
    """
    if "%" in label:
        return f"{'attachment' if stores else 'inline'}; filename*=utf-8''{quote(label, safe='')}"
    header: str | None = content_disposition_header(stores, label)
    return header or "inline"


def send_file(
    request: Asked, file: StoredFile, *, content_type: str = "", headers: Mapping[str, str] | None = None
) -> HttpResponseBase:
    """The answer to a GET or HEAD: 200, 206 for a range, or 304 when the client has the file already.

    `content_type` is the file's own unless given; `headers` are added to those that every file has, or replace them. Raises
    RangeNotSatisfiable, EngineUnreachable and BlobMissing.
    """
    content_type = content_type or file.content_type
    sent = {
        # Private data must not be stored in shared caches.
        "Cache-Control": "private, no-cache",
        # A stored HTML page gets its own origin and cannot run scripts, whatever type it claims.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
        "Accept-Ranges": "bytes",
        "ETag": f'"{file.etag}"',
        "Last-Modified": http_date(file.changed_at.timestamp()),
        **(headers or {}),
    }
    known = request.META.get("HTTP_IF_NONE_MATCH")
    if known and is_known(known, sent["ETag"]):
        return HttpResponse(status=304, headers=sent)
    part = _wanted_part(request, file, sent)
    start, length = part or ByteRange(0, file.size_bytes)
    if part:
        sent["Content-Range"] = f"bytes {start}-{start + length - 1}/{file.size_bytes}"
    sent["Content-Length"] = str(length)
    status = 206 if part else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=sent, content_type=content_type)
    download = Download(file, start=start, length=length, may_come_again=True)
    if length > _ONE_PIECE_BYTES:
        # Ends with the response, or when the client is gone: Django closes what it was given.
        return StreamingHttpResponse(download, status=status, headers=sent, content_type=content_type)
    with closing(download):
        body = b"".join(download)
    return HttpResponse(body, status=status, headers=sent, content_type=content_type)


def _wanted_part(request: Asked, file: StoredFile, headers: Mapping[str, str]) -> ByteRange | None:
    """None for the whole file; a HEAD asks for no part, RFC 9110 has ranges for GET alone.

    Raises RangeNotSatisfiable.
    """
    wanted = request.META.get("HTTP_RANGE")
    condition = request.META.get("HTTP_IF_RANGE", "")
    if request.method == "HEAD" or not wanted:
        return None
    if not is_still(condition, etag=headers["ETag"], last_modified=headers["Last-Modified"]):
        return None
    return find_range(wanted, file.size_bytes)
