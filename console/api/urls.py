"""The public HTTP API, `/v1/{collection_id}/{name}/...`. The last lines of each module say which method does what.

What is here is described in `console/openapi/`, and a test compares the two.
"""

from django.urls import path, re_path, register_converter

from console.api import changes, description, files, history, successor, uploads
from console.api.endpoint import unknown_path


class ItemKey:
    """An item's key as the rest of the path: any character, slashes and line breaks included."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(ItemKey, "key")

urlpatterns = [
    path("openapi.json", description.description),
    path("<collection_id>/<name>/items", successor.collection),
    path("<collection_id>/<name>/items/<key:key>", successor.member),
    path("<collection_id>/<name>/query", successor.query),
    path("<collection_id>/<name>/history", history.history),
    path("<collection_id>/<name>/changes", changes.collection),
    path("<collection_id>/<name>/files", files.collection),
    path("<collection_id>/<name>/files/download", files.download),
    path("<collection_id>/<name>/uploads", uploads.collection),
    path("<collection_id>/<name>/uploads/<str:key>", uploads.member),
    path("<collection_id>/<name>/uploads/<str:key>/parts", uploads.parts),
    re_path(r"[\s\S]*", unknown_path),
]
