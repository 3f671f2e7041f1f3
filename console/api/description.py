"""The description of this API, `GET /v1/openapi.json`: for anybody, and the same for all."""

import functools
import hashlib

from django.conf import settings
from django.http import HttpResponse

from console.api.endpoint import open_endpoint
from console.api.request import ApiRequest
from console.conditional_requests import is_known
from console.openapi.document import document
from storage.exact_json import dump

# Whoever keeps it asks each time whether it is still the one: after an upgrade it is another.
_KEPT = "public, no-cache"


def get_description(request: ApiRequest) -> HttpResponse:
    text, etag = _text(settings.URL_PREFIX)
    headers = {"ETag": etag, "Cache-Control": _KEPT}
    known = request.META.get("HTTP_IF_NONE_MATCH")
    if known and is_known(known, etag):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(text, content_type="application/json", headers=headers | {"Content-Length": str(len(text))})


@functools.cache
def _text(url_prefix: str) -> tuple[bytes, str]:
    """The document and its ETag. The path that all is below is a part of it."""
    text = dump(document())
    return text, f'"{hashlib.sha256(text).hexdigest()[:32]}"'


description = open_endpoint(get_description)
