"""How the public API reads a request's body; receiving the bytes is in `console/streams.py`."""

import re
from typing import Any

from console.api.request import ApiRequest
from console.json_views import read_object
from console.streams import FileBody
from storage import limits
from storage.errors import BodyTooLarge, InvalidInput

_CONTENT_TYPE = re.compile(rf"[\x20-\x7e]{{1,{limits.CONTENT_TYPE_MAX_CHARACTERS}}}")


def read_json_object(request: ApiRequest) -> dict[str, Any]:
    """The body as a JSON object, whatever content type it declares; it is read once. Raises InvalidInput and EncodedBody.

    One that is too large is a 400 here (contract: Base); 413 is kept for files.
    """
    try:
        if request.json is None:
            request.json = read_object(request, most_bytes=limits.BODY_MAX_BYTES)
        return request.json
    except BodyTooLarge:
        raise InvalidInput("The body is too large", f"At most {limits.BODY_MAX_BYTES} bytes are accepted") from None


def read_file_body(request: ApiRequest) -> FileBody:
    """The body as the content of a file or part. Raises EncodedBody, InvalidInput (its length, its content type)."""
    return FileBody(request.META, content_type=read_content_type(request))


def read_content_type(request: ApiRequest) -> str | None:
    """The content type that the request declares, unchanged; None without one. Raises InvalidInput."""
    declared: str = request.META.get("CONTENT_TYPE", "").strip()
    if not declared:
        return None
    if not _CONTENT_TYPE.fullmatch(declared):
        raise InvalidInput(
            "Bad content type",
            f"A content type has at most {limits.CONTENT_TYPE_MAX_CHARACTERS} characters, all of them visible ASCII",
        )
    return declared
