"""The document: operations by path, what they refer to, and what is true of all of them."""

import functools
import re
from typing import Any

from django.conf import settings

from console.openapi import answers, bases, drives, feeds
from console.openapi.answers import JSON, Json, empty
from console.openapi.operations import Operation
from console.openapi.parameters import headers, parameters, path_parameters
from console.openapi.schemas import schemas
from homeport import __version__
from storage import limits

_ABOUT = """\
Two services share one address: for a Base `{name}` is the Base's, for a Drive the Drive's. A Base or Drive comes to exist with
its first write; reading from one that does not exist is an empty answer, not an error.

**Data key.** Every request carries one in the header `X-API-Key`, but the one for this document.

**Errors** are JSON, `{"errors": [message, ...]}`, but for two: the 413 of a file, which is HTML, and the 404 of `getItem`,
which names the key. The first message is the one to compare; any explanation follows it. After a 4xx nothing has changed.
An unknown path is a 404, and a method that a path does not know a 405 with `Allow`.

**HEAD** works wherever GET does. **OPTIONS** is answered without a key: any origin may call, without cookies, and a page may read
`ETag`, `Retry-After`, `Item-Revisions` and `X-Request-ID`. The last one is in every answer and names the request in the log.

**Clients of the hosted successor** are told apart by what only they send, and answered in their own form. That is not described
here, and changes nothing for anybody else.
"""
_TAGS = {
    "Items": "What a Base holds: JSON objects with a string `key`.",
    "History and changes": "What became of items, and what becomes of them.",
    "Files": "What a Drive holds: bytes under a name.",
    "Uploads in parts": f"Files of more than {limits.FILE_BODY_MAX_BYTES:,} bytes.",
    "Description": "This document.",
}
_DESCRIPTION = Operation(
    id="getDescription",
    method="get",
    path="/openapi.json",
    tag="Description",
    summary="Get this document",
    description="It takes no data key.",
    parameters=("IfNoneMatch",),
    answers={
        200: empty("An OpenAPI document.", headers=("ETag",)) | {"content": {JSON: {"schema": {"type": "object"}}}},
        304: empty("The document is the one that you have.", headers=("ETag",)),
    },
    is_open=True,
)
OPERATIONS = (*bases.OPERATIONS, *feeds.OPERATIONS, *drives.OPERATIONS, _DESCRIPTION)

# By the name that answers give them: the operation they lead to, and its parameters beside those of the path before.
_LINKS: dict[str, tuple[str, dict[str, str]]] = {
    "getItem": ("getItem", {"path.key": "$response.body#/key"}),
    "updateItem": ("updateItem", {"path.key": "$response.body#/key"}),
    "deleteItem": ("deleteItem", {"path.key": "$response.body#/key"}),
    "listVersions": ("listVersions", {"query.key": "$response.body#/key"}),
    "getPutItem": ("getItem", {"path.key": "$response.body#/processed/items/0/key"}),
    "updatePutItem": ("updateItem", {"path.key": "$response.body#/processed/items/0/key"}),
    "deletePutItem": ("deleteItem", {"path.key": "$response.body#/processed/items/0/key"}),
    "historyOfPutItem": ("listVersions", {"query.key": "$response.body#/processed/items/0/key"}),
    "moreChanges": ("listChanges", {"query.since": "$response.body#/cursor"}),
    "downloadStoredFile": ("downloadFile", {"query.name": "$response.body#/name"}),
    "sendPartOfUpload": (
        "sendPart",
        {"path.upload_id": "$response.body#/upload_id", "query.name": "$response.body#/name"},
    ),
    "endStartedUpload": (
        "endUpload",
        {"path.upload_id": "$response.body#/upload_id", "query.name": "$response.body#/name"},
    ),
    "abortStartedUpload": (
        "abortUpload",
        {"path.upload_id": "$response.body#/upload_id", "query.name": "$response.body#/name"},
    ),
}


def document() -> Json:
    """The whole document. It is the same object each time: nobody changes it."""
    return _document(settings.URL_PREFIX)


@functools.cache
def _document(url_prefix: str) -> Json:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Homeport",
            "summary": "Items of Bases and files of Drives.",
            "description": _ABOUT,
            "version": __version__,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": f"{url_prefix}/v1", "description": "This server"}],
        "security": [{"dataKey": []}],
        "tags": [{"name": name, "description": said} for name, said in _TAGS.items()],
        "paths": _paths(),
        "components": {
            "schemas": schemas(),
            "parameters": parameters(),
            "headers": headers(),
            "responses": answers.components(),
            "links": {name: _link(*link) for name, link in _LINKS.items()},
            "securitySchemes": {
                "dataKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": f"`{{collection_id}}_{{secret}}`: a data key of the collection in the path. The secret has "
                    f"{limits.SECRET_CHARACTERS} letters and digits.",
                }
            },
        },
    }


def _paths() -> Json:
    found: dict[str, Any] = {}
    for operation in OPERATIONS:
        if operation.path not in found:
            in_path = re.findall(r"\{(\w+)\}", operation.path)
            found[operation.path] = {"parameters": [path_parameters()[name] for name in in_path]} if in_path else {}
        found[operation.path][operation.method] = operation.as_openapi()
    return found


def _link(operation_id: str, given: dict[str, str]) -> Json:
    before = {f"path.{name}": f"$request.path.{name}" for name in ("collection_id", "name")}
    return {"operationId": operation_id, "parameters": before | given}
